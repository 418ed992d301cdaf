import time

import numpy as np
import pytest

from cbam_np.train import Recipe, crop_and_flip, cutout

MODES = {"zero": "constant", "reflect": "reflect"}


def pictures(rng, count=40, size=8):
    return rng.integers(1, 256, (count, 3, size, size + 1), dtype=np.uint8)  # no zeros: those are the border


@pytest.mark.parametrize("border", MODES)
@pytest.mark.parametrize("flip", [True, False])
def test_each_is_a_window_of_its_padded_self_or_the_mirror_image_of_one(border, flip, rng):
    images, seen = pictures(rng), set()
    out = crop_and_flip(images, rng=rng, padding=2, border=border, flip=flip)
    assert out.shape == images.shape and out.dtype == np.uint8
    for image, got in zip(images, out, strict=True):
        padded = np.pad(image, ((0, 0), (2, 2), (2, 2)), mode=MODES[border])
        windows = {
            (i, j, mirrored): padded[:, i : i + 8, j : j + 9][:, :, :: -1 if mirrored else 1]
            for i in range(5)
            for j in range(5)
            for mirrored in (False, True)
        }
        found = [place for place, window in windows.items() if np.array_equal(window, got)]
        assert len(found) == 1
        seen.update(found)
    assert {i for i, _, _ in seen} == {j for _, j, _ in seen} == set(range(5))
    assert {mirrored for _, _, mirrored in seen} == ({True, False} if flip else {False})


def test_shifts_and_flips_are_drawn_evenly_and_apart(rng):
    image = np.arange(1, 13, dtype=np.uint8).reshape(1, 1, 3, 4)
    out = crop_and_flip(np.repeat(image, 9000, axis=0), rng=rng, padding=1)
    kinds, counts = np.unique(out.reshape(9000, -1), axis=0, return_counts=True)
    assert len(kinds) == 18  # 3 × 3 places, mirrored or not
    assert counts.min() > 380 and counts.max() < 620  # 500 each, give or take 5 standard deviations


def test_the_same_generator_gives_the_same_images_and_another_does_not(rng):
    images = pictures(rng)
    one, same, other = (crop_and_flip(images, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_it_writes_to_nothing_and_shares_nothing(rng):
    images = pictures(rng)
    images.flags.writeable = False
    for padding in (0, 4):
        out = crop_and_flip(images, rng=rng, padding=padding, flip=False)
        assert not np.shares_memory(out, images)
    assert np.array_equal(crop_and_flip(images, rng=rng, padding=0, flip=False), images)


def test_it_is_fast_enough_to_forget(rng):
    images = rng.integers(0, 256, (128, 3, 32, 32), dtype=np.uint8)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        crop_and_flip(images, rng=rng)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.005  # of a step's 0.1 and more; measured 0.0004


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((2, 3, 8, 8)), {}, "images are float64 of shape .*, expected uint8"),
        (np.zeros((3, 8, 8), np.uint8), {}, r"expected uint8 of shape \(N, C, H, W\)"),
        (np.zeros((2, 3, 8, 8), np.uint8), {"padding": 8}, "padding is 8, expected 0 to 7 for images of 8×8"),
        (np.zeros((2, 3, 8, 8), np.uint8), {"padding": -1}, "padding is -1"),
        (np.zeros((2, 3, 8, 8), np.uint8), {"border": "wrap"}, "border is 'wrap', expected one of 'zero', 'reflect'"),
    ],
)
def test_errors(images, options, message, rng):
    with pytest.raises(ValueError, match=message):
        crop_and_flip(images, rng=rng, **options)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_cutout_covers_one_square_in_every_channel(size, rng):
    images = pictures(rng, count=1000)
    images[images == 128] = 127
    out, seen = cutout(images, size, rng=rng), set()
    assert out.dtype == np.uint8 and np.array_equal(out[out != 128], images[out != 128])
    for covered in out == 128:
        assert np.array_equal(covered[0], covered[1]) and np.array_equal(covered[0], covered[2])
        rows, columns = np.nonzero(covered[0].any(axis=1))[0], np.nonzero(covered[0].any(axis=0))[0]
        assert covered[0].sum() == len(rows) * len(columns) and max(len(rows), len(columns)) <= size
        assert np.ptp(rows) < size and np.ptp(columns) < size
        seen.add((rows[0], columns[0], len(rows), len(columns)))
    assert (2, 3, size, size) in seen and len(seen) > 40  # anywhere


def test_cutout_covers_every_pixel_about_equally_often(rng):
    covered = (cutout(np.zeros((20_000, 1, 8, 8), np.uint8), 3, rng=rng) == 128).mean(axis=(0, 1))
    assert np.allclose(covered[1:-1, 1:-1], 9 / 64, atol=0.01) and covered[0, 0] == pytest.approx(4 / 64, abs=0.01)


def test_cutout_refuses_nothing_to_cover(rng):
    with pytest.raises(ValueError, match="size is 0, expected 1 pixel or more"):
        cutout(pictures(rng), 0, rng=rng)


def test_a_recipe_crops_flips_and_covers(rng):
    images = pictures(rng)
    plain, covered = (Recipe(1, cutout=size).augmented(images, np.random.default_rng(3)) for size in (0, 4))
    assert np.array_equal(plain, crop_and_flip(images, rng=np.random.default_rng(3)))
    shifted = Recipe(1, augment="shift+flip").augmented(images, np.random.default_rng(3))
    assert np.array_equal(shifted, crop_and_flip(images, rng=np.random.default_rng(3), padding=2, border="reflect"))
    changed = (covered != plain).any(axis=1).reshape(len(images), -1).sum(axis=1)
    assert (covered[covered != plain] == 128).all() and 0 < changed.mean() <= 16
