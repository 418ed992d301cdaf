"""Pictures from files."""

from pathlib import Path

import numpy as np
from matplotlib.image import imread

from ..explain import resize


def read_png(path, size):
    """Read a picture and bring it to a network's size.

    Parameters
    ----------
    path : Path or str
        A PNG in colour; transparency is left out.
    size : (int, int)
        Height and width.

    Returns
    -------
    ndarray of uint8, shape (3, H, W)
        The picture.

    Raises
    ------
    ValueError
        If it is no PNG, or not in colour.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    try:
        picture = np.asarray(imread(path, format="png"), np.float64)  # (H, W, 3 or 4), 0 to 1
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a PNG ({error}): convert it first") from error
    if picture.ndim != 3 or picture.shape[2] < 3:
        raise ValueError(f"{path} is not in colour, its array has shape {picture.shape}: save it as RGB")
    small = resize(picture[:, :, :3].transpose(2, 0, 1), size)
    return np.round(255 * small).astype(np.uint8)
