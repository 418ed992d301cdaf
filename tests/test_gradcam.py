"""Grad-CAM is what its formula says, for any layer of any network."""

import numpy as np
import pytest

from cbam_np import SmallCNN, attention_maps, grad_cam
from cbam_np.explain import resize
from cbam_np.nn import ResNet, WhitenedCNN

from .helpers import assert_same


def small_cnn(rng):
    return SmallCNN("cbam", rng=rng, channels=(4, 6), reduction=2, start="he", dtype=np.float64)


def resnet(rng):
    return ResNet(8, "cbam", width=4, reduction=2, start="he", rng=rng, dtype=np.float64)


def whitened_cnn(rng):
    model = WhitenedCNN("cbam", widths=(4, 6, 8), reduction=2, start="he", rng=rng, dtype=np.float64)
    model.fit_inputs(images(rng, 16, 32))
    return model


NETWORKS = {
    "SmallCNN": (small_cnn, "stage2", 16),
    "ResNet": (resnet, "stage3_1", 16),
    "WhitenedCNN": (whitened_cnn, "group3", 32),
}


def images(rng, count=3, size=16):
    return rng.integers(0, 256, (count, 3, size, size), dtype=np.uint8)


def as_defined(A, head, targets, size):
    """Return Grad-CAM of maps of which the average or the maximum is scored: ∂y/∂A is the head's weight / (H·W)."""
    alpha = head[targets] / (A.shape[2] * A.shape[3])
    heat = np.maximum((alpha[:, :, None, None] * A).sum(axis=1), 0)
    heat = resize(heat, size)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-300)


@pytest.mark.parametrize("network", NETWORKS)
def test_it_is_what_its_formula_says(network, rng):
    make, last, size = NETWORKS[network]
    model, x = make(rng), images(rng, size=size)
    targets = np.array([1, 7, 4])
    heat = grad_cam(model, x, targets)
    assert heat.shape == (3, size, size) and heat.min() >= 0
    assert np.isin(heat.max(axis=(1, 2)), [0, 1]).all() and np.ptp(heat, axis=(1, 2)).any()
    assert_same(grad_cam(model, x, targets, layer=last), heat)
    out = x
    for part in list(model.parts.values())[: list(model.parts).index(last) + 1]:
        out = part.forward(out)
    assert out[0, 0].size > 1
    assert_same(heat, as_defined(out, model.head.params["W"], targets, (size, size)))


@pytest.mark.parametrize("layer", ["stage1.conv", "stage1.bn", "stage1.attention", "stage1", "pool1"])
def test_any_layer_by_finite_differences(layer, rng):
    """The gradient that Grad-CAM averages is that of the score along the layer's output."""
    model, x = small_cnn(rng), images(rng, 1, 8)
    inner = dict(model.layers())[layer]
    heat = grad_cam(model, x, 4, layer)
    forward, slopes = inner.forward, []
    A = None
    for c in range(4):
        scores = []
        for step in (1e-5, -1e-5):

            def moved(x, training=False, c=c, step=step):
                nonlocal A
                A = forward(x, training)
                out = A.copy()
                out[:, c] += step
                return out

            inner.forward = moved
            scores.append(model.forward(x)[0, 4])
            del inner.forward
        slopes.append((scores[0] - scores[1]) / 2e-5 / A[0, 0].size)
    expected = np.maximum(np.einsum("c,nchw->nhw", slopes, A), 0)
    expected = resize(expected, (8, 8))
    assert_same(heat, expected / (expected.max() or 1), 1e-5)


def test_the_most_probable_class_where_none_is_given(rng):
    model, x = small_cnn(rng), images(rng)
    assert_same(grad_cam(model, x), grad_cam(model, x, model.predict(x).argmax(axis=1)))


def test_the_network_is_as_before(rng):
    model, x = small_cnn(rng), images(rng)
    before = {name: array.copy() for name, array in model.state_dict().items()}
    grad_cam(model, x, 0)
    assert all(layer.heard is None for _, layer in model.layers())
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layer": "stage9"}, r"layer is 'stage9', expected one of model.layers\(\); the nearest are stage"),
        ({"layer": "head"}, r"layer 'head' gives an array of shape \(3, 10\), expected maps"),
        ({"targets": 10}, "targets are .*expected whole numbers from 0 to 9"),
        ({"targets": np.array([0.5, 1, 2])}, "expected whole numbers"),
    ],
)
def test_what_cannot_be_is_answered_in_words(wrong, message, rng):
    with pytest.raises(ValueError, match=message):
        grad_cam(small_cnn(rng), images(rng), **wrong)


def test_resize_keeps_planes_and_constants():
    plane = np.add.outer(np.arange(4.0), 2 * np.arange(4.0))[None]
    large = resize(plane, (8, 8))
    assert large.shape == (1, 8, 8)
    assert_same(np.diff(large[0], axis=0)[1:-1, 2:6], np.full((5, 4), 0.5))
    assert_same(np.diff(large[0], axis=1)[2:6, 1:-1], np.full((4, 5), 1.0))
    assert_same(resize(np.ones((2, 1, 3)), (5, 7)), np.ones((2, 5, 7)))
    assert_same(resize(plane, (4, 4)), plane)


@pytest.mark.parametrize("look", [grad_cam, attention_maps], ids=["grad_cam", "attention_maps"])
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 8, 8)), "images are float64, expected uint8 with values 0 to 255"),
        (np.zeros((3, 8, 8), np.uint8), r"images have shape \(3, 8, 8\), expected \(N, 3, H, W\)"),
        (np.zeros((0, 3, 8, 8), np.uint8), "images are empty"),
    ],
)
def test_images_that_predict_refuses_are_refused_here_too(look, images, message, rng):
    with pytest.raises(ValueError, match=message):
        look(small_cnn(rng), images)


def test_a_layer_is_listened_to_only_within_the_context(rng):
    model, x = small_cnn(rng), images(rng)
    with model.stage2.listen() as heard:
        model.forward(x)
        model.backward(np.ones((len(x), 10)))
    assert heard["out"].shape == heard["dout"].shape and model.stage2.heard is None
    before = dict(heard)
    model.forward(x[:1])
    assert heard["out"] is before["out"]
