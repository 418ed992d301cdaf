"""The lecture's last slide: an image, what two networks say, and where each found it."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEAT = "inferno"  # perceptually even, and unlike any photograph
PANEL = (1.65, 2.15)  # inches: a picture, and two lines above it
SHAPE = 16 / 9  # of a slide


def draw_heat(ax: "Axes", image: np.ndarray, heat: np.ndarray, title: str) -> None:
    """Draw a heat map over a grey image."""
    ax.imshow(image.mean(axis=0), cmap="gray", vmin=0, vmax=255)
    ax.imshow(heat, cmap=HEAT, vmin=0, vmax=1, alpha=0.6)
    ax.set_title(title, fontsize=10)
    ax.set_axis_off()


def results_slide(
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    networks: dict[str, tuple[np.ndarray, np.ndarray]],
    kinds: Sequence[str] | None = None,
) -> Figure:
    """Draw images with what each network makes of them, as on the lecture's results slide.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, 3, H, W)
        Colour images.
    labels : ndarray of int, shape (N,)
        The right classes.
    classes : sequence of str
        Names of the classes.
    networks : dict of str to (ndarray, ndarray)
        By the network's name its probabilities, (N, classes), and its Grad-CAM, (N, H, W).
    kinds : sequence of str, optional
        Why each image is shown; written on the left of a row. Each kind has a row of its own.

    Returns
    -------
    matplotlib.figure.Figure
        Each image with its class, and right of it one panel per network: P of the right class, and what the network
        took it for where it is wrong, over its Grad-CAM for the right class.
    """
    rows = _rows(len(images), 1 + len(networks), kinds)
    across, columns = max(map(len, rows)), 1 + len(networks)
    size = (PANEL[0] * columns * across + 0.5, PANEL[1] * len(rows) + 0.35)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(rows), columns * across, squeeze=False)
    for numbers, axes in zip(rows, grid, strict=True):
        for ax in axes:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        if kinds is not None:
            axes[0].set_ylabel(kinds[numbers[0]], fontsize=12)
        for place, n in enumerate(numbers):
            first, *others = axes[place * columns : (place + 1) * columns]
            first.imshow(images[n].transpose(1, 2, 0))
            first.set_title(classes[labels[n]], fontsize=10)
            for ax, (name, (p, heat)) in zip(others, networks.items(), strict=True):
                title = _said(p[n], labels[n], classes)
                draw_heat(ax, images[n], heat[n], f"{_broken(name)}\n{title}" if numbers is rows[0] else title)
    for ax in grid.flat:
        if not ax.images:
            ax.set_axis_off()
    return figure


def _rows(count: int, columns: int, kinds: Sequence[str] | None) -> list[list[int]]:
    """Return the numbers of the images in each row: one row per kind, or rows that make the shape of a slide."""
    if kinds is not None:
        return [list(numbers) for _, numbers in groupby(range(count), key=lambda n: kinds[n])]

    def unlike_a_slide(across: int) -> float:
        rows = -(-count // across)
        return abs(np.log(PANEL[0] * columns * across / (PANEL[1] * rows) / SHAPE))

    across = min(range(1, count + 1), key=unlike_a_slide)
    return [list(range(first, min(first + across, count))) for first in range(0, count, across)]


def _said(p: np.ndarray, label: int, classes: Sequence[str]) -> str:
    """Say what a network made of an image."""
    guess = int(np.argmax(p))
    wrong = "" if guess == label else f"\n({classes[guess]} {p[guess]:.2f})"
    return f"P = {p[label]:.2f}{wrong}"


def _broken(name: str, width: int = 16) -> str:
    """Break a network's name into lines, after a space, a hyphen or a slash."""
    lines = [""]
    for piece in re.findall(r"[^-/ ]*[-/ ]?", name):
        if len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines if line)
