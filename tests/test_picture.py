"""Pictures as people have them: of every kind and shape, and broken in every way."""

import random
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from cbam_np.viz import read_picture

GREY = np.linspace(0, 1, 64 * 48).reshape(48, 64)
FORMATS = ["png", "jpg", "gif", "bmp", "tiff", "webp", "avif", "ico", "icns", "dds", "tga", "ppm", "jp2", "pcx"]


def shades(path):
    """Return the shades of grey that are read from a picture, 48×48 of them."""
    found = read_picture(path, 48)
    assert found.shape == (3, 48, 48) and found.dtype == np.uint8
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()
    return found[0].astype(float)


EXPECTED = 255 * GREY[:, 8:56]  # the middle


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("8 bits.png", (255 * GREY).astype(np.uint8)),
        ("16 bits.png", (65535 * GREY).astype(np.uint16)),
        ("16 bits.tiff", (65535 * GREY).astype(np.uint16)),
        ("32 bits of 16.tiff", (65535 * GREY).astype(np.int32)),
        ("32 bits of 8.tiff", (255 * GREY).astype(np.int32)),
        ("floats to 1.tiff", GREY.astype(np.float32)),
        ("floats to 255.tiff", (255 * GREY).astype(np.float32)),
    ],
)
def test_more_than_256_shades_are_scaled(name, values, tmp_path):
    Image.fromarray(values).save(tmp_path / name)
    assert np.abs(shades(tmp_path / name) - EXPECTED).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_kind_of_colour(mode, tmp_path):
    suffix = "tiff" if mode in ("CMYK", "YCbCr") else "png"
    picture = Image.fromarray((255 * GREY).astype(np.uint8)).convert("RGB")
    picture = picture.convert("L").convert(mode) if mode in ("LA", "1") else picture.convert(mode)
    picture.save(tmp_path / f"x.{suffix}")
    try:
        with Image.open(tmp_path / f"x.{suffix}") as written:
            written.load()
    except OSError:  # old releases and YCbCr
        pytest.skip("this Pillow cannot read what it wrote")
    error = np.abs(shades(tmp_path / f"x.{suffix}") - EXPECTED) if mode not in ("1", "P") else 0
    assert np.max(error) <= 2
    assert read_picture(tmp_path / f"x.{suffix}", 32).shape == (3, 32, 32)


@pytest.mark.parametrize(
    "values", [-GREY.astype(np.float32), np.full((9, 9), 1e6, np.float32), 70000 * GREY.astype(int)]
)
def test_numbers_of_an_unknown_range_are_not_guessed(values, tmp_path):
    Image.fromarray(values.astype(np.int32) if values.dtype == int else values).save(tmp_path / "x.tiff")
    with pytest.raises(ValueError, match=r"x\.tiff holds numbers from .* to .*, expected 0 to 1, 255 or 65535"):
        read_picture(tmp_path / "x.tiff", 32)


@pytest.mark.parametrize("size", [(30_000, 1), (1, 30_000), (1, 1), (2, 1000), (5000, 40)])
def test_extreme_shapes_need_no_memory(size, tmp_path):
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "long.png")
    tracemalloc.start()
    found = read_picture(tmp_path / "long.png", 224, 256)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.shape == (3, 224, 224) and (found == np.array([10, 200, 30])[:, None, None]).all()
    assert peak < 2**24


def test_the_middle_of_a_long_picture_is_what_is_seen(tmp_path):
    values = np.zeros((20, 400, 3), np.uint8)
    values[:, 190:210] = 255
    Image.fromarray(values).save(tmp_path / "long.png")
    assert (read_picture(tmp_path / "long.png", 20) == 255).all()


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_picture_cut_or_spoiled_anywhere_is_answered_in_words(suffix, tmp_path):
    path = tmp_path / f"x.{suffix}"
    if path.suffix not in Image.registered_extensions():
        pytest.skip(f"this Pillow does not know {suffix}")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    content, dice = path.read_bytes(), random.Random(0)
    assert read_picture(path, 32).shape == (3, 32, 32)
    for _ in range(40):
        spoiled = bytearray(content[: dice.randrange(len(content))] if dice.random() < 0.5 else content)
        for _ in range(dice.randrange(4)):
            if spoiled:
                spoiled[dice.randrange(min(len(spoiled), 200))] = dice.randrange(256)
        path.write_bytes(spoiled)
        try:
            found = read_picture(path, 32)
        except ValueError as error:
            assert str(error).startswith(str(path)) and ": " in str(error)
        else:
            assert found.shape == (3, 32, 32)


def test_no_file_and_a_folder(tmp_path, call):
    def look_at(path):
        status, _, shown = call("gradcam", "--image", path, "--class", "bird", "--out", tmp_path / "o.png")
        assert status == 2 and "Errno" not in shown
        return shown

    assert look_at(tmp_path / "missing.png").startswith(f"cbam-np gradcam: {tmp_path / 'missing.png'}")
    assert f"argument --image: {tmp_path} is a folder, expected a file" in look_at(tmp_path)
