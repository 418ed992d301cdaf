"""Matrices and attention maps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ..explain import attention_maps
from ..nn import Classifier
from ..ops.checks import check_option
from ..teach.calculation import notation
from .colours import KINDS, Limits, cell_colours, limits_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL = 0.72  # inches per cell of a matrix


def draw_matrix(
    ax: "Axes",
    matrix: ArrayLike,
    kind: str = "features",
    title: str = "",
    limits: Limits | None = None,
    numbers: bool = True,
    size: float = 12,
) -> None:
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
    ax.set(xticks=[], yticks=[])  # a line is not drawn where a tick is
    ax.set_xticks(np.arange(-0.5, cells.shape[1]), minor=True)
    ax.set_yticks(np.arange(-0.5, cells.shape[0]), minor=True)
    ax.grid(which="minor", color="0.8", linewidth=1)
    ax.tick_params(which="both", length=0, labelleft=False, labelbottom=False)
    ax.spines[:].set_visible(False)


def matrices(
    values: np.ndarray | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    kind: str = "features",
    limits: Limits | None = None,
) -> Figure:
    """Draw matrices, or the channels of a feature map, side by side with common colours.

    Parameters
    ----------
    values : array_like, shape (H, W), (C, H, W) or (C,); or a sequence of matrices
        A vector is drawn as one row.
    titles : sequence of str, optional
        One per matrix; matplotlib's $...$ is understood.
    kind : {"features", "attention", "signed"}
        Which colours.
    limits : (float, float), optional
        Smallest and largest value of the colours, to share them between figures.

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
    arrays = [np.asarray(value, dtype=object) for value in values]
    titles = [""] * len(arrays) if titles is None else list(titles)
    if len(titles) != len(arrays):
        raise ValueError(f"{len(titles)} titles for {len(arrays)} matrices: give one each")
    widths = [array.shape[1] for array in arrays]
    height = max(array.shape[0] for array in arrays)
    figure = Figure(figsize=(CELL * sum(widths) + 0.4 * len(widths), CELL * height + 0.5), layout="constrained")
    axes = figure.subplots(1, len(arrays), squeeze=False, width_ratios=widths)[0]
    limits = limits or limits_of(np.concatenate([array.astype(float).ravel() for array in arrays]), kind)
    for ax, array, title in zip(axes, arrays, titles, strict=True):
        draw_matrix(ax, array, kind, title, limits)
    return figure


def attention_figure(model: Classifier, images: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw what a network attends to: each image, its class, M_c of the last block, M_s of every block.

    Parameters
    ----------
    model : cbam_np.nn.Classifier
        A network with CBAM blocks, or with channel or spatial attention alone.
    images : ndarray of uint8, shape (N, 3, H, W)
        A few images.
    labels : ndarray of int, shape (N,)
        Their classes.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    matplotlib.figure.Figure
        One row per image.

    Raises
    ------
    ValueError
        If the network has no such block.
    """
    p, maps = attention_maps(model, images)
    channel = [(m.name, m.Mc) for m in maps if m.Mc is not None][-1:]
    spatial = [(m.name, m.Ms) for m in maps if m.Ms is not None]
    if not maps:
        raise ValueError("the network has no CBAM block: make it with attention='cbam'")
    widths = [1.25] + [1.7] * len(channel) + [1.0] * len(spatial)
    figure = Figure(figsize=(2.1 * sum(widths) + 1.0, 2.1 * len(images) + 0.9), layout="constrained")
    grid = figure.subplots(len(images), len(widths), squeeze=False, width_ratios=widths)
    for n, (picture, *axes) in enumerate(grid):
        picture.imshow(images[n].transpose(1, 2, 0))
        picture.set_title(_verdict(p[n], labels[n], classes), fontsize=11)
        for ax, (_, Mc) in zip(axes, channel, strict=False):
            _draw_weights(ax, Mc[n])
        for ax, (_, Ms) in zip(axes[len(channel) :], spatial, strict=True):
            shown = ax.imshow(Ms[n], cmap=KINDS["attention"], vmin=0, vmax=1)
        for ax in (picture, *axes[len(channel) :]):
            ax.set_axis_off()
    for ax, (name, _) in zip(grid[0, 1:], channel, strict=False):
        ax.set_title(f"$M_c$, {_stage(name)}: one weight per channel", fontsize=11)
        grid[-1, 1].set_xlabel("channel", fontsize=10)
    for ax, (name, _) in zip(grid[0, 1 + len(channel) :], spatial, strict=True):
        ax.set_title(f"$M_s$, {_stage(name)}", fontsize=11)
    if spatial:
        figure.colorbar(shown, ax=grid[:, -1], shrink=0.6, label="weight")
    return figure


def _verdict(p: np.ndarray, label: int, classes: Sequence[str]) -> str:
    """Say what a network took an image for, in two lines, which fit above a picture."""
    guess = int(p.argmax())
    return f"{classes[guess]}, P = {p[guess]:.2f}\n{'✓' if guess == label else f'✗ is {classes[label]}'}"


def _draw_weights(ax: "Axes", Mc: np.ndarray) -> None:
    """Draw the weights of channels as bars."""
    ax.bar(np.arange(1, len(Mc) + 1), Mc, width=1.0, color=colormaps["viridis"](Mc))
    ax.set(ylim=(0, 1), xlim=(0.5, len(Mc) + 0.5), yticks=(0, 0.5, 1))
    ax.tick_params(labelsize=10)


def _stage(name: str) -> str:
    """Return the stage that a block belongs to, as in "stage3" of "stage3.attention"."""
    return name.partition(".")[0]
