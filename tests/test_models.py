from functools import partial

import numpy as np
import pytest

from cbam_np.gradcheck import check_gradient
from cbam_np.nn import SGD, ResNet, SmallCNN
from cbam_np.nn.layers import Conv2d
from cbam_np.ops import softmax_cross_entropy_backward, softmax_cross_entropy_forward

TINY = {"channels": (2, 3, 4), "reduction": 2, "classes": 5, "start": "he"}  # with maps that are not all 1/2
NETWORKS = {
    "SmallCNN": lambda **of: SmallCNN(**TINY, **of),
    "SmallCNN, SE": lambda **of: SmallCNN("se", **TINY, **of),
    "SmallCNN, CBAM": lambda **of: SmallCNN("cbam", **TINY, **of),
    "SmallCNN, channel": lambda **of: SmallCNN("channel", **TINY, **of),
    "SmallCNN, spatial": lambda **of: SmallCNN("spatial", **TINY, **of),
    "SmallCNN, other CBAM": lambda **of: SmallCNN("cbam", kernel_size=3, order="parallel", **TINY, **of),
    "SmallCNN, deep": lambda **of: SmallCNN("cbam", convs=(1, 2, 1), **TINY, **of),
    "ResNet": lambda **of: ResNet(8, width=2, classes=5, **of),
    "ResNet, CBAM": lambda **of: ResNet(8, "cbam", width=2, reduction=2, classes=5, start="he", **of),
}


def pictures(rng, count, size=32):
    return rng.integers(0, 256, (count, 3, size, size), dtype=np.uint8)


SLOW = {*NETWORKS} - {"SmallCNN", "SmallCNN, CBAM"}  # every entry is nudged


@pytest.mark.parametrize(
    "make", [pytest.param(make, id=n, marks=[pytest.mark.slow] if n in SLOW else []) for n, make in NETWORKS.items()]
)
def test_every_gradient_from_the_loss_to_the_pixels(make, rng):
    model = make(rng=rng, dtype=np.float64)
    x, labels = rng.uniform(0, 255, (3, 3, 8, 8)), np.array([0, 3, 4])
    loss, cache = softmax_cross_entropy_forward(model.forward(x, training=True), labels, 0.1)
    dx, grads = model.backward(softmax_cross_entropy_backward(1.0, cache)), dict(model.grads)
    assert grads.keys() == model.params.keys()

    def loss_at(images):
        return softmax_cross_entropy_forward(model.forward(images, training=True), labels, 0.1)[0]

    check_gradient(loss_at, x, np.float64(1), dx, step=1e-3)  # a pixel counts 0 to 255, so its step is larger
    for name, array in model.params.items():

        def along(moved, array=array):
            kept = array.copy()
            array[...] = moved
            loss = loss_at(x)
            array[...] = kept
            return loss

        check_gradient(along, array, np.float64(1), grads[name])


@pytest.mark.parametrize("attention", ["se", "cbam", "channel", "spatial"])
@pytest.mark.parametrize("make", [SmallCNN, partial(ResNet, 8)], ids=["SmallCNN", "ResNet"])
def test_attention_is_drawn_last_so_that_the_rest_starts_alike(make, attention):
    plain = make(rng=np.random.default_rng(3)).state_dict()
    gated = make(attention=attention, rng=np.random.default_rng(3)).state_dict()
    assert plain.keys() < gated.keys()
    assert all(np.array_equal(array, gated[name]) for name, array in plain.items())
    assert all(".attention." in name for name in gated.keys() - plain.keys())
    assert not np.array_equal(plain["head.W"], make(rng=np.random.default_rng(4)).state_dict()["head.W"])


def test_shapes_and_dtype(rng):
    model = SmallCNN("cbam", rng=rng)
    logits = model.forward(pictures(rng, 2))
    assert logits.shape == (2, 10) and logits.dtype == np.float32
    assert {array.dtype for array in model.state_dict().values()} == {np.dtype(np.float32)}
    assert model.stage3.relu.cache is not None and model.stage3.attention.cache.Ms.shape == (2, 1, 8, 8)
    assert set(model.stage1.attention.params) == {"W0", "W1", "W7"}


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
def test_resnet_has_the_layers_and_weights_of_its_paper(depth, millions, rng):
    """As in He et al., Table 6, whose shortcuts have no weights."""
    model = ResNet(depth, rng=rng)
    convs = [name for name, layer in model.layers() if isinstance(layer, Conv2d) and "shortcut" not in name]
    assert len(convs) + 1 == depth  # and the linear layer
    weights = sum(array.size for name, array in model.params.items() if "shortcut" not in name)
    assert round(weights / 1e6, 2) == millions
    assert model.forward(pictures(rng, 2)).shape == (2, 10)
    assert model.stage3_1.relu.cache.out.shape == (2, 64, 8, 8)


