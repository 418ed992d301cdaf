from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from cbam_np.data import LabelledImages, make_shapes
from cbam_np.data.shapes import LUMA, SHAPES, TEXTURES

TRAIN, TEST = 5000, 1500


@pytest.fixture(scope="module")
def shapes():
    return make_shapes(TRAIN + TEST, rng=np.random.default_rng(1))


# --- What is drawn ---


def test_arrays_are_as_promised(shapes):
    assert shapes.images.shape == (TRAIN + TEST, 3, 32, 32) and shapes.images.dtype == np.uint8
    assert shapes.labels.shape == (TRAIN + TEST,) and shapes.labels.dtype == np.int64
    assert shapes.masks.shape == (TRAIN + TEST, 32, 32) and shapes.masks.dtype == np.bool_
    assert shapes.images.flags.c_contiguous
    assert len(shapes.classes) == 10 == len(set(shapes.classes))


def test_the_same_generator_gives_the_same_images():
    one, two, other = (make_shapes(300, rng=np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert np.array_equal(one.images, two.images)
    assert np.array_equal(one.labels, two.labels)
    assert np.array_equal(one.masks, two.masks)
    assert not np.array_equal(one.images, other.images)
    assert not np.array_equal(one.labels, other.labels)


def test_the_generator_moves_on(rng):
    assert not np.array_equal(make_shapes(20, rng=rng).images, make_shapes(20, rng=rng).images)


def test_no_two_images_are_the_same(shapes):
    assert len({image.tobytes() for image in shapes.images}) == len(shapes)


@pytest.mark.parametrize("count", [1, 9, 10, 249, 251, 1003])
def test_classes_are_balanced_to_within_one(count, rng):
    counts = np.bincount(make_shapes(count, rng=rng).labels, minlength=10)
    assert counts.sum() == count
    assert counts.max() - counts.min() <= 1


def test_the_order_is_shuffled(shapes):
    followed_by_the_next = np.diff(shapes.labels) % 10 == 1  # in file order it would be all
    assert 0.05 < followed_by_the_next.mean() < 0.15


@pytest.mark.parametrize("count", [0, -3, 2.5, "10", None, 10**12])
def test_a_wrong_count_is_answered(count, rng):
    with pytest.raises(ValueError, match=r"count is .*, expected a whole number, 1 to 1000000"):
        make_shapes(count, rng=rng)


@pytest.mark.parametrize("rng", [0, None, np.random])
def test_a_wrong_generator_is_answered(rng):
    with pytest.raises(TypeError, match=r"rng is .*, expected a generator: np\.random\.default_rng\(0\)"):
        make_shapes(10, rng=rng)


# --- The shapes themselves, on a fine grid from -1.5 to 1.5 ---

V, U = np.mgrid[-1.5:1.5:301j, -1.5:1.5:301j]


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_reaches_further_than_it_says(name):
    reach = np.hypot(U, V)[SHAPES[name](U, V) < 0].max()
    assert 0.8 < reach < 1.165


@pytest.mark.parametrize(("name", "turns"), [("square", 4), ("cross", 4), ("star", 5), ("hourglass", 2)])
def test_a_turn_maps_the_shape_onto_itself(name, turns):
    def turned(angle):
        return SHAPES[name](np.cos(angle) * U + np.sin(angle) * V, np.cos(angle) * V - np.sin(angle) * U) < 0

    assert (turned(2 * np.pi / turns) == turned(0)).mean() > 0.999
    assert (turned(np.pi / turns) == turned(0)).mean() < 0.97  # half the turn does not


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_an_axis_of_symmetry(name):
    inside = SHAPES[name](U, V) < 0
    assert max((inside == inside[:, ::-1]).mean(), (inside == inside[::-1]).mean()) > 0.999


def test_no_two_shapes_are_alike_at_any_modest_tilt():
    inside = {}
    for tilt in np.linspace(-0.35, 0.35, 8):
        u, v = np.cos(tilt) * U + np.sin(tilt) * V, np.cos(tilt) * V - np.sin(tilt) * U
        inside[tilt] = np.array([(shape(u, v) < 0).ravel() for shape in SHAPES.values()], float)
    for tilted in inside.values():
        common = inside[0.35] @ tilted.T
        union = inside[0.35].sum(1)[:, None] + tilted.sum(1) - common
        overlap = common / union
        assert overlap[~np.eye(10, dtype=bool)].max() < 0.86


def test_textures_fill_their_range():
    p, q = np.meshgrid(np.linspace(0, 100, 500), np.linspace(0, 100, 500))
    for texture in TEXTURES:
        values = texture(p, q)
        assert -1 <= values.min() < -0.9 and 0.9 < values.max() <= 1


# --- The mask is the object ---


def luma(images):
    return np.einsum("nchw,c->nhw", images.astype(float), LUMA)


def fit(masks, images):
    """How well a mask explains an image's brightness: the size of their correlation."""
    masks, bright = (a - a.mean((1, 2), keepdims=True) for a in (masks.astype(float), luma(images)))
    scale = np.sqrt((masks**2).sum((1, 2)) * (bright**2).sum((1, 2)))
    return np.abs((masks * bright).sum((1, 2))) / scale


def moved(masks):
    """The masks moved by two pixels in the four directions."""
    return [np.roll(masks, by, axis) for axis in (1, 2) for by in (-2, 2)]


def test_a_mask_fits_its_object_better_than_when_moved(shapes):
    some = shapes.subset(slice(1000))
    best = np.max([fit(m, some.images) for m in moved(some.masks)], axis=0)
    assert (fit(some.masks, some.images) > best).mean() > 0.98
    wrong = np.roll(some.masks, 2, 1)  # a planted fault: the test above would see it
    best = np.max([fit(m, some.images) for m in moved(wrong)], axis=0)
    assert (fit(wrong, some.images) > best).mean() < 0.05


def test_every_object_is_whole_and_of_a_modest_size(shapes):
    area = shapes.masks.sum((1, 2))
    assert area.min() >= 70 and area.max() <= 320  # of 1,024 pixels
    inner = shapes.masks[:, 1:-1, 1:-1].sum((1, 2))
    assert np.array_equal(inner, area)  # nothing is cut off at the border


def test_the_object_is_legible(shapes):
    some = shapes.subset(slice(2000))
    pairs = list(zip(luma(some.images), some.masks, strict=True))
    inside = np.array([np.median(bright[mask]) for bright, mask in pairs])
    outside = np.array([np.median(bright[~mask]) for bright, mask in pairs])
    assert (np.abs(inside - outside) > 40).mean() > 0.99
    assert 0.45 < (inside > outside).mean() < 0.55  # light on dark as often as dark on light


def test_objects_lie_in_many_places(shapes):
    row, column = np.mgrid[:32, :32]
    for axis in (row, column):
        centre = (shapes.masks * axis).sum((1, 2)) / shapes.masks.sum((1, 2))
        assert centre.std() > 2 and abs(centre.mean() - 15.5) < 0.5


# --- What does not give the class away ---


def ridge(features, labels):
    """The best accuracy that ridge regression reaches on the last images, learnt on the first."""
    features = features.reshape(len(features), -1).astype(np.float32)
    train, test = features[:TRAIN], features[TRAIN:]
    mean, std = train.mean(0), train.std(0) + 1e-6
    train, test = (train - mean) / std, (test - mean) / std
    square, targets = train.T @ train, train.T @ np.eye(10, dtype=np.float32)[labels[:TRAIN]]
    accuracy = []
    for penalty in (1e2, 3e4):
        weights = np.linalg.solve(square + penalty * np.eye(len(square), dtype=np.float32), targets)
        accuracy.append(((test @ weights).argmax(1) == labels[TRAIN:]).mean())
    return max(accuracy)


def given_away(shapes):
    """Plant a fault in the same images: object and ground lean to two colours of their class."""
    corners = np.random.default_rng(0).permutation(64)[: len(shapes.classes)]
    palette = 255 * (corners[:, None] >> np.arange(6) & 1)  # six times 0 or 255
    lean = np.where(shapes.masks[:, None], *np.moveaxis(palette[shapes.labels].reshape(-1, 2, 3, 1, 1), 1, 0))
    return replace(shapes, images=(0.6 * shapes.images + 0.4 * lean).astype(np.uint8))


def colours(data):
    """Means and deviations of red, green and blue, on the object and off it."""
    features = []
    for where in (data.masks[:, None], ~data.masks[:, None]):
        size = where.sum((2, 3))
        mean = (data.images * where).sum((2, 3)) / size
        square = (data.images.astype(np.int64) ** 2 * where).sum((2, 3)) / size
        features += [mean, np.sqrt(square - mean**2)]
    return np.concatenate(features, axis=1)


@pytest.mark.slow
def test_a_linear_classifier_on_the_pixels_fails(shapes):
    assert 0.05 < ridge(shapes.images, shapes.labels) < 0.40


def test_it_would_not_fail_on_images_that_give_the_class_away(shapes):
    assert ridge(given_away(shapes).images[:, :, ::4, ::4], shapes.labels) > 0.60


def test_colours_do_not_give_the_class(shapes):
    assert ridge(colours(shapes), shapes.labels) < 0.25
    assert ridge(colours(given_away(shapes)), shapes.labels) > 0.60


def test_the_area_differs_between_classes_but_does_not_give_the_class(shapes):
    area = shapes.masks.sum((1, 2))
    mean = np.array([area[shapes.labels == label].mean() for label in range(10)])
    assert 1.2 < mean.max() / mean.min() < 2
    counts = np.zeros((10, 64))  # how often each class has each area, in steps of 16 pixels
    np.add.at(counts, (shapes.labels[:TRAIN], area[:TRAIN] // 16), 1)
    guess = counts.argmax(0)[area[TRAIN:] // 16]
    assert 0.10 < (guess == shapes.labels[TRAIN:]).mean() < 0.25


# --- LabelledImages ---


@pytest.fixture
def few(rng):
    return make_shapes(12, rng=rng)


def test_length_and_repr(few):
    assert len(few) == 12
    assert repr(few) == "<LabelledImages: 12 of 32×32, 10 classes, with masks>"
    assert "no masks" in repr(replace(few, masks=None))


def test_fields_cannot_be_replaced(few):
    with pytest.raises(FrozenInstanceError):
        few.labels = few.labels[:3]


@pytest.mark.parametrize("index", [slice(2, 9, 3), [5, 0, 5], np.arange(12) % 2 == 0, np.array([], int)], ids=str)
def test_subset_chooses_images_labels_and_masks(few, index):
    part = few.subset(index)
    assert np.array_equal(part.images, few.images[index])
    assert np.array_equal(part.labels, few.labels[index])
    assert np.array_equal(part.masks, few.masks[index])
    assert part.classes == few.classes
    assert replace(few, masks=None).subset(index).masks is None


def test_split_holds_the_last_ones_back(few):
    rest, held = few.split(5)
    assert np.array_equal(np.concatenate([rest.labels, held.labels]), few.labels)
    assert (len(rest), len(held)) == (7, 5)
    assert [len(part) for part in few.split(0)] == [12, 0]
    assert [len(part) for part in few.split(12)] == [0, 12]


IMAGES, LABELS = np.zeros((4, 3, 8, 6), np.uint8), np.array([0, 1, 1, 0])
FAULTS = {
    "float images": ({"images": IMAGES / 255}, TypeError, "images is an array of float64, expected an array of uint8"),
    "a list": ({"labels": [0, 1, 1, 0]}, TypeError, "labels is a list, expected an array of int64"),
    "short labels": ({"labels": LABELS.astype(np.int16)}, TypeError, "labels is an array of int16, expected"),
    "channels last": ({"images": IMAGES.transpose(0, 2, 3, 1)}, ValueError, r"\(4, 8, 6, 3\), expected \(N, 3, H, W\)"),
    "one image": ({"images": IMAGES[0]}, ValueError, r"for a single one images\[None\]"),
    "a label short": ({"labels": LABELS[:3]}, ValueError, r"labels has shape \(3,\), expected \(4,\): one for each"),
    "label too high": ({"labels": LABELS + 1}, ValueError, r"labels\[1\] is 2, expected 0 to 1: there are 2 classes"),
    "label too low": ({"labels": LABELS - 1}, ValueError, r"labels\[0\] is -1, expected 0 to 1"),
    "byte masks": ({"masks": IMAGES[:, 0]}, TypeError, "masks is an array of uint8, expected an array of bool"),
    "turned masks": ({"masks": np.ones((4, 6, 8), bool)}, ValueError, r"\(4, 6, 8\), expected \(4, 8, 6\)"),
}


@pytest.mark.parametrize(("fault", "error", "message"), FAULTS.values(), ids=FAULTS)
def test_arrays_that_do_not_fit_are_refused(fault, error, message):
    sound = {"images": IMAGES, "labels": LABELS, "classes": ("cat", "dog"), "masks": np.ones((4, 8, 6), bool)}
    assert len(LabelledImages(**sound)) == 4
    with pytest.raises(error, match=message):
        LabelledImages(**sound | fault)


def test_labels_as_a_browser_counts_them_are_converted():
    assert LabelledImages(IMAGES, LABELS.astype(np.int32), ("cat", "dog")).labels.dtype == np.int64


@pytest.mark.parametrize("count", [-1, 13])
def test_split_of_more_than_there_is(few, count):
    with pytest.raises(ValueError, match=f"count is {count}, expected 0 to 12"):
        few.split(count)


def test_subset_of_one_number(few):
    with pytest.raises(TypeError, match=r"index is the number 3, .* write subset\(\[3\]\)"):
        few.subset(3)
