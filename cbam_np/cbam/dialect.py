"""The choices in which implementations of CBAM differ, and a name for each set of choices that people use."""

from dataclasses import dataclass, fields, replace

from ..ops.checks import check_option
from ..ops.pooling import TIES
from .pools import POOLS

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
    channel_pools : tuple of {"avg", "max"}
        What the MLP is given (paper, Table 1). ("avg",) alone is squeeze-and-excitation, SE.
    spatial_pools : tuple of {"avg", "max"}
        The maps that the convolution is given, in the order of their concatenation (paper, Table 2).
    ties : {"first", "split"}
        Who gets the gradient where a maximum is reached more than once.
    mlp_bias : bool
        Whether the MLP has the biases b0 and b1. The paper has none, the authors' code and Keras versions have
        them; b1 is in each pool's branch, so it counts twice in the sum z_c.

    Raises
    ------
    ValueError
        If a choice is unknown.
    """

    order: str = "channel-spatial"
    channel_pools: tuple[str, ...] = ("avg", "max")
    spatial_pools: tuple[str, ...] = ("avg", "max")
    ties: str = "first"
    mlp_bias: bool = False

    def __post_init__(self):
        check_option(self.order, "order", ORDERS)
        check_option(self.ties, "ties", TIES)
        check_option(self.mlp_bias, "mlp_bias", (True, False))
        for name in ("channel_pools", "spatial_pools"):
            pools = getattr(self, name)
            if not isinstance(pools, tuple) or not pools or len(set(pools)) < len(pools):
                raise ValueError(f"{name} is {pools!r}, expected a tuple of different pools, such as ('avg', 'max')")
            for pool in pools:
                check_option(pool, f"a pool in {name}", POOLS)


DIALECTS = {"paper": Dialect()}


def get_dialect(dialect="paper", **changes):
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
