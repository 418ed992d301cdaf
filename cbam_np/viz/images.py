"""Pictures from a data set, side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

SIDE = 1.25  # inches per picture


def images_figure(images: np.ndarray, titles: Sequence[str] | None = None, columns: int = 10) -> Figure:
    """Draw pictures in rows.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, 3, H, W)
        Colour images.
    titles : sequence of str, optional
        One per picture.
    columns : int
        How many in a row.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        If the number of titles is not the number of images.
    """
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"{len(titles)} titles for {len(images)} images: give one each")
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(SIDE * columns, (SIDE + 0.25) * rows), layout="constrained")
    for n, ax in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        ax.set_axis_off()
        if n < len(images):
            ax.imshow(images[n].transpose(1, 2, 0))
            ax.set_title("" if titles is None else titles[n], fontsize=11)
    return figure
