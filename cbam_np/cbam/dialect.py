"""The choices in which implementations of CBAM differ, and a name for each set of choices that people use."""

from dataclasses import dataclass, fields, replace
from typing import Any

from ..ops.checks import check_option
from ..ops.pooling import TIES
from .pools import POOLS

HIDDEN = ("floor", "round")
STARTS = ("he", "zero", "pytorch", "official", "fan-out")
ORDERS = {
    "channel-spatial": ("channel", "spatial"),
    "spatial-channel": ("spatial", "channel"),
    "parallel": ("channel", "spatial"),
    "channel": ("channel",),
    "spatial": ("spatial",),
}


@dataclass(frozen=True)
class Dialect:
    """The choices in which implementations of CBAM differ; the defaults are the paper's.

    Parameters
    ----------
    order : {"channel-spatial", "spatial-channel", "parallel", "channel", "spatial"}
        Which attention comes first, or which one is alone. In parallel both look at F itself, and
        F'' = M_s(F) ⊗ M_c(F) ⊗ F (paper, Table 3).
    channel_pools : tuple of {"avg", "max", "lp", "lse", "mixed"}
        What the MLP is given (paper, Table 1). ("avg",) alone is squeeze-and-excitation, SE. "lp" is the L2 norm and
        "lse" log-sum-exp, which the authors' code offers; "mixed" is half the average and half the maximum, added, as
        in timm's light variant.
    spatial_pools : tuple of {"avg", "max", "lp", "lse", "mixed"}
        The maps that the convolution is given, in the order of their concatenation (paper, Table 2).
    ties : {"first", "split"} or a pair of them
        Who gets the gradient where a maximum is reached more than once: over space and over channels alike, or one
        rule for each.
    mlp_bias : bool
        Whether the MLP has the biases b0 and b1. The paper has none, the authors' code and Keras versions have
        them; b1 is in each pool's branch, so it counts twice in the sum z_c.
    spatial_norm : bool
        Whether a batch normalisation follows the 7×7 convolution, with `gamma` and `beta` of one number each. The
        paper's figure has none, the authors' code and timm have one.
    norm_momentum : float
        Part of each batch's statistics in that normalisation's running averages.
    reduction : int
        r where `init_cbam` is given none.
    hidden : {"floor", "round"}
        How C / r becomes a number of hidden units; "round" gives at least 1.
    start : {"he", "zero", "pytorch", "official", "fan-out"}
        How the weights start where `init_cbam` is not told, see there.

    Raises
    ------
    ValueError
        If a choice is unknown.

    Examples
    --------
    >>> import cbam_np
    >>> cbam_np.Dialect(channel_pools=("avg",), order="channel").ties_over("space")
    'first'
    """

    order: str = "channel-spatial"
    channel_pools: tuple[str, ...] = ("avg", "max")
    spatial_pools: tuple[str, ...] = ("avg", "max")
    ties: str = "first"
    mlp_bias: bool = False
    spatial_norm: bool = False
    norm_momentum: float = 0.1
    reduction: int = 16
    hidden: str = "floor"
    start: str = "he"

    def __post_init__(self) -> None:
        check_option(self.order, "order", ORDERS)
        for rule in self.ties if isinstance(self.ties, tuple) and len(self.ties) == 2 else (self.ties,):
            check_option(rule, "ties", TIES)
        for name in ("mlp_bias", "spatial_norm"):
            check_option(getattr(self, name), name, (True, False))
        check_option(self.hidden, "hidden", HIDDEN)
        check_option(self.start, "start", STARTS)
        if not 0 < self.norm_momentum <= 1:
            raise ValueError(f"norm_momentum is {self.norm_momentum}, expected a number, more than 0 and at most 1")
        for name in ("channel_pools", "spatial_pools"):
            pools = getattr(self, name)
            if not isinstance(pools, tuple) or not pools or len(set(pools)) < len(pools):
                raise ValueError(f"{name} is {pools!r}, expected a tuple of different pools, such as ('avg', 'max')")
            for pool in pools:
                check_option(pool, f"a pool in {name}", POOLS)

    def ties_over(self, over: str) -> str:
        """Return the rule for ties over "space" or over "channels"."""
        return self.ties[("space", "channels").index(over)] if isinstance(self.ties, tuple) else self.ties

    def meets(self, running: tuple | None) -> bool:
        """Tell whether images have to know of each other: in training, where there is a batch normalisation."""
        return self.spatial_norm and "spatial" in ORDERS[self.order] and running is None

    def hidden_units(self, channels: int, reduction: int) -> int:
        """Return how many hidden units the MLP has: C / r, made whole."""
        return max(1, int(channels / reduction + 0.5)) if self.hidden == "round" else channels // reduction


DIALECTS = {
    "paper": Dialect(),
    "official": Dialect(  # Jongchan/attention-module, MODELS/cbam.py
        spatial_pools=("max", "avg"), mlp_bias=True, spatial_norm=True, norm_momentum=0.01, start="official"
    ),
    "timm": Dialect(ties="split", spatial_norm=True, hidden="round", start="pytorch"),  # timm/layers/cbam.py
    "timm-light": Dialect(  # the light variant in the same file
        channel_pools=("mixed",),
        spatial_pools=("mixed",),
        ties="split",
        spatial_norm=True,
        hidden="round",
        start="pytorch",
    ),
    "keras": Dialect(ties="split", mlp_bias=True, reduction=8),  # kobiso/CBAM-keras
    "luuuyi": Dialect(start="fan-out"),  # luuuyi/CBAM.PyTorch, whose ResNet draws every convolution so
}
"""The paper's choices, which are the lecture's, and those of public implementations that people compare with.

timm's start is that of its module alone; inside timm's ResNet the attention starts as "fan-out".
"""


def get_dialect(dialect: str | Dialect = "paper", **changes: Any) -> Dialect:
    """Return a dialect by its name, with some of its choices changed.

    Parameters
    ----------
    dialect : str or Dialect
        A name in `DIALECTS`, or a dialect to start from.
    **changes
        Any field of `Dialect`, for instance ``order="parallel"``.

    Returns
    -------
    Dialect
        The choices.

    Raises
    ------
    ValueError
        If the name or a choice is unknown.
    TypeError
        If `changes` has a word that is no field of `Dialect`.

    Examples
    --------
    >>> import cbam_np
    >>> cbam_np.get_dialect("official").spatial_pools
    ('max', 'avg')
    >>> cbam_np.get_dialect("paper", order="parallel").order
    'parallel'
    """
    if not isinstance(dialect, Dialect):
        check_option(dialect, "dialect", DIALECTS)
        dialect = DIALECTS[dialect]
    if not changes:
        return dialect
    known = [f.name for f in fields(Dialect)]
    for word in changes:
        if word not in known:
            raise TypeError(f"unknown option {word!r}, expected one of {', '.join(known)}")
    return replace(dialect, **changes)
