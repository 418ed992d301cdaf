"""Pictures: every format that Pillow writes, in odd kinds and shapes, whole and damaged."""

import io
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, features

from cbam_np.viz.picture import read_picture

from .draws import Draws, as_bytes, as_text
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", "ICO", "TGA", "PCX", "SGI", "DDS", "ICNS", "WEBP", "AVIF")
MODES = ("RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "I", "F", "HSV", "LAB")
EXACT = ("PNG", "BMP", "TIFF", "PPM", "TGA", "PCX", "SGI")  # formats that keep every pixel
SIDES = (8, 32)


@lru_cache
def formats() -> tuple[str, ...]:
    """Return the formats that this Pillow can write."""
    Image.init()
    return tuple(f for f in FORMATS if f in Image.SAVE and (f not in ("WEBP", "AVIF") or features.check(f.lower())))


def make(draws: Draws) -> Case:
    """Draw a picture, write it, and damage the file."""
    if draws.chance(0.25):
        side = draws.one(SIDES)
        pixels = draws.rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        kind = draws.one([f for f in EXACT if f in formats()])
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind)
        return {"data": as_text(file.getvalue()), "side": side, "pixels": as_text(pixels.tobytes()), "format": kind}
    kind = draws.one(formats())
    data = _written(draws, kind)
    if draws.chance(0.75):
        data = draws.damaged_bytes(data)
    return {"data": as_text(data), "side": draws.one(SIDES), "shorter": draws.one([None, 40]), "format": kind}


def _written(draws: Draws, kind: str) -> bytes:
    """Return a picture as a file of a format, in a mode that the format has."""
    width, height = draws.one([(1, 1), (3, 5), (16, 16), (40, 40), (1, 300), (2000, 2), (17, 64), (64, 48)])
    picture = Image.fromarray(draws.rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    for mode in (draws.one(MODES), "RGB"):
        file = io.BytesIO()
        options = {"save_all": True, "append_images": [picture]} if kind in ("GIF", "PNG", "TIFF", "WEBP") else {}
        try:
            shown = picture.convert("L").convert(mode) if mode in ("I;16", "I", "F", "1") else picture.convert(mode)
            shown.save(file, kind, **(options if draws.chance(0.3) else {}))
            return file.getvalue()
        except (ValueError, OSError, KeyError):  # the format has no such mode
            continue
    return b""


def run(case: Case, folder: Path) -> str:
    """Read the picture, and compare it where its pixels are known."""
    path = folder / f"picture.{case['format'].lower()}"
    path.write_bytes(as_bytes(case["data"]))
    side = case["side"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd metadata
        image = read_picture(path, side, case.get("shorter"))
    demand(image.shape == (3, side, side) and image.dtype == np.uint8, f"{image.dtype} of shape {image.shape}")
    if "pixels" not in case:
        return TAKEN
    pixels = np.frombuffer(as_bytes(case["pixels"]), np.uint8).reshape(side, side, 3).transpose(2, 0, 1)
    demand(np.array_equal(image, pixels), f"a {case['format']} has other pixels than were written")
    return RIGHT


ENTRANCE = Entrance(make, run, share=180, own=(ValueError,))
