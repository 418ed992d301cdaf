"""CBAM as on the lecture's slides, with an example's numbers in every place."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ..teach.calculation.trace import Trace
from .colours import Limits
from .maps import draw_matrix

SIZE = (12.8, 7.2)  # inches; at 100 dots an inch a projector's 1280×720
CELL = 0.335
WIDE = 0.46  # where numbers have a sign
ROWS = {"channel": 5.25, "spatial": 1.7}  # where the middle of each submodule lies
LARGEST = (3, 3, 3)
ARROW = {"arrowstyle": "-|>", "color": "0.35", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}


def diagram(trace: Trace) -> Figure:
    """Draw CBAM with the numbers of one calculation: both submodules, left to right.

    Parameters
    ----------
    trace : Trace
        Channel first, then spatial, with both pools, such as `cbam_np.lecture.trace()`; F at most 3×3×3.

    Returns
    -------
    matplotlib.figure.Figure
        1280×720 at 100 dots an inch.

    Raises
    ------
    ValueError
        If the trace has other steps, or F is larger.
    """
    d = trace.dialect
    both = ("avg", "max")
    if (d.order, *map(set, (d.channel_pools, d.spatial_pools))) != ("channel-spatial", set(both), set(both)):
        raise ValueError(f"the diagram shows channel-spatial attention with both pools, the trace has {d}")
    shape = trace["F"].shape
    if any(size > largest for size, largest in zip(shape, LARGEST, strict=True)):
        raise ValueError(f"F has shape {shape}, expected at most {LARGEST}: more cannot be read")
    sheet = _Sheet()
    _draw_channel(sheet, trace)
    _draw_spatial(sheet, trace)
    return sheet.figure


def _draw_channel(sheet: "_Sheet", trace: Trace) -> None:
    y = ROWS["channel"]
    sheet.heading(
        y,
        r"channel submodule: $M_c(F) = \sigma(\mathrm{MLP}(\mathrm{AvgPool}(F)) + \mathrm{MLP}(\mathrm{MaxPool}(F)))$",
    )
    F = sheet.stack(trace, "F", 0.75, y)
    mlp = sheet.box(5.3, y, 1.75, 1.5, "shared MLP\n$W_1\\,\\mathrm{ReLU}(W_0\\,\\cdot)$")
    total = sheet.sign(8.0, y, "+")
    for pool, side in (("avg", 1), ("max", -1)):
        pooled = sheet.vector(trace, f"F_{pool}", 3.1, y + 0.85 * side, rf"$F^c_{{{pool}}}$")
        z = sheet.vector(trace, f"z_{pool}", 7.1, y + 0.85 * side, rf"$z_{{{pool}}}$")
        sheet.arrow(F.right, pooled.left)
        sheet.arrow(pooled.right, (mlp.left[0], y + 0.35 * side))
        sheet.arrow((mlp.right[0], y + 0.35 * side), z.left)
        sheet.arrow(z.right, (total.left[0] + 0.05, y + 0.1 * side))
    M = sheet.vector(trace, "M_c", 9.25, y, "$M_c = \\sigma(\\cdot)$", "attention")
    times = sheet.sign(10.3, y, "×")
    out = sheet.stack(trace, "F'", 11.9, y)
    sheet.arrow(total.right, M.left)
    sheet.arrow(M.right, times.left)
    sheet.arrow(times.right, out.left)
    sheet.around(F, times)


def _draw_spatial(sheet: "_Sheet", trace: Trace) -> None:
    y = ROWS["spatial"]
    sheet.heading(
        y, r"spatial submodule: $M_s(F') = \sigma(f^{7\times7}([\mathrm{AvgPool}(F'); \mathrm{MaxPool}(F')]))$"
    )
    F = sheet.stack(trace, "F'", 0.75, y)
    conv = sheet.box(5.3, y, 1.75, 1.5, "$7 \\times 7$ convolution\nof both maps")
    for pool, side in (("avg", 1), ("max", -1)):
        pooled = sheet.matrix(trace, f"Fs_{pool}", 3.1, y + 0.85 * side, rf"$F^s_{{{pool}}}$")
        sheet.arrow(F.right, pooled.left)
        sheet.arrow(pooled.right, (conv.left[0], y + 0.35 * side))
    z = sheet.matrix(trace, "z_s", 7.2, y, "$z_s$", "signed", WIDE)
    M = sheet.matrix(trace, "M_s", 9.25, y, "$M_s = \\sigma(z_s)$", "attention")
    times = sheet.sign(10.4, y, "×")
    out = sheet.stack(trace, "F''", 11.9, y)
    for one, next_one in ((conv, z), (z, M), (M, times), (times, out)):
        sheet.arrow(one.right, next_one.left)
    sheet.around(F, times)


class _Place:
    """Something on the sheet: where arrows leave it and where they reach it."""

    def __init__(self, x: float, y: float, width: float) -> None:
        self.left, self.right = (x - width / 2 - 0.06, y), (x + width / 2 + 0.06, y)


class _Sheet:
    """A page measured in inches, on which arrays are placed by their middle."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=SIZE, dpi=100)
        self.page = self.figure.add_axes((0, 0, 1, 1))
        self.page.set(xlim=(0, SIZE[0]), ylim=(0, SIZE[1]))
        self.page.set_axis_off()

    def heading(self, y: float, text: str) -> None:
        self.page.text(SIZE[0] / 2, y + 1.7, text, ha="center", va="center", fontsize=14)

    def matrix(
        self, trace: Trace, name: str, x: float, y: float, title: str, kind: str = "features", cell: float = CELL
    ) -> _Place:
        return self._draw(trace[name].value, x, y, title, kind, cell=cell)

    def vector(self, trace: Trace, name: str, x: float, y: float, title: str, kind: str = "features") -> _Place:
        return self._draw(np.asarray(trace[name].value)[:, None], x, y, title, kind)

    def stack(self, trace: Trace, name: str, x: float, y: float) -> _Place:
        """Place the channels of a feature map above each other, coloured alike."""
        value = trace[name].value
        gap = CELL * value.shape[1] + 0.05
        limits = (0, 1.5 * max(float(np.max(value.astype(float))), 1e-9))
        for c, matrix in enumerate(value):
            self._draw(matrix, x, y + gap * ((len(value) - 1) / 2 - c), "", "features", limits)
        self.page.text(x, y + gap * len(value) / 2 + 0.1, f"${name}$", ha="center", va="center", fontsize=13)
        return _Place(x, y, CELL * value.shape[2])

    def _draw(
        self,
        value: np.ndarray,
        x: float,
        y: float,
        title: str,
        kind: str,
        limits: Limits | None = None,
        cell: float = CELL,
    ) -> _Place:
        height, width = (cell * size for size in value.shape)
        w, h = SIZE
        ax = self.figure.add_axes(((x - width / 2) / w, (y - height / 2) / h, width / w, height / h))
        draw_matrix(ax, value, kind, title, limits, size=10)
        return _Place(x, y, width)

    def box(self, x: float, y: float, width: float, height: float, text: str) -> _Place:
        corner = (x - width / 2, y - height / 2)
        self.page.add_patch(
            FancyBboxPatch(
                corner, width, height, "round,pad=0,rounding_size=0.12", facecolor="#f4f1ea", edgecolor="0.35"
            )
        )
        self.page.text(x, y, text, ha="center", va="center", fontsize=13, linespacing=1.6)
        return _Place(x, y, width - 0.12)

    def sign(self, x: float, y: float, text: str) -> _Place:
        self.page.text(x, y, text, ha="center", va="center", fontsize=18, bbox={"boxstyle": "circle", "fc": "white"})
        return _Place(x, y, 0.4)

    def around(self, start: _Place, sign: _Place) -> None:
        """Lead the feature map below everything to where it is multiplied."""
        (x, y), middle = start.right, (sign.left[0] + sign.right[0]) / 2
        below = y - 1.42
        self.page.plot([x, middle], [below, below], color=ARROW["color"], linewidth=ARROW["linewidth"])
        self.arrow((middle, below), (middle, y - 0.24))

    def arrow(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.annotate("", end, start, arrowprops=ARROW)
