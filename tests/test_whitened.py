"""Whitening, Muon, and the network that is made of them."""

import numpy as np
import pytest

from cbam_np.gradcheck import check_gradient
from cbam_np.nn import InPieces, Muon, WhitenedCNN
from cbam_np.nn.layers import GELU, BatchNorm2d, Conv2d, Linear, ReLU
from cbam_np.nn.muon import orthogonalise
from cbam_np.nn.whitening import WhiteningConv2d

from .helpers import assert_same


def correlated(rng, count=40, size=9):
    """Return images whose neighbouring pixels and channels are alike, as in photographs."""
    x = rng.normal(size=(count, 3, size, size))
    x[:, 1:] += 2 * x[:, :1]
    return x + np.roll(x, 1, axis=2) + np.roll(x, 1, axis=3)


def test_whitened_maps_are_uncorrelated_and_of_one_size(rng):
    layer, x = WhiteningConv2d(eps=1e-9, dtype=np.float64), correlated(rng)
    layer.fit(x)
    out = layer.forward(x)
    assert out.shape == (40, 24, 8, 8)
    half = out[:, :12].transpose(1, 0, 2, 3).reshape(12, -1)
    assert_same(half @ half.T / half.shape[1], np.eye(12), 1e-6)
    assert_same(out[:, 12:], -out[:, :12])


def test_epsilon_keeps_directions_without_variance_small(rng):
    x = np.repeat(rng.normal(size=(30, 1, 6, 6)), 3, axis=1)  # three channels alike: 8 of 12 directions are empty
    layer = WhiteningConv2d(eps=1e-2, dtype=np.float64)
    layer.fit(x)
    out = layer.forward(x)[:, :12]
    sizes = (out**2).mean(axis=(0, 2, 3))
    assert (sizes[:4] > 0.9).all() and (sizes[4:] < 1e-6).all()


def test_drawn_filters_are_of_one_size_but_correlated(rng):
    layer, x = WhiteningConv2d(eps=1e-9, dtype=np.float64, rng=np.random.default_rng(1)), correlated(rng)
    layer.fit(x)
    half = layer.forward(x)[:, :12].transpose(1, 0, 2, 3).reshape(12, -1)
    covariance = half @ half.T / half.shape[1]
    assert_same(np.diag(covariance), np.ones(12), 1e-6)
    assert np.abs(covariance - np.eye(12)).max() > 0.3
    other = WhiteningConv2d(dtype=np.float64, rng=np.random.default_rng(2))
    other.fit(x)
    assert not np.allclose(other.state["W"], layer.state["W"])


def test_parts_of_the_network_can_be_exchanged(rng):
    def make(**options):
        return WhitenedCNN(rng=np.random.default_rng(0), widths=(24, 24, 32), **options)

    usual, drawn, relu, he = make(), make(filters="drawn"), make(activation="relu"), make(conv_start="he")
    images = rng.integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
    for model in (usual, drawn, relu, he):
        model.fit_inputs(images)
    assert not np.allclose(drawn.whiten.state["W"], usual.whiten.state["W"])
    assert (relu.whiten.forward(relu.normalise.forward(images)) < 0).any()
    kinds = {type(layer) for _, layer in relu.layers()}
    assert ReLU in kinds and GELU not in kinds
    middle, of_he = (model.params["group1.conv1.W"][:24, :, 1, 1] for model in (usual, he))
    assert np.array_equal(middle, np.eye(24)) and not np.array_equal(of_he, middle)
    last = make(attention="cbam", after=(3,))
    assert {name.split(".")[0] for name in last.params if ".attention." in name} == {"group3"}
    for wrong in ({"filters": "learned"}, {"activation": "tanh"}, {"conv_start": "zero"}):
        with pytest.raises(ValueError, match="expected one of"):
            make(**wrong)


def test_the_gradients_of_whitening(rng):
    layer, x = WhiteningConv2d(dtype=np.float64), correlated(rng, 3, 4)
    with pytest.raises(ValueError, match="the whitening filters are all 0: call fit with training images first"):
        layer.forward(x)
    layer.fit(x)
    out = layer.forward(x, training=True)
    dout = rng.normal(size=out.shape)
    check_gradient(layer.forward, x, dout, layer.backward(dout))
    assert_same(layer.grads["b"], dout.sum(axis=(0, 2, 3)))
    assert layer.grads.keys() == layer.params.keys() == {"b"}  # the filters are not learned
    layer.leave_out_dx()
    assert layer.backward(dout) is None
    assert_same(layer.grads["b"], dout.sum(axis=(0, 2, 3)))


def test_the_smallest_gradients_have_directions_too(rng):
    G = rng.normal(size=(4, 20)).astype(np.float32)
    assert_same(orthogonalise(G * np.float32(1e-30)), orthogonalise(G), 1e-4)


