from dataclasses import replace

import numpy as np
import pytest

from benchmarks import pointing
from cbam_np.explain import deletion_curve, energy_inside, grad_cam, pointing_game
from cbam_np.train import Recipe, Settings, load_model
from cbam_np.train.compare import compare
from cbam_np.train.run import load_data

from .helpers import Here

HEAT = np.array([[[3.0, 1], [0, 0]], [[0, 0], [0, 5]], [[0, 0], [0, 0]]])
MASKS = np.array([[[1, 0], [0, 0]], [[1, 1], [1, 0]], [[1, 1], [1, 1]]], bool)


def test_energy_inside():
    np.testing.assert_array_equal(energy_inside(HEAT, MASKS), [0.75, 0, np.nan])


def test_pointing_game():
    assert pointing_game(HEAT, MASKS).tolist() == [True, False, False]


class Bright:
    """A network that knows two classes: the probability of the second is how white the left half is."""

    def predict(self, images):
        white = images[:, :, :, :2].mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - white, white], axis=1)


def test_deletion_curve_falls_where_the_heat_points_at_what_counts():
    image = np.zeros((1, 3, 4, 4), np.uint8)
    image[..., :2] = 200
    good = np.zeros((1, 4, 4))
    good[..., :2] = 1
    curve = deletion_curve(Bright(), image, good, np.array([1]), parts=4)[0]
    np.testing.assert_allclose(curve, np.array([200, 150, 100, 100, 100]) / 255)  # grey, 100, is the mean colour
    bad = deletion_curve(Bright(), image, 1 - good, np.array([1]), parts=4)[0]
    np.testing.assert_allclose(bad, np.array([200, 200, 200, 150, 100]) / 255)
    assert image.max() == 200  # not written to


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="masks has shape"):
        energy_inside(HEAT, MASKS[:2])
    with pytest.raises(ValueError, match="masks has shape"):
        pointing_game(HEAT, MASKS[:, :1])
    with pytest.raises(ValueError, match="heat has shape"):
        deletion_curve(Bright(), np.zeros((1, 3, 4, 4), np.uint8), np.zeros((1, 2, 2)), np.array([0]))


@pytest.mark.slow
def test_the_benchmark_pairs_seeds_and_does_without_masks(tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.train.run.SHAPES", {"train": (64, (0, 0)), "test": (30, (0, 1))})
    monkeypatch.setattr(pointing, "IMAGES", 20)
    settings = Settings(recipe=Recipe(epochs=1, batch_size=32), channels=(4, 8), reduction=2, images=64)
    compare("start", settings, 2, tmp_path, executor=Here(), progress=False)
    found = pointing.measure(tmp_path)
    assert found["seeds"] == 2 and found["images"] == 20 and 0.05 < found["chance"] < 0.5
    first, *others = found["rows"]
    assert [row["variant"] for row in found["rows"]] == ["all maps 1/2", "He", "none"]
    test = load_data(settings)[2].subset(slice(20))
    for row in others:
        for name, score in row["scores"].items():
            differences = np.subtract(score["seeds"], first["scores"][name]["seeds"])
            assert score["difference"] == pytest.approx(differences.mean()) and len(differences) == 2
            assert score["low"] <= score["difference"] <= score["high"]
    model = load_model(tmp_path / "none" / "seed-1")
    hits = pointing_game(grad_cam(model, test.images, test.labels), test.masks)
    assert others[1]["scores"]["hit"]["seeds"][1] == hits.mean()
    assert "of an even heat map" in pointing.markdown(found)

    images = [None if part is None else replace(part, masks=None) for part in load_data(settings)]
    monkeypatch.setattr(pointing, "load_data", lambda settings: images)
    without = pointing.measure(tmp_path)
    for row, other in zip(without["rows"], found["rows"], strict=True):
        assert row["scores"] == {"deletion": other["scores"]["deletion"]}
    assert without["chance"] is None and "even heat map" not in pointing.markdown(without)
    with pytest.raises(SystemExit, match="holds no comparison.json: make it with cbam-np compare"):
        pointing.measure(tmp_path / "none")
