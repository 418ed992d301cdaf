"""The lecture's last slide: an image, what two networks say, and where each found it."""

import numpy as np
from matplotlib.figure import Figure

HEAT = "inferno"  # perceptually even, and unlike any photograph


def draw_heat(ax, image, heat, title):
    """Draw a heat map over a grey image."""
    ax.imshow(image.mean(axis=0), cmap="gray", vmin=0, vmax=255)
    ax.imshow(heat, cmap=HEAT, vmin=0, vmax=1, alpha=0.6)
    ax.set_title(title, fontsize=11)
    ax.set_axis_off()


def results_slide(images, labels, classes, networks, kinds=None):
    """Draw images with what each network makes of them, as on the lecture's results slide.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, 3, H, W)
        Colour images, a row each.
    labels : ndarray of int, shape (N,)
        The right classes.
    classes : sequence of str
        Names of the classes.
    networks : dict of str to (ndarray, ndarray)
        By the network's name its probabilities, (N, classes), and its Grad-CAM, (N, H, W).
    kinds : sequence of str, optional
        Why each image is shown; written to its left where it changes.

    Returns
    -------
    matplotlib.figure.Figure
        Left the image and its class, then a column a network: P of the right class, and what it took it for where it
        is wrong, over its Grad-CAM for the right class.
    """
    N, columns = len(images), 1 + len(networks)
    figure = Figure(figsize=(2.4 * columns + 1, 2.25 * N), layout="constrained")
    grid = figure.subplots(N, columns, squeeze=False)
    for n, row in enumerate(grid):
        row[0].imshow(images[n].transpose(1, 2, 0))
        row[0].set_title(classes[labels[n]], fontsize=11)
        row[0].set(xticks=[], yticks=[])
        row[0].spines[:].set_visible(False)
        if kinds is not None and (n == 0 or kinds[n] != kinds[n - 1]):
            row[0].set_ylabel(kinds[n], fontsize=12)
        for ax, (name, (p, heat)) in zip(row[1:], networks.items(), strict=True):
            guess = int(np.argmax(p[n]))
            said = "" if guess == labels[n] else f" ({classes[guess]} {p[n, guess]:.2f})"
            title = f"P = {p[n, labels[n]]:.2f}{said}"
            draw_heat(ax, images[n], heat[n], f"{name}\n{title}" if n == 0 else title)
    return figure
