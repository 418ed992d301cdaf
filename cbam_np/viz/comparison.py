"""Variants of a network side by side: every seed, the mean, and what of a difference is noise."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .speed import BLUE, GREY, GROUND, ORANGE

COLOURS = {"better": BLUE, "higher": BLUE, "worse": ORANGE, "lower": ORANGE}


def comparison_figure(found: dict[str, Any]) -> Figure:
    """Draw a comparison: on the left every seed's accuracy, on the right the difference from the baseline.

    Parameters
    ----------
    found : dict
        What `cbam_np.train.compare.compare` returned.

    Returns
    -------
    matplotlib.figure.Figure
        One row per variant, the baseline on top. Equal seeds are joined by a line. On the right, a difference whose
        sign is not the same in all seeds is grey.
    """
    rows = found["rows"]
    places = np.arange(len(rows))
    figure = Figure(figsize=(11, 0.55 * len(rows) + 1.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    accuracies = 100 * np.array([row["accuracies"] for row in rows])
    left.plot(accuracies, places, color=GREY, linewidth=0.8, alpha=0.5)
    left.plot(accuracies, places, "o", color=BLUE, markersize=5, alpha=0.6)
    left.plot(accuracies.mean(axis=1), places, "|", color="black", markersize=22, markeredgewidth=2)
    left.set_xlabel(
        f"{found['images']} accuracy, %: one dot per seed, {found['seeds']} in all, and their mean", fontsize=11
    )
    right.axvline(0, color="black", linewidth=1)
    for place, row in zip(places, rows, strict=True):
        if row["difference"] is None:
            continue
        colour, middle = COLOURS.get(row["verdict"].split()[0], GREY), 100 * row["difference"]
        if row["low"] is not None:
            right.plot([100 * row["low"], 100 * row["high"]], [place] * 2, color=colour, linewidth=3)
        right.plot(middle, place, "o", color=colour, markersize=8)
        right.annotate(
            f"{middle:+.2f}",
            (middle, place),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=11,
            bbox=GROUND,
        )
    right.set_xlabel(f"difference from “{rows[0]['variant']}”, points, with 95% interval", fontsize=11)
    left.set_yticks(places, [row["variant"] for row in rows], fontsize=11)
    left.set_ylim(len(rows) - 0.5, -0.7)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
    return figure
