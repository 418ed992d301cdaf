"""Pictures from files."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

LONGEST = 4  # times the shorter side; a longer picture is cut to that first
SIXTEEN_BITS = 2**16 - 1


def read_picture(path: Path | str, side: int, shorter: int | None = None) -> np.ndarray:
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
        If it is no picture, or one that cannot be shown with 256 shades.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    shorter = side if shorter is None else shorter
    picture = _open(path)
    width, height = picture.size
    longest = LONGEST * min(picture.size)
    if max(picture.size) > longest:  # only the middle is needed
        left, top = max(0, width - longest) // 2, max(0, height - longest) // 2
        picture = picture.crop((left, top, left + min(width, longest), top + min(height, longest)))
    scale = shorter / min(picture.size)
    width, height = (round(scale * n) for n in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - side) // 2, (height - side) // 2
    return np.asarray(picture.crop((left, top, left + side, top + side))).transpose(2, 0, 1).copy()


def _open(path: Path) -> Image.Image:
    """Return a picture the right way up, in red, green and blue."""
    with open(path, "rb") as opened:  # so that an OSError further on is the content's
        try:
            with Image.open(opened) as file:
                return _in_colour(ImageOps.exif_transpose(file), path)
        except UnidentifiedImageError as error:
            raise ValueError(f"{path} cannot be read as a picture: save it as a PNG or a JPEG") from error
        except (Image.DecompressionBombError, MemoryError) as error:
            raise ValueError(f"{path} is too large ({error}): make it smaller") from error
        except NotImplementedError as error:
            raise ValueError(f"{path} is of a kind that cannot be read ({error}): save it as a PNG") from error
        except UnsuitableError:
            raise
        except Exception as error:  # each format of Pillow's complains in its own way
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ValueError(f"{path} is damaged, or only part of a picture ({why}): copy it again") from error


class UnsuitableError(ValueError):
    """A sound picture whose numbers cannot be shown with 256 shades."""


def _in_colour(picture: Image.Image, path: Path) -> Image.Image:
    """Return a picture in red, green and blue; one with more than 256 shades is scaled by what its kind can hold."""
    if not picture.mode.startswith(("I", "F")):
        try:
            picture.load()
            return picture.convert("RGB")
        except ValueError as error:
            if "conversion" not in str(error):
                raise
            raise UnsuitableError(f"{path} has colours of kind {picture.mode!r}: save it as RGB") from error
    values = np.asarray(picture, np.float64)
    low, high = float(values.min()), float(values.max())
    if picture.mode.startswith("I;16"):
        top = SIXTEEN_BITS
    elif picture.mode == "F" and high <= 1:
        top = 1
    else:
        top = 255 if high <= 255 else SIXTEEN_BITS
    if not (0 <= low and high <= top):
        raise UnsuitableError(
            f"{path} holds numbers from {low:g} to {high:g}, expected 0 to 1, 255 or {SIXTEEN_BITS}: "
            "save it with 8 bits"
        )
    return Image.fromarray(np.rint(values * (255 / top)).astype(np.uint8)).convert("RGB")
