import numpy as np
import pytest

from cbam_np.gradcheck import check_gradient
from cbam_np.nn.containers import Container, Residual, Sequential
from cbam_np.nn.layer import Layer
from cbam_np.nn.layers import CBAM, SE, BatchNorm2d, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Normalise, ReLU

from .helpers import assert_same, distinct

MAPS, VECTORS = (2, 4, 5, 5), (3, 4)


def conv_bn(rng, outputs=4, stride=1):
    return Sequential(
        conv=Conv2d(4, outputs, stride=stride, rng=rng, dtype=np.float64), bn=BatchNorm2d(outputs, dtype=np.float64)
    )


def bent_batch_norm(rng):
    bn = BatchNorm2d(4, dtype=np.float64)  # with other numbers than 1 and 0, so that a forgotten one shows
    for array in (*bn.params.values(), *bn.state.values()):
        array += rng.uniform(0.2, 1, array.shape)
    return bn


def normalise(rng):
    layer = Normalise(4, dtype=np.float64)
    layer.state["std"] += np.arange(4)
    return layer


LAYERS = {
    "ReLU": (lambda rng: ReLU(), MAPS),
    "MaxPool2d": (lambda rng: MaxPool2d(2), MAPS),
    "MaxPool2d overlapping": (lambda rng: MaxPool2d(3, stride=2), MAPS),
    "GlobalAvgPool": (lambda rng: GlobalAvgPool(), MAPS),
    "Linear": (lambda rng: Linear(4, 3, rng=rng, dtype=np.float64), VECTORS),
    "Conv2d": (lambda rng: Conv2d(4, 3, rng=rng, dtype=np.float64), MAPS),
    "Conv2d with stride": (lambda rng: Conv2d(4, 3, stride=2, rng=rng, dtype=np.float64), MAPS),
    "BatchNorm2d": (bent_batch_norm, MAPS),
    "CBAM": (lambda rng: CBAM(4, 2, 3, rng=rng, start="he", dtype=np.float64), MAPS),
    "CBAM parallel": (lambda rng: CBAM(4, 2, 3, rng=rng, start="he", order="parallel", dtype=np.float64), MAPS),
    "SE": (lambda rng: SE(4, 2, rng=rng, start="he", dtype=np.float64), MAPS),
    "Normalise": (normalise, MAPS),
    "Sequential": (lambda rng: Sequential(first=conv_bn(rng), relu=ReLU(), pool=MaxPool2d(2)), MAPS),
    "Residual": (lambda rng: Residual(conv_bn(rng)), MAPS),
    "Residual with shortcut": (lambda rng: Residual(conv_bn(rng, 3, stride=2), conv_bn(rng, 3, stride=2)), MAPS),
}


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("name", LAYERS)
def test_backward_is_the_gradient_of_forward(name, training, rng):
    make, shape = LAYERS[name]
    layer, x = make(rng), distinct(rng, *shape)
    out = layer.forward(x, training)
    dout = rng.normal(size=out.shape)
    dx, grads = layer.backward(dout), dict(layer.grads)
    check_gradient(lambda moved: layer.forward(moved, training), x, dout, dx)
    assert grads.keys() == layer.params.keys()
    for key, array in layer.params.items():

        def along(moved, array=array):
            kept = array.copy()
            array[...] = moved
            out = layer.forward(x, training)
            array[...] = kept
            return out

        check_gradient(along, array, dout, grads[key])


def test_batch_norm_keeps_running_averages_in_training_only(rng):
    bn, mean, var = BatchNorm2d(3, momentum=0.2), np.zeros(3), np.ones(3)
    for _ in range(3):
        x = rng.normal(1, 2, (4, 3, 5, 5)).astype(np.float32)
        bn.forward(x, training=True)
        mean = 0.8 * mean + 0.2 * x.mean(axis=(0, 2, 3))
        var = 0.8 * var + 0.2 * x.var(axis=(0, 2, 3), ddof=1)
    assert_same(bn.state["mean"], mean, 1e-6)
    assert_same(bn.state["var"], var, 1e-6)
    kept = {name: array.copy() for name, array in bn.state.items()}
    out = bn.forward(x)
    assert all(np.array_equal(bn.state[name], kept[name]) for name in kept)
    expected = (x - mean[:, None, None]) / np.sqrt(var + 1e-5)[:, None, None]
    assert_same(out, expected, 1e-5)


