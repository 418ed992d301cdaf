"""The slides' example: every number on the slides, and what comes after them where they stop.

The slides give F, W_0 = 0.5, W_1 = 1.0 and carry channel 1 through the channel submodule. They give no kernel, no
shared MLP and no backward pass; those are this project's choice, and are marked as such.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...cbam import mlp_forward
from ...ops import sigmoid_forward
from ..calculation.steps import trace_cbam
from ..calculation.trace import Trace

CHANNELS = ("edges", "colors", "textures")

F = np.array(
    [
        [[1, 0, 1], [2, 1, 0], [0, 2, 1]],
        [[0, 1, 0], [1, 1, 2], [2, 0, 1]],
        [[2, 2, 1], [0, 1, 0], [1, 1, 2]],
    ]
)
"""The feature map of Step 0, (C, H, W)."""
F.flags.writeable = False


def _exact(rows: list[list[Any]]) -> np.ndarray:
    return np.array([[Fraction(entry) for entry in row] for row in rows], dtype=object)


def kernel() -> np.ndarray:
    """Return the 7×7 kernel, (1, 2, 7, 7): this project's choice, since the slides give none.

    Six entries are not 0, so that it can be followed by hand. It is not symmetric, and its half for the average map
    differs from its half for the maximum map: flipped, transposed, swapped or without padding, it gives other numbers.
    """
    W7 = np.full((1, 2, 7, 7), Fraction(0), dtype=object)
    middle = 3
    for half, down, right, weight in (
        (0, 0, 0, "1"),
        (0, 0, 1, "1/2"),
        (0, 2, -1, "-1/2"),
        (1, 0, 0, "-1"),
        (1, 1, 0, "1/4"),
        (1, -1, -1, "1/2"),
    ):
        W7[0, half, middle + down, middle + right] = Fraction(weight)
    return W7


def upstream() -> np.ndarray:
    """Return ∂L/∂F'', (C, H, W), for the backward pass: this project's choice, small whole numbers."""
    return np.array(
        [
            [[1, 0, 0], [0, 2, 0], [0, 0, -1]],
            [[0, 1, 0], [-1, 0, 1], [0, 0, 0]],
            [[1, 0, 2], [0, 0, 0], [0, -1, 1]],
        ]
    )


def parameters(mlp: str = "slides") -> dict[str, np.ndarray]:
    """Return the weights of the example.

    Parameters
    ----------
    mlp : {"slides", "shared", "mixing"}
        "slides": W_0 = 0.5 and W_1 = 1.0 on each channel by itself, which is W_0 = 0.5·I, W_1 = 1.0·I, r = 1.
        "shared": a true shared MLP with r = 3, where all channels go through one hidden unit; its weights are
        this project's choice, such that the ReLU stops one of the two branches. "mixing": another one, in which both
        branches get through, so that whatever number of F is changed, all of M_c moves.

    Returns
    -------
    dict of str to ndarray
        `W0`, `W1`, `W7` as exact fractions.

    Raises
    ------
    ValueError
        If `mlp` is none of these.
    """
    if mlp == "slides":
        W0 = _exact([["1/2", 0, 0], [0, "1/2", 0], [0, 0, "1/2"]])
        W1 = _exact([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    elif mlp == "shared":
        W0, W1 = _exact([[2, "5/2", -4]]), _exact([[1], ["1/2"], [-1]])
    elif mlp == "mixing":
        W0, W1 = _exact([["1/2", "1/4", "-1/4"]]), _exact([[1], ["1/2"], [-1]])
    else:
        raise ValueError(f"mlp is {mlp!r}, expected 'slides', 'shared' or 'mixing'")
    return {"W0": W0, "W1": W1, "W7": kernel()}


def trace(mlp: str = "slides") -> Trace:
    """Return the example as a trace, forward and backward.

    Parameters
    ----------
    mlp : {"slides", "shared", "mixing"}
        See `parameters`.

    Returns
    -------
    Trace
        The steps, by name; indices start at 1, as on the slides.

    Examples
    --------
    >>> print(trace()["F_avg"])
    F_avg: F^c_avg[c] = 1/HW Σ_ij F[c,i,j]   (Step 1)
        8/9  8/9  10/9
    >>> round(float(trace()["M_c[1]"].value), 3)
    0.809
    >>> len(trace("shared")["h_avg"].value)  # one hidden unit for all channels
    1
    """
    return trace_cbam(F, parameters(mlp), dF_out=upstream())


@dataclass(frozen=True)
class SlideNumber:
    """A number printed on a slide.

    Parameters
    ----------
    name : str
        The entry of the trace that it is.
    printed : str
        As printed.
    slide : str
        Where.
    """

    name: str
    printed: str
    slide: str

    @property
    def decimals(self) -> int | None:
        """Decimals printed; None for a fraction or a whole number, which are exact."""
        return len(self.printed.partition(".")[2]) or None


SLIDE_NUMBERS = (
    *(
        SlideNumber(f"F[{c},{i},{j}]", str(F[c - 1, i - 1, j - 1]), "Step 0")
        for c in (1, 2, 3)
        for i in (1, 2, 3)
        for j in (1, 2, 3)
    ),
    SlideNumber("W0[1,1]", "0.5", "Step 1"),
    SlideNumber("W1[1,1]", "1.0", "Step 1"),
    SlideNumber("F_avg[1]", "8/9", "Step 1"),
    SlideNumber("F_avg[1]", "0.89", "Step 1"),
    SlideNumber("F_max[1]", "2", "Step 1"),
    SlideNumber("z_avg[1]", "0.445", "Step 1"),
    SlideNumber("z_max[1]", "1", "Step 1"),
    SlideNumber("z_c[1]", "1.445", "Step 1"),
    SlideNumber("M_c[1]", "0.81", "Step 1"),
)
"""Every number on the slides of Steps 0 and 1; the other slides have none."""


def slide_chain() -> dict[str, float | Fraction]:
    """Return the slides' own calculation for channel 1, which goes on from the rounded average 0.89.

    Returns
    -------
    dict of str to number
        Values by the names of the trace; exact up to the sigmoid.
    """
    params = parameters()
    v_avg, v_max = Fraction("0.89"), Fraction(2)
    z_avg, c_avg = mlp_forward(_exact([[v_avg] * 3]), params["W0"], params["W1"])
    z_max, _ = mlp_forward(_exact([[v_max] * 3]), params["W0"], params["W1"])
    Mc, _ = sigmoid_forward(z_avg + z_max)
    chain = {"F_avg[1]": v_avg, "F_max[1]": v_max, "h_avg[1]": c_avg.h[0, 0], "z_avg[1]": z_avg[0, 0]}
    return chain | {"z_max[1]": z_max[0, 0], "z_c[1]": (z_avg + z_max)[0, 0], "M_c[1]": Mc[0, 0]}


def match(printed: SlideNumber, trace: Trace) -> str:
    """Say how a number on a slide agrees with the trace.

    Parameters
    ----------
    printed : SlideNumber
        The number.
    trace : Trace
        From `trace`.

    Returns
    -------
    {"exact", "rounded", "follows", "differs"}
        "exact": the same number. "rounded": the value, rounded as printed. "follows": what the slides' own rounded
        average gives. "differs": none of these.
    """
    value = trace[printed.name].value
    if Fraction(printed.printed) == value:
        return "exact"
    if printed.decimals is None:
        return "differs"
    if f"{float(value):.{printed.decimals}f}" == printed.printed:
        return "rounded"
    chained = slide_chain().get(printed.name)
    if chained is not None and f"{float(chained):.{printed.decimals}f}" == printed.printed:
        return "follows"
    return "differs"
