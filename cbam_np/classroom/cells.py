"""Heat maps with their numbers as HTML: drawn at once, sharp on any projector."""

import html

import numpy as np

from ..teach.calculation import notation
from ..viz import cell_colours, limits_of

STYLE = """<style>
.cbam-map {display: inline-block; margin: 2px 8px 4px 0; vertical-align: top}
.cbam-map table {border-collapse: separate; border-spacing: 2px; margin: 0}
.cbam-map td {min-width: 2.6em; height: 2em; padding: 0 2px; text-align: center; border-radius: 3px; font-size: 14px}
.cbam-map caption {caption-side: top; text-align: center; font-size: 14px; padding: 0}
</style>"""


def kind_of(name):
    """Return which colours a step of a trace has, by its name."""
    if name.startswith("M_"):
        return "attention"
    return "features" if name.startswith("F") else "signed"


def heat_maps(value, kind, captions=None, decimals=3):
    """Write matrices side by side, coloured alike, each number in its cell.

    Parameters
    ----------
    value : array_like, shape (H, W), (C, H, W) or (C,)
        A vector becomes one row.
    kind : {"features", "attention", "signed"}
        Which colours.
    captions : sequence of str, optional
        A line above each matrix, plain text.
    decimals : int
        Places of numbers that are no fractions.

    Returns
    -------
    str
        HTML; `STYLE` has to be on the page once.
    """
    value = np.atleast_2d(np.asarray(value, dtype=object))
    stack = value if value.ndim == 3 else value[None]
    limits = limits_of(stack.astype(float), kind)
    captions = captions or [""] * len(stack)
    return "".join(
        _heat_map(matrix, cell_colours(matrix, kind, limits), caption, decimals)
        for matrix, caption in zip(stack, captions, strict=True)
    )


def _heat_map(matrix, colours, caption, decimals):
    H, W = matrix.shape
    cells = [
        f'<td style="background:{colour};color:{ink}">{notation.number(number, decimals)}</td>'
        for number, (colour, ink) in zip(matrix.flat, colours, strict=True)
    ]
    rows = "".join(f"<tr>{''.join(cells[i * W : (i + 1) * W])}</tr>" for i in range(H))
    head = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f'<div class="cbam-map"><table>{head}{rows}</table></div>'
