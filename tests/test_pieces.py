"""A network in pieces of the batch does what the network does with the whole batch."""

import numpy as np
import pytest

from cbam_np import SmallCNN
from cbam_np.engine import slices
from cbam_np.nn import InPieces, Residual, Sequential
from cbam_np.nn.layers import BatchNorm2d, Conv2d, GlobalAvgPool, Linear, Normalise, ReLU
from cbam_np.nn.models import Classifier
from cbam_np.ops import conv, steps

from .helpers import assert_same


def small_cnn(attention):
    of = {"channels": (4, 6, 8), "reduction": 2, "start": "he", "dtype": np.float64}
    return SmallCNN(attention, rng=np.random.default_rng(3), **of)


def residual():
    rng = np.random.default_rng(3)
    branch = Sequential(conv=Conv2d(3, 6, rng=rng, dtype=np.float64), bn=BatchNorm2d(6, dtype=np.float64), relu=ReLU())
    shortcut = Sequential(conv=Conv2d(3, 6, 1, rng=rng, dtype=np.float64), bn=BatchNorm2d(6, dtype=np.float64))
    return Classifier(
        normalise=Normalise(dtype=np.float64),
        block=Residual(branch, shortcut),
        average=GlobalAvgPool(),
        head=Linear(6, 10, rng=rng, dtype=np.float64),
    )


NETWORKS = {
    "no attention": lambda: small_cnn(None),
    "SE": lambda: small_cnn("se"),
    "CBAM": lambda: small_cnn("cbam"),
    "residual": residual,
}


def images(rng, count):
    return rng.integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)


def run(network, x, dout):
    logits = network.forward(x, training=True)
    network.backward(dout)
    return logits


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("count", [2, 9, 37])
def test_pieces_do_what_the_network_does(make, count, rng):
    x, dout = images(rng, count), rng.normal(size=(count, 10))
    whole, model = make(), make()
    pieces = InPieces(model)
    assert_same(run(pieces, x, dout), run(whole, x, dout))
    assert len(pieces.twins) == {2: 1, 9: 2, 37: 4}[count]
    assert model.grads.keys() == whole.grads.keys() == whole.params.keys()
    for name, grad in whole.grads.items():
        np.testing.assert_allclose(model.grads[name], grad, rtol=0, atol=1e-11, err_msg=name)
    for name, array in whole.state.items():
        np.testing.assert_allclose(model.state[name], array, rtol=1e-12, err_msg=name)
    assert_same(pieces.forward(x), whole.forward(x))


def test_the_same_bits_with_any_number_of_threads(rng, monkeypatch):
    monkeypatch.setattr(slices, "SLICE_BYTES", 2**17)
    x, dout = images(rng, 64), rng.normal(size=(64, 10))
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(slices, "_threads", lambda threads=threads: threads)
        model = small_cnn("cbam")
        logits = run(InPieces(model), x, dout)
        results.append([logits, *model.grads.values(), *model.state.values()])
    for first, *others in zip(*results, strict=True):
        for other in others:
            np.testing.assert_array_equal(other, first)


def test_inference_remembers_nothing_and_changes_nothing(rng):
    model = small_cnn("cbam")
    before = {name: array.copy() for name, array in model.state.items()}
    pieces = InPieces(model)
    pieces.forward(images(rng, 16))
    for twin in pieces.twins:
        assert not [name for name, layer in twin.layers() if "cache" in vars(layer)]
    for name, array in model.state.items():
        np.testing.assert_array_equal(array, before[name])


def test_a_piece_leaves_the_networks_own_cache_and_gradients_alone(rng):
    model = small_cnn("cbam")
    x = images(rng, 2)
    model.forward(x)
    cache = model.stage1.attention.cache
    InPieces(model).forward(images(rng, 16), training=True)
    assert model.stage1.attention.cache is cache


def test_nobody_computes_the_gradient_of_the_images(rng, monkeypatch):
    asked = []
    backward = conv.Im2col.backward

    def listen(self, dout, x, dx=None):
        asked.append(dx is not None)
        return backward(self, dout, x, dx)

    monkeypatch.setattr(conv.Im2col, "backward", listen)
    x, dout = images(rng, 4), rng.normal(size=(4, 10))
    run(InPieces(small_cnn(None)), x, dout)
    assert asked == [True, True, False]  # the last layer's first
    model = small_cnn(None)
    model.forward(x, training=True)
    assert model.backward(dout).shape == x.shape  # the network itself does


def test_steps_meet_and_hear_of_each_other_in_order():
    def member(name, meetings):
        heard = []
        for meeting in range(meetings):
            heard.append((yield f"{name}{meeting}"))
        return name, heard

    assert steps.alone(member("a", 2)) == ("a", [("a0",), ("a1",)])
    both = steps.together([member("a", 2), member("b", 2)])
    assert both == [("a", [("a0", "b0"), ("a1", "b1")]), ("b", [("a0", "b0"), ("a1", "b1")])]
