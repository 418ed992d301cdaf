import numpy as np
import pytest

from cbam_np.explain import deletion_curve, energy_inside, pointing_game

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
