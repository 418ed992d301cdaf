"""Pictures from files."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


def read_picture(path, side, shorter=None):
    """Read a picture and bring its middle to a network's size.

    Parameters
    ----------
    path : Path or str
        A PNG, a JPEG, or what else Pillow reads; transparency is left out.
    side : int
        Height and width of what is cut from the middle, in pixels.
    shorter : int, optional
        What the shorter edge is brought to beforehand, in pixels; `side` where none is given.

    Returns
    -------
    ndarray of uint8, shape (3, side, side)
        The picture.

    Raises
    ------
    ValueError
        If it is no picture.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    shorter = side if shorter is None else shorter
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except UnidentifiedImageError as error:
        raise ValueError(f"{path} cannot be read as a picture: save it as a PNG or a JPEG") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{path} is too large ({error}): make it smaller") from error
    except OSError as error:
        if error.filename is None:  # Pillow's own, which do not say which file
            raise ValueError(f"{path} is damaged, or only part of a picture ({error}): copy it again") from error
        raise
    scale = shorter / min(picture.size)
    picture = picture.resize([round(scale * n) for n in picture.size], Image.Resampling.BILINEAR)
    left, top = ((n - side) // 2 for n in picture.size)
    return np.asarray(picture.crop((left, top, left + side, top + side))).transpose(2, 0, 1).copy()