def test_the_attention_ends_the_branch_before_the_addition(rng):
    model = ResNet(8, "cbam", rng=rng)
    names = [name for name, _ in model.layers()]
    branch = [name.rpartition(".")[2] for name in names if name.startswith("stage2_1.residual.branch.")]
    assert branch == ["conv1", "bn1", "relu1", "conv2", "bn2", "attention"]
    assert names.index("stage2_1.residual.shortcut") < names.index("stage2_1.relu")


@pytest.mark.parametrize("depth", [2, 9, 18, 51])
def test_no_such_depth(depth, rng):
    with pytest.raises(ValueError, match=f"depth is {depth}, expected 6n \\+ 2: 8, 14, 20"):
        ResNet(depth, rng=rng)


@pytest.mark.parametrize("convs", [(1, 2), 0, (1, 0, 1)])
def test_convs_for_each_stage(convs, rng):
    with pytest.raises(ValueError, match="expected a number, 1 or more, for each of the stages"):
        SmallCNN(rng=rng, convs=convs)


def test_convolutions_can_start_by_passing_on_what_they_are_given(rng):
    of = {"channels": (4, 6, 2), "convs": (2, 2, 1)}
    drawn, passing = (SmallCNN(conv_start=start, rng=np.random.default_rng(3), **of) for start in ("he", "dirac"))
    drawn, passing = dict(drawn.layers()), dict(passing.layers())
    same = [name for name in drawn if np.array_equal(*(net[name].params.get("W", 0) for net in (drawn, passing)))]
    assert {"stage1.conv", "head"} < set(same) and not any("conv" in name for name in set(same) - {"stage1.conv"})
    for name, kept in (("stage1.conv2", 4), ("stage2.conv", 4), ("stage2.conv2", 6), ("stage3.conv", 2)):
        x = rng.normal(size=(2, passing[name].params["W"].shape[1], 5, 5)).astype(np.float32)
        out = passing[name].forward(x)
        np.testing.assert_allclose(out[:, :kept], x[:, :kept], rtol=1e-6, atol=1e-6)
        assert np.array_equal(passing[name].params["W"][kept:], drawn[name].params["W"][kept:])


def test_unknown_conv_start(rng):
    with pytest.raises(ValueError, match="conv_start is 'zero', expected one of 'he', 'dirac'"):
        SmallCNN(rng=rng, conv_start="zero")


@pytest.mark.parametrize("attention", ["se", "cbam", "channel", "spatial"])
@pytest.mark.parametrize("make", [SmallCNN, partial(ResNet, 8)], ids=["SmallCNN", "ResNet"])
def test_attention_starts_with_every_weight_one_half(make, attention, rng):
    model = make(attention=attention, rng=rng)
    blocks = [layer for name, layer in model.layers() if name.endswith("attention")]
    assert len(blocks) >= 3
    for block in blocks:
        x = rng.normal(size=(2, block.params["W0"].shape[1] if "W0" in block.params else 5, 4, 4)).astype(np.float32)
        halves = 2 if attention == "cbam" else 1
        assert np.array_equal(block.forward(x), x / 2**halves)


def test_unknown_attention(rng):
    with pytest.raises(ValueError, match="attention is 'eca', expected one of None, 'se', 'cbam'"):
        SmallCNN("eca", rng=rng)


def test_predict_gives_probabilities_whatever_the_batch(rng):
    model, images = SmallCNN("cbam", rng=rng, dtype=np.float64, **TINY), pictures(rng, 7)
    model.forward(images, training=True)
    before = {name: array.copy() for name, array in model.state_dict().items()}
    p = model.predict(images)
    assert p.shape == (7, 5) and (p > 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(model.predict(images, batch_size=3), p)
    np.testing.assert_allclose(model.predict(images[4:5]), p[4:5])
    assert all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 32, 32)), "images are float64, expected uint8"),
        (np.zeros((3, 32, 32), np.uint8), r"images have shape .*images\[None\]"),
        (np.zeros((2, 32, 32, 3), np.uint8), r"images have shape .*expected \(N, 3, H, W\)"),
        (np.zeros((0, 3, 32, 32), np.uint8), r"images are empty, shape \(0, 3, 32, 32\)"),
    ],
)
def test_predict_says_what_it_expects(images, message, rng):
    with pytest.raises(ValueError, match=message):
        SmallCNN(rng=rng, **TINY).predict(images)


@pytest.mark.parametrize("attention", [None, "se", "cbam"])
def test_a_handful_of_images_is_learned_by_heart(attention, rng):
    model = SmallCNN(attention, rng=rng, channels=(8, 16), reduction=4, classes=5)
    images, labels = pictures(rng, 10, 16), np.arange(10) % 5
    model.normalise.fit(images)
    optimiser, losses = SGD(model.params, weight_decay=0), []
    for _ in range(100):
        loss, cache = softmax_cross_entropy_forward(model.forward(images, training=True), labels)
        model.backward(softmax_cross_entropy_backward(1.0, cache))
        optimiser.step(model.grads, lr=0.1)
        losses.append(loss)
    assert 1 < losses[0] < 3 and losses[-1] < 0.05  # some starts take their time
    assert (model.forward(images, training=True).argmax(axis=1) == labels).all()
