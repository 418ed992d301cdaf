"""What CBAM leaves for its backward pass, and the gradients on the way back, by the lecture's names.

A large batch goes through in slices. Its cache has the same names as that of a small one: each leads to the quantity
of the whole batch, put together when somebody asks for it. The backward pass works slice by slice and never asks.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..engine import total
from ..ops.norm import Moments
from .channel import ChannelCache, ChannelGradients
from .dialect import Dialect
from .gate import GateCache
from .spatial import SpatialCache, SpatialGradients

OF_ALL = {"W", "gamma", "inv_std", "mean", "var", "moments"}  # in a cache: the same for every image of the batch
ADDED = {"dW0", "dW1", "db0", "db1", "dW7", "dgamma", "dbeta", "params"}  # in gradients: sums over the batch


class Part(NamedTuple):
    """A slice of the batch on its way through CBAM; an attention that a dialect leaves out is None."""

    F: np.ndarray
    channel: Any  # ChannelCache or None
    spatial: Any  # SpatialCache or None
    gates: dict[str, GateCache]
    F1: np.ndarray
    F2: np.ndarray


class CBAMCache:
    """Every quantity that the lecture names, for the whole batch.

    Parameters
    ----------
    F, F1, F2 : ndarray, shape (N, C, H, W)
        F, F' after the first attention, F'' after the last.
    dialect : Dialect
        The choices.
    slices : sequence of slice
        Which images went through CBAM together.
    parts : sequence of Part
        What each slice left.

    Attributes
    ----------
    channel : ChannelCache or None
        Everything on the way through channel attention; None where the dialect leaves it out.
    spatial : SpatialCache or None
        The same for spatial attention.
    gates : dict of str to GateCache
        By attention, the feature map and the map that was multiplied onto it.
    """

    def __init__(
        self,
        F: np.ndarray,
        F1: np.ndarray,
        F2: np.ndarray,
        dialect: Dialect,
        slices: Sequence[slice],
        parts: Sequence[Part],
    ) -> None:
        self.F, self.F1, self.F2 = F, F1, F2
        self.dialect, self.slices, self.parts = dialect, tuple(slices), tuple(parts)

    @cached_property
    def channel(self) -> ChannelCache | None:
        """Channel attention's quantities."""
        return joined([part.channel for part in self.parts])

    @cached_property
    def spatial(self) -> SpatialCache | None:
        """Spatial attention's quantities."""
        return joined([part.spatial for part in self.parts])

    @cached_property
    def gates(self) -> dict[str, GateCache]:
        """What was multiplied, by attention."""
        return joined([part.gates for part in self.parts])

    @property
    def moments(self) -> Moments | None:
        """The batch's moments, where the dialect's batch normalisation took them; otherwise None."""
        spatial = self.parts[0].spatial
        return spatial.c_norm.moments if spatial is not None and spatial.c_norm is not None else None

    @property
    def F_avg(self) -> np.ndarray:
        """Averages over space, (N, C)."""
        return self._of("channel", "F_avg")

    @property
    def F_max(self) -> np.ndarray:
        """Maxima over space, (N, C)."""
        return self._of("channel", "F_max")

    @property
    def z_c(self) -> np.ndarray:
        """Scores of the channels, (N, C)."""
        return self._of("channel", "z_c")

    @property
    def Mc(self) -> np.ndarray:
        """Channel attention map, (N, C, 1, 1)."""
        return self._of("channel", "Mc")

    @property
    def Fs_avg(self) -> np.ndarray:
        """Averages over channels, (N, 1, H, W)."""
        return self._of("spatial", "Fs_avg")

    @property
    def Fs_max(self) -> np.ndarray:
        """Maxima over channels, (N, 1, H, W)."""
        return self._of("spatial", "Fs_max")

    @property
    def z_s(self) -> np.ndarray:
        """Scores of the pixels, (N, 1, H, W)."""
        return self._of("spatial", "z_s")

    @property
    def Ms(self) -> np.ndarray:
        """Spatial attention map, (N, 1, H, W)."""
        return self._of("spatial", "Ms")

    def _of(self, attention: str, name: str) -> np.ndarray:
        cache = getattr(self, attention)
        if cache is None:
            raise AttributeError(f"there is no {name}: order {self.dialect.order!r} has no {attention} attention")
        return getattr(cache, name)


class CBAMGradients(NamedTuple):
    """Every gradient on the way back. `direct` holds, by attention, what passed its gate as a feature map.

    `dF1` is None, and `direct` is empty, where they were not kept.
    """

    dF2: np.ndarray
    dF1: np.ndarray | None
    channel: ChannelGradients | None
    spatial: SpatialGradients | None
    direct: dict[str, np.ndarray]
    dF: np.ndarray
    params: dict[str, np.ndarray]


def joined(parts: Sequence[Any]) -> Any:
    """Return what the caches, or the gradients, of all slices are together; of one slice, the one that there is."""
    first = parts[0]
    if len(parts) == 1 or first is None:
        return first
    if isinstance(first, np.ndarray):
        return _whole_array(parts)
    if isinstance(first, dict):
        return {name: joined([part[name] for part in parts]) for name in first}
    if hasattr(first, "_fields"):
        return type(first)(*map(_joined_field, first._fields, zip(*parts, strict=True)))
    if isinstance(first, tuple):
        return tuple(map(joined, zip(*parts, strict=True)))
    return first  # a choice, such as the rule for ties


def _joined_field(name: str, parts: Sequence[Any]) -> Any:
    if name in OF_ALL:
        return parts[0]
    return added(parts) if name in ADDED else joined(parts)


def added(parts: Sequence[Any]) -> Any:
    """Return the sum of what each slice contributes to a weight's gradient, or to all of them by name."""
    first = parts[0]
    if isinstance(first, dict):
        return {name: total(part[name] for part in parts) for name in first}
    return None if first is None else total(parts)


def _whole_array(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the array that these are slices of, or a new one of all of them."""
    first, base = parts[0], parts[0].base
    if base is not None and all(part.base is base for part in parts):
        whole = base.shape == (sum(map(len, parts)), *first.shape[1:]) and base.dtype == first.dtype
        if whole and (base.ctypes.data, base.strides) == (first.ctypes.data, first.strides):  # not mirrored, say
            return base
    return np.concatenate(parts)
