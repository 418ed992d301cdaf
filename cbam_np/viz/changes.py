"""Two calculations, one above the other, and every number that differs between them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..teach.calculation.trace import Step, Trace
from .colours import limits_of
from .maps import CELL, draw_matrix
from .speed import ORANGE

NAMES = ("F_avg", "F_max", "M_c", "M_s", "F''")


def changes_figure(before: Trace, after: Trace, names: Sequence[str] = NAMES) -> Figure:
    """Draw steps of two traces, one above the other, with an orange frame around each number that has changed.

    Parameters
    ----------
    before, after : Trace
        Two calculations with feature maps of one shape, such as the lecture's and your own.
    names : sequence of str
        Which steps to draw.

    Returns
    -------
    matplotlib.figure.Figure
        `before` on top. A vector is drawn as a column, a feature map as one matrix per channel.

    Raises
    ------
    ValueError
        If a step has another shape in the second trace.

    Examples
    --------
    >>> from cbam_np import lecture, viz
    >>> figure = viz.changes_figure(lecture.trace("slides"), lecture.trace("shared"), ["M_c"])
    >>> figure.axes[0].get_title()
    '$M_c$'
    """
    columns = [column for name in names for column in _columns(before[name], after[name])]
    widths = [first.shape[1] for _, _, first, _ in columns]
    tallest = max(first.shape[0] for _, _, first, _ in columns)
    size = (CELL * sum(widths) + 0.35 * len(widths) + 0.6, 2 * (CELL * tallest + 0.3) + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(2, len(columns), squeeze=False, width_ratios=widths)
    for (upper, lower), (title, kind, first, second) in zip(grid.T, columns, strict=True):
        limits = limits_of(np.stack([first, second]), kind)
        draw_matrix(upper, first, kind, title, limits)
        draw_matrix(lower, second, kind, "", limits)
        for i, j in np.argwhere(~np.isclose(first, second, rtol=0, atol=1e-9)):
            lower.add_patch(Rectangle((j - 0.47, i - 0.47), 0.94, 0.94, fill=False, edgecolor=ORANGE, linewidth=3))
    grid[0, 0].set_ylabel("before", fontsize=12)
    grid[1, 0].set_ylabel("now", fontsize=12)
    return figure


def _columns(before: Step, after: Step) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """Return what to draw of a step: titles, colours, and the matrices of both traces."""
    if before.shape != after.shape:
        raise ValueError(f"{before.name} has shape {after.shape} now, and had {before.shape}: keep the shape")
    kind = "attention" if before.name in ("M_c", "M_s") else "signed" if before.name.startswith("d") else "features"
    first, second = (np.asarray(step.value, float) for step in (before, after))
    if first.ndim == 1:
        return [(f"${before.symbol}$", kind, first[:, None], second[:, None])]
    if first.ndim == 2:
        return [(f"${before.symbol}$", kind, first, second)]
    titles = [f"${before.symbol}$, channel {c}" for c in range(1, 1 + len(first))]
    return [(title, kind, one, other) for title, one, other in zip(titles, first, second, strict=True)]
