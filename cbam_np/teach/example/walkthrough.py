"""The whole lecture as text for a terminal of eighty columns."""

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from ..calculation import notation
from ..calculation.trace import Trace
from .lecture import CHANNELS, SLIDE_NUMBERS, match, trace

Part: TypeAlias = tuple[list[str], ...]  # paragraphs, each a list of lines

DECIMALS = 3
CHANNEL_STEPS = {  # what the table of Step 1 calls the steps of a trace
    "F_avg": "F_avg",
    "F_max": "F_max",
    "h_avg": "W0·F_avg",
    "a_avg": "ReLU(W0·F_avg)",
    "z_avg": "W1·ReLU(W0·F_avg)",
    "h_max": "W0·F_max",
    "a_max": "ReLU(W0·F_max)",
    "z_max": "W1·ReLU(W0·F_max)",
    "z_c": "sum of both",
    "M_c": "M_c = σ(sum)",
}


def walkthrough() -> str:
    """Return the lecture from Step 0 to Step 3 and back again, with the numbers on the slides marked.

    Returns
    -------
    str
        Lines of at most 80 characters.
    """
    slides = trace("slides")
    differ = [number.name for number in SLIDE_NUMBERS if match(number, slides) == "differs"]
    parts = [
        [
            "CBAM by hand: the lecture's example",
            "===================================",
            "✓ marks a number that is printed on the slides. Indices start at 1.",
        ],
        *_step_0(slides),
        *_step_1(slides),
        *_step_2(slides),
        *_step_3(slides),
        *_backward(slides),
        [f"{len(SLIDE_NUMBERS) - len(differ)} of {len(SLIDE_NUMBERS)} numbers on the slides matched."],
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def _step_0(slides: Trace) -> Part:
    names = [f"F_{c} ({channel})" for c, channel in enumerate(CHANNELS, start=1)]
    maps = _indented(notation.text(slides["F"].value, names))
    return ["Step 0, feature extraction: F has C = 3 channels of 3×3"], maps


def _step_1(slides: Trace) -> Part:
    shared = trace("shared")
    W0, W1 = (notation.text(shared[name].value.ravel())[0] for name in ("W0", "W1"))
    avg, z_avg, z_c = (notation.number(slides[name].value) for name in ("F_avg[1]", "z_avg[1]", "z_c[1]"))
    return (
        ["Step 1, channel submodule: M_c(F) = σ(MLP(AvgPool(F)) + MLP(MaxPool(F)))"],
        [
            "As on the slides, W_0 = 0.5 and W_1 = 1.0 for each channel by itself.",
            "Channels 1, 2, 3, and what is printed for channel 1:",
            "",
            *_channel_table(slides, marks=[_on_the_slide(slides, f"{name}[1]") for name in CHANNEL_STEPS]),
        ],
        _indented(
            [
                f"M_c(F)_1 = σ(1·ReLU(0.5·{avg}) + 1·ReLU(0.5·2))",
                f"         = σ({z_avg} + 1) = σ({z_c}) ≈ {slides['M_c[1]'].value:.2f}",
            ]
        ),
        [
            "Side by side: left as above; right a true shared MLP, r = 3: one hidden unit",
            f"for all channels, with W_0 = ({W0}) and W_1 = ({W1})ᵀ, our choice.",
            "",
            *_channel_table(slides, shared),
        ],
        ["Multiplied back, from here on with the slides' M_c:", *_step(slides, "F'")],
    )


def _step_2(slides: Trace) -> Part:
    W7 = slides["W7"].value
    weights = [
        f"{notation.number(W7[at]):>4} at [{', '.join(str(i + 1) for i in at)}]"
        for at in zip(*np.nonzero(W7.astype(float)), strict=True)
    ]
    return (
        ["Step 2, spatial submodule: M_s(F') = σ(f^{7×7}([AvgPool(F'); MaxPool(F')]))"],
        _step(slides, "Fs_avg"),
        _step(slides, "Fs_max"),
        [
            "The slides give no kernel; ours has six entries that are not 0.",
            "By [map, row, column]; the middle is [., 4, 4], map 1 is the average:",
            *_indented(weights),
        ],
        _step(slides, "z_s"),
        _step(slides, "M_s"),
    )


def _step_3(slides: Trace) -> Part:
    return ["Step 3, combination: F'' = M_s(F') ⊗ F'"], _step(slides, "F''")


def _backward(slides: Trace) -> Part:
    names = slides.names[slides.names.index("dF''") + 1 :]
    return (
        ["The way back, beyond the slides: dX is ∂L/∂X; we choose"],
        ["dF''", *_indented(notation.text(slides["dF''"].value))],
        *(_step(slides, name) for name in names),
    )


def _indented(lines: Iterable[str], by: int = 4) -> list[str]:
    return [" " * by + line for line in lines]


def _step(slides: Trace, name: str) -> list[str]:
    step = slides[name]
    if name == "dW7":  # a 3×3 map never meets the outermost ring of the kernel
        inner = step.value[:, 1:6, 1:6]
        return [step.heading, "rows and columns 2 to 6; around them it is 0", *_matrix(inner)]
    return [step.heading, *_matrix(step.value)]


def _matrix(value: np.ndarray) -> list[str]:
    return _indented(notation.text(value, decimals=DECIMALS))


def _on_the_slide(slides: Trace, name: str) -> str:
    """Tell which numbers on the slides an entry of the trace is, and how they agree."""
    marks = {"exact": "✓ {}", "rounded": "✓ {}", "follows": "✓ {} (from 0.89)", "differs": "✗ {}"}
    return ", ".join(marks[match(n, slides)].format(n.printed) for n in SLIDE_NUMBERS if n.name == name)


def _channel_table(trace: Trace, *others: Trace, marks: list[str] | None = None) -> list[str]:
    """List the channel submodule: a row for each quantity, and per trace a column for each channel or hidden unit."""
    rows = []
    for (name, label), mark in zip(CHANNEL_STEPS.items(), marks or [""] * len(CHANNEL_STEPS), strict=True):
        row = [label]
        for t in (trace, *others):
            values = [notation.number(v, DECIMALS) for v in t[name].value]
            row += ["|", *values, *[""] * (3 - len(values))]
        rows.append([*row, "|", mark] if marks else row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return _indented("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
