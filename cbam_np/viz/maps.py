"""Matrices and attention maps."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ..explain import attention_maps
from ..ops.checks import check_option
from ..teach.calculation import notation
from .colours import KINDS, cell_colours, limits_of

CELL = 0.72  # inches a matrix cell


def draw_matrix(ax, matrix, kind="features", title="", limits=None, numbers=True, size=12):
    """Draw a matrix into axes as a heat map with its numbers in the cells.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    matrix : array_like, shape (H, W)
        Numbers; fractions are written as fractions.
    kind : {"features", "attention", "signed"}
        Which colours.
    title : str
        Written above.
    limits : (float, float), optional
        Smallest and largest value of the colours, to share them between matrices.
    numbers : bool
        Whether to write the numbers.
    size : float
        Of the numbers, in points.

    Raises
    ------
    ValueError
        If `kind` is unknown or `matrix` has not two axes.
    """
    check_option(kind, "kind", KINDS)
    cells = np.asarray(matrix, dtype=object)
    if cells.ndim != 2:
        raise ValueError(f"the matrix has {cells.ndim} axes, shape {cells.shape}; expected 2")
    values = cells.astype(float)
    limits = limits or limits_of(values, kind)
    ax.imshow(values, cmap=KINDS[kind], norm=Normalize(*limits))
    if numbers:
        for ((i, j), cell), (_, ink) in zip(np.ndenumerate(cells), cell_colours(values, kind, limits), strict=True):
            ax.text(j, i, notation.number(cell, decimals=2), ha="center", va="center", color=ink, fontsize=size)
    ax.set_title(title, fontsize=13)
    ax.set_xticks(np.arange(-0.5, cells.shape[1]), minor=True)
    ax.set_yticks(np.arange(-0.5, cells.shape[0]), minor=True)
    ax.grid(which="minor", color="0.8", linewidth=1)
    ax.tick_params(which="both", length=0, labelleft=False, labelbottom=False)
    ax.spines[:].set_visible(False)


def matrices(values, titles=None, kind="features"):
    """Draw matrices, or the channels of a feature map, side by side with common colours.

    Parameters
    ----------
    values : array_like, shape (H, W), (C, H, W) or (C,); or a sequence of matrices
        A vector is drawn as one row.
    titles : sequence of str, optional
        One a matrix; matplotlib's $...$ is understood.
    kind : {"features", "attention", "signed"}
        Which colours.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        If the number of titles is not the number of matrices.
    """
    if isinstance(values, np.ndarray):
        values = np.atleast_2d(values)
        values = values[None] if values.ndim == 2 else values
    values = [np.asarray(value, dtype=object) for value in values]
    titles = [""] * len(values) if titles is None else list(titles)
    if len(titles) != len(values):
        raise ValueError(f"{len(titles)} titles for {len(values)} matrices: give one each")
    widths = [value.shape[1] for value in values]
    height = max(value.shape[0] for value in values)
    figure = Figure(figsize=(CELL * sum(widths) + 0.4 * len(widths), CELL * height + 0.5), layout="constrained")
    axes = figure.subplots(1, len(values), squeeze=False, width_ratios=widths)[0]
    limits = limits_of(np.concatenate([value.astype(float).ravel() for value in values]), kind)
    for ax, value, title in zip(axes, values, titles, strict=True):
        draw_matrix(ax, value, kind, title, limits)
    return figure


def attention_figure(model, images, labels, classes):
    """Draw what a network with CBAM attends to: each image, its class, M_c of the last block, M_s of every block.

    Parameters
    ----------
    model : cbam_np.nn.Classifier
        A network with CBAM blocks.
    images : ndarray of uint8, shape (N, 3, H, W)
        A few images.
    labels : ndarray of int, shape (N,)
        Their classes.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    matplotlib.figure.Figure
        A row an image.

    Raises
    ------
    ValueError
        If the network has no block with both maps.
    """
    p, maps = attention_maps(model, images)
    blocks = [m for m in maps if m.Mc is not None and m.Ms is not None]
    if not blocks:
        raise ValueError("the network has no CBAM block: make it with attention='cbam'")
    columns = 2 + len(blocks)
    figure = Figure(figsize=(2.1 * columns + 1.4, 2.0 * len(images) + 0.9), layout="constrained")
    grid = figure.subplots(len(images), columns, squeeze=False, width_ratios=[1, 1.7] + [1] * len(blocks))
    for n, row in enumerate(grid):
        guess = int(p[n].argmax())
        row[0].imshow(images[n].transpose(1, 2, 0))
        verdict = "✓" if guess == labels[n] else f"✗ is {classes[labels[n]]}"
        row[0].set_title(f"{classes[guess]}, P = {p[n, guess]:.2f} {verdict}", fontsize=11)
        Mc = blocks[-1].Mc[n]
        row[1].bar(np.arange(1, len(Mc) + 1), Mc, width=1.0, color=colormaps["viridis"](Mc))
        row[1].set(ylim=(0, 1), xlim=(0.5, len(Mc) + 0.5), yticks=(0, 0.5, 1))
        row[1].tick_params(labelsize=10)
        for ax, block in zip(row[2:], blocks, strict=True):
            shown = ax.imshow(block.Ms[n], cmap=KINDS["attention"], vmin=0, vmax=1)
        for ax in (row[0], *row[2:]):
            ax.set_axis_off()
    stage = blocks[-1].name.split(".")[0]
    grid[0][1].set_title(f"$M_c$, {stage}: weight of each channel", fontsize=11)
    for ax, block in zip(grid[0][2:], blocks, strict=True):
        ax.set_title(f"$M_s$, {block.name.split('.')[0]}", fontsize=11)
    grid[-1][1].set_xlabel("channel", fontsize=10)
    figure.colorbar(shown, ax=grid[:, -1], shrink=0.6, label="weight")
    return figure