@pytest.mark.parametrize("shape", [(6, 6), (4, 20), (20, 4)])
def test_orthogonalised_steps_have_the_gradients_directions_with_sizes_near_1(shape, rng):
    """The singular vectors stay, and the singular values come near 1: held against the decomposition itself."""
    G = rng.normal(size=shape) * 1e-3
    U, S, Vt = np.linalg.svd(G, full_matrices=False)
    X = orthogonalise(G, steps=5)
    inside = U.T @ X @ Vt.T  # diagonal, if the vectors are the same
    assert np.abs(inside - np.diag(np.diag(inside))).max() < 1e-9
    large = S > 0.05 * S[0]
    assert (np.diag(inside)[large] > 0.6).all() and (np.diag(inside) < 1.25).all()
    assert_same(orthogonalise(G.astype(np.float32), 5), X, 1e-3)


def test_a_step_with_another_polynomial_would_be_caught(rng, monkeypatch):
    monkeypatch.setattr("cbam_np.nn.muon.B", +4.7750)
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(AssertionError):
        test_orthogonalised_steps_have_the_gradients_directions_with_sizes_near_1((4, 20), rng)


@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_is_its_formula(nesterov, rng):
    W, mu = rng.normal(size=(4, 3, 3, 3)), 0.6
    expected, velocity = W.copy(), np.zeros_like(W)
    optimiser = Muon({"W": W}, mu, nesterov)
    for lr in (0.2, 0.1):
        g = rng.normal(size=W.shape)
        optimiser.step({"W": g.copy()}, lr)
        velocity = mu * velocity + g
        u = g + mu * velocity if nesterov else velocity
        expected = expected * 2 / np.linalg.norm(expected)  # √4
        expected = expected - lr * orthogonalise(u.reshape(4, -1)).reshape(u.shape)
        assert_same(W, expected)


def test_muon_is_for_matrices():
    with pytest.raises(ValueError, match="b has one axis, expected kernels or matrices: give vectors to SGD"):
        Muon({"b": np.zeros(3)})


def test_batch_normalisation_without_scale(rng):
    x, dout = rng.normal(size=(2, 5, 3, 4, 4))
    plain, scaled = BatchNorm2d(3, scale=False, dtype=np.float64), BatchNorm2d(3, dtype=np.float64)
    assert_same(plain.forward(x, True), scaled.forward(x, True))
    assert_same(plain.backward(dout), scaled.backward(dout))
    assert plain.params.keys() == plain.grads.keys() == {"beta"}
    assert_same(plain.grads["beta"], scaled.grads["beta"])


def test_a_scaled_head_without_bias(rng):
    head, x = Linear(6, 3, rng=rng, bias=False, scale=0.25, dtype=np.float64), rng.normal(size=(4, 6))
    out = head.forward(x)
    assert_same(out, x @ head.params["W"].T / 4)
    dout = rng.normal(size=out.shape)
    check_gradient(head.forward, x, dout, head.backward(dout))
    assert_same(head.grads["W"], dout.T @ x / 4)
    assert head.params.keys() == head.grads.keys() == {"W"}


def test_dirac_with_a_uniform_rest(rng):
    conv = Conv2d(4, 9, rng=rng, start="dirac-uniform", dtype=np.float64)
    x = rng.normal(size=(2, 4, 5, 5))
    assert_same(conv.forward(x)[:, :4], x)
    rest = conv.params["W"][4:]
    assert 0.9 / 6 < np.abs(rest).max() <= 1 / 6  # 1/√(4·9)


def small(attention, rng):
    options = {"start": "he"} if attention else {}
    model = WhitenedCNN(attention, rng=rng, widths=(24, 28, 6), reduction=2, dtype=np.float64, **options)
    images = rng.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
    model.fit_inputs(images)
    return model, images


@pytest.mark.parametrize("attention", [None, "cbam"])
def test_the_network_in_pieces_is_the_network(attention, rng):
    model, images = small(attention, rng)
    logits = model.forward(images, training=True)
    dout = rng.normal(size=logits.shape)
    model.backward(dout)
    expected = {name: grad.copy() for name, grad in model.grads.items()}
    assert logits.shape == (12, 10) and expected.keys() == model.params.keys()
    assert model.maxima.cache.x.shape[2:] == (3, 3) and isinstance(model.activation, GELU)
    in_pieces = InPieces(model)
    assert_same(in_pieces.forward(images, training=True), logits)
    in_pieces.backward(dout)
    for name, grad in model.grads.items():
        np.testing.assert_allclose(grad, expected[name], rtol=0, atol=1e-9 * max(1, np.abs(grad).max()), err_msg=name)


def test_the_networks_gradient_of_one_entry_of_each_parameter(rng):
    model, images = small("cbam", rng)
    images = images[:4]
    for _, layer in model.layers():
        if isinstance(layer, BatchNorm2d):
            layer.eps = 0.1  # or a channel that hardly varies is blown up, and no step is small enough
    dout = rng.normal(size=model.forward(images, training=True).shape)
    model.backward(dout)
    for name, grad in list(dict(model.grads).items())[::2]:
        array, at = model.params[name], np.unravel_index(np.abs(grad).argmax(), grad.shape)
        kept, sums = array[at], []
        for step in (1e-5, -1e-5):
            array[at] = kept + step
            sums.append((dout * model.forward(images, training=True)).sum())
        array[at] = kept
        assert (sums[0] - sums[1]) / 2e-5 == pytest.approx(grad[at], rel=1e-4, abs=1e-7), name
