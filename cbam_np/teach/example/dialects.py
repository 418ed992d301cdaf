"""The same feature map and the same weights through every dialect: what differs, and by how much."""

import html
from dataclasses import dataclass, fields

import numpy as np

from ...cbam import DIALECTS, Dialect, cbam_forward, init_cbam
from ...ops.checks import as_float
from ..calculation import notation
from . import lecture

B1 = 0.25  # of every channel, where a dialect has biases; b0 stays 0
SAID = {  # how a choice that differs from the paper's is said, by field
    "order": "order {}",
    "channel_pools": "MLP on {}",
    "spatial_pools": "maps {}",
    "ties": "tied maxima: {}",
    "mlp_bias": "MLP with biases, so b1 counts twice",
    "spatial_norm": "batch normalisation after the 7×7",
    "norm_momentum": "momentum {}",
    "reduction": "r = {}",
    "hidden": "hidden units: {}",
    "start": "starts as {}",
}


@dataclass(frozen=True)
class DialectRow:
    """What one dialect makes of the example."""

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
        One a dialect.
    """

    HEADS = ("dialect", "M_c[1]", "M_c[2]", "M_s[1,1]", "M_s[2,2]", "most that F'' differs")

    def __init__(self, rows):
        self.rows = tuple(rows)

    def __getitem__(self, name):
        return {row.name: row for row in self.rows}[name]

    def __repr__(self):
        return f"<DialectComparison: {', '.join(row.name for row in self.rows)}>"

    def _cells(self, row):
        middle = tuple(min(1, side - 1) for side in row.Ms.shape)
        numbers = (row.Mc[0], row.Mc[min(1, len(row.Mc) - 1)], row.Ms[0, 0], row.Ms[middle], row.difference)
        return [row.name, *map(notation.number, numbers)]

    def __str__(self):
        table = notation.table([list(self.HEADS), *map(self._cells, self.rows)])
        told = [f"{row.name}: {', '.join(row.choices) or 'the lecture'}" for row in self.rows]
        return "\n".join([*table, "", *told])

    def _repr_html_(self):
        head = "".join(f"<th>{html.escape(h)}</th>" for h in self.HEADS)
        head += '<th style="text-align:left">what differs</th>'
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in self._cells(row))
            + f'<td style="text-align:left">{html.escape("; ".join(row.choices))}</td></tr>'
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def choices_of(dialect):
    """Return how a dialect differs from the paper, a phrase a choice."""
    told = []
    for field in fields(Dialect):
        value = getattr(dialect, field.name)
        if value != field.default:
            shown = ", ".join(value) if isinstance(value, tuple) else value
            told.append(SAID[field.name].format(shown))
    return tuple(told)


def compare_dialects(F=None, params=None):
    r"""Run one feature map through every dialect, with the same weights.

    The weights are the same as far as there are such: where a dialect has biases, b1 is 1/4 and b0 is 0; where it has a
    batch normalisation, γ = 1, β = 0 and the statistics are this map's own, as in training; where it has one pool, the
    kernel's first half serves.

    Parameters
    ----------
    F : array_like, shape (C, H, W), optional
        Feature map; the lecture's where none is given.
    params : dict, optional
        `W0`, `W1`, `W7` as for the paper; the lecture's for its F, and drawn ones for another.

    Returns
    -------
    DialectComparison
        By the dialects' names: `Mc` (C,), `Ms` (H, W), `out` (C, H, W), and `difference`, the most that an entry of F''
        differs from the paper's.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    given = F is not None
    F = as_float(lecture.F.astype(float) if F is None else F, "F", "C H W")
    if params is None:
        params = lecture.parameters() if not given else init_cbam(len(F), 1, rng=np.random.default_rng(0))
    params = {name: np.asarray(W, float) for name, W in params.items()}
    rows, paper = [], None
    for name, dialect in DIALECTS.items():
        own = dict(params)
        if dialect.mlp_bias:
            own |= {"b0": np.zeros(len(own["W0"])), "b1": np.full(len(F), B1)}
        if dialect.spatial_norm:
            own |= {"gamma": np.ones(1), "beta": np.zeros(1)}
        own["W7"] = own["W7"][:, : len(dialect.spatial_pools)]
        out, cache = cbam_forward(F[None], own, dialect)
        paper = out if paper is None else paper
        difference = float(np.abs(out - paper).max())
        maps = cache.Mc[0, :, 0, 0], cache.Ms[0, 0]
        rows.append(DialectRow(name, choices_of(dialect), *maps, out[0], difference))
    return DialectComparison(rows)
