"""The same feature map and the same weights through every dialect: what differs, and how much."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from textwrap import wrap

import numpy as np

from ...cbam import DIALECTS, Dialect, cbam_forward, init_cbam
from ...ops.checks import as_float
from ..calculation import notation
from ..calculation.tables import html_table
from . import lecture

B1 = 0.25  # of every channel, where a dialect has biases; b0 stays 0
SAME = "as in the lecture"
WIDTH = 80
SAID = {  # how a choice that differs from the paper's is described, by field
    "order": "order {}",
    "channel_pools": "MLP on: {}",
    "spatial_pools": "maps: {}",
    "ties": "tied maxima: {}",
    "mlp_bias": "MLP with biases, so that b1 counts twice",
    "spatial_norm": "batch normalisation after the 7×7",
    "norm_momentum": "momentum {}",
    "reduction": "r = {}",
    "hidden": "hidden units: {}",
    "start": "initial weights: {}",
}


@dataclass(frozen=True)
class DialectRow:
    """The result of one dialect on the example."""

    name: str
    choices: tuple[str, ...]
    Mc: np.ndarray
    Ms: np.ndarray
    out: np.ndarray
    difference: float


class DialectComparison:
    """Rows of a comparison, in the order of `DIALECTS`; the first is the paper. Printed, it is a table.

    Parameters
    ----------
    rows : sequence of DialectRow
        One per dialect.
    """

    HEADS = ("dialect", "M_c[1]", "M_c[2]", "M_s[1,1]", "M_s[2,2]", "largest difference in F''")

    def __init__(self, rows: Iterable[DialectRow]):
        self.rows = tuple(rows)

    def __getitem__(self, name: str) -> DialectRow:
        return {row.name: row for row in self.rows}[name]

    def __repr__(self) -> str:
        return f"<DialectComparison: {', '.join(row.name for row in self.rows)}>"

    def _cells(self, row: DialectRow) -> list[str]:
        middle = tuple(min(1, side - 1) for side in row.Ms.shape)
        numbers = (row.Mc[0], row.Mc[min(1, len(row.Mc) - 1)], row.Ms[0, 0], row.Ms[middle], row.difference)
        return [row.name, *map(notation.number, numbers)]

    def __str__(self) -> str:
        table = notation.table([list(self.HEADS), *map(self._cells, self.rows)])
        widest = max(len(row.name) for row in self.rows) + 2
        differing = []
        for row in self.rows:
            label = f"{row.name + ':':<{widest}}"
            text = "; ".join(row.choices) or SAME
            differing += wrap(text, WIDTH, initial_indent=label, subsequent_indent=" " * widest)
        return "\n".join([*table, "", *differing])

    def _repr_html_(self) -> str:
        rows = [[*self._cells(row), "; ".join(row.choices) or SAME] for row in self.rows]
        heads = [*self.HEADS, "what differs"]
        return html_table(rows, heads, label="dialects", row_heads=True, right=range(1, len(self.HEADS)))


def choices_of(dialect: Dialect) -> tuple[str, ...]:
    """Return how a dialect differs from the paper, one phrase per choice."""
    phrases = []
    for field in fields(Dialect):
        value = getattr(dialect, field.name)
        if value != field.default:
            shown = ", ".join(value) if isinstance(value, tuple) else value
            phrases.append(SAID[field.name].format(shown))
    return tuple(phrases)


def compare_dialects(F: np.ndarray | None = None, params: Mapping[str, np.ndarray] | None = None) -> DialectComparison:
    r"""Run one feature map through every dialect, with the same weights.

    A dialect may need weights that the paper does not have. With biases, b1 is 1/4 and b0 is 0; with batch
    normalisation, γ = 1, β = 0 and the statistics are those of this one map, as in training. With only one spatial
    pool, the first half of the kernel is used.

    Parameters
    ----------
    F : array_like, shape (C, H, W), optional
        Feature map; the lecture's where none is given.
    params : dict, optional
        `W0`, `W1`, `W7` as in the paper. Where none are given: the lecture's for the lecture's F, random ones for
        another.

    Returns
    -------
    DialectComparison
        One `DialectRow` per dialect, by its name: `Mc` (C,), `Ms` (H, W), `out` (C, H, W), and `difference`, the
        largest difference between its F'' and the paper's.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> found = compare_dialects()
    >>> found["paper"].difference
    0.0
    >>> found["timm"].choices[0]
    'tied maxima: split'
    >>> found["keras"].Mc.round(2)  # b1 = 1/4 counts twice
    array([0.87, 0.87, 0.89])
    """
    given = F is not None
    F = as_float(lecture.F.astype(float) if F is None else F, "F", "C H W")
    if params is None:
        params = lecture.parameters() if not given else init_cbam(len(F), 1, rng=np.random.default_rng(0))
    weights = {name: np.asarray(W, float) for name, W in params.items()}
    rows, paper = [], cbam_forward(F[None], weights)[0]
    for name, dialect in DIALECTS.items():
        out, cache = cbam_forward(F[None], _weights_for(dialect, weights), dialect)
        maps = cache.Mc[0, :, 0, 0], cache.Ms[0, 0]
        rows.append(DialectRow(name, choices_of(dialect), *maps, out[0], float(np.abs(out - paper).max())))
    return DialectComparison(rows)


def _weights_for(dialect: Dialect, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the paper's weights with what a dialect has besides, and without what it lacks."""
    found = weights | {"W7": weights["W7"][:, : len(dialect.spatial_pools)]}
    if dialect.mlp_bias:
        found |= {"b0": np.zeros(len(weights["W0"])), "b1": np.full(len(weights["W1"]), B1)}
    if dialect.spatial_norm:
        found |= {"gamma": np.ones(1), "beta": np.zeros(1)}
    return found