def test_normalise_takes_its_numbers_from_the_images(rng):
    images = rng.integers(0, 256, (20, 3, 8, 8), dtype=np.uint8)
    images[:, 2] = 7  # nothing to divide by
    layer = Normalise(3)
    layer.fit(images)
    assert_same(layer.state["mean"], images.mean(axis=(0, 2, 3)), 1e-6)
    assert_same(layer.state["std"][:2], images.std(axis=(0, 2, 3))[:2], 1e-6)
    assert layer.state["std"][2] == 1
    out = layer.forward(images)
    assert out.dtype == np.float32
    assert_same(out[:, :2].std(axis=(0, 2, 3)), np.ones(2), 1e-5)
    assert np.abs(out.mean(axis=(0, 2, 3))).max() < 1e-5


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 4, 8, 8), (8,)])
def test_normalise_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"images have shape .*, expected \(N, 3, H, W\).*x\[None\]"):
        Normalise(3).forward(np.zeros(shape, np.uint8))


def test_se_is_channel_attention_on_averages_alone(rng):
    layer, x = SE(4, 2, rng=rng, start="he", dtype=np.float64), rng.normal(size=MAPS)
    assert set(layer.params) == {"W0", "W1"}
    score = np.maximum(x.mean(axis=(2, 3)) @ layer.params["W0"].T, 0) @ layer.params["W1"].T
    assert_same(layer.forward(x), x / (1 + np.exp(-score))[:, :, None, None])


def test_a_layer_without_mathematics_says_so():
    with pytest.raises(TypeError, match="Layer does not say what its forward is"):
        Layer().forward(None)
    with pytest.raises(TypeError, match="Layer does not say what its backward is"):
        Layer().backward(None)


def test_two_layers_share_nothing():
    assert ReLU().params is not ReLU().params and ReLU().state is not ReLU().state


def test_residual_needs_equal_shapes(rng):
    block = Residual(conv_bn(rng, 3, stride=2))
    with pytest.raises(ValueError, match=r"shortcut's output has shape \(2, 4, 5, 5\), expected \(2, 3, 3, 3\)"):
        block.forward(rng.normal(size=MAPS))


def test_a_container_names_its_layers_and_their_arrays(rng):
    block = Residual(conv_bn(rng, 3, stride=2), conv_bn(rng, 3, stride=2))
    names = [name for name, _ in block.layers()]
    assert names == ["", "branch", "branch.conv", "branch.bn", "shortcut", "shortcut.conv", "shortcut.bn"]
    assert set(block.params) >= {"branch.conv.W", "shortcut.bn.gamma"}
    assert set(block.state_dict()) == {
        f"{path}.{array}"
        for path in ("branch", "shortcut")
        for array in ("conv.W", "bn.gamma", "bn.beta", "bn.mean", "bn.var")
    }
    assert block.branch.conv is dict(block.layers())["branch.conv"]
    with pytest.raises(AttributeError, match="Residual has no layer 'head', only branch, shortcut"):
        block.head  # noqa: B018
    with pytest.raises(AttributeError):
        Container.__new__(Container).branch  # noqa: B018, half-made, as in copying: no endless search


def test_backward_before_forward_says_so(rng):
    with pytest.raises(AttributeError, match="CBAM has no 'cache': run forward before backward"):
        CBAM(4, 2, rng=rng).backward(np.ones((1, 4, 3, 3)))


def test_randomness_is_handed_in():
    with pytest.raises(TypeError, match="rng is 3, expected a generator"):
        Linear(2, 3, rng=3)


def test_state_dict_goes_there_and_back(rng):
    one, other = conv_bn(rng), conv_bn(rng)
    one.forward(rng.normal(size=MAPS), training=True)
    other.load_state_dict(one.state_dict())
    for name, array in one.state_dict().items():
        assert np.array_equal(other.state_dict()[name], array)
        assert not np.shares_memory(other.state_dict()[name], array)
    x = rng.normal(size=MAPS)
    assert np.array_equal(one.forward(x), other.forward(x))


def test_load_state_dict_lists_all_that_is_wrong_and_changes_nothing(rng):
    layer = conv_bn(rng)
    kept = {name: array.copy() for name, array in layer.state_dict().items()}
    wrong = {name: array + 1 for name, array in kept.items()}
    del wrong["bn.beta"]
    wrong["head.W"] = np.zeros(2)
    wrong["bn.mean"] = np.zeros((4, 1))
    with pytest.raises(ValueError, match="the arrays are not this network's") as error:
        layer.load_state_dict(wrong)
    for part in ("bn.beta is missing", "head.W is unexpected", "bn.mean has shape (4, 1), expected (4,)"):
        assert part in str(error.value)
    for name, array in layer.state_dict().items():
        assert np.array_equal(array, kept[name])
