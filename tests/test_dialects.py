"""The dialects of CBAM: choices, batch normalisation, first weights. Parity with PyTorch is in test_oracle_*."""

from dataclasses import replace

import numpy as np
import pytest

import cbam_np
import cbam_np.cli
from cbam_np import DIALECTS, cbam_backward, cbam_forward, init_cbam
from cbam_np.gradcheck import check_gradient
from cbam_np.nn import InPieces
from cbam_np.nn.layers import CBAM

from .helpers import assert_same, distinct

NORMED = [name for name, dialect in DIALECTS.items() if dialect.spatial_norm]


def drawn(rng, dialect, channels=6, reduction=2, kernel_size=3):
    """Return parameters of which none is 0."""
    params = init_cbam(channels, reduction, kernel_size, rng=rng, dialect=dialect, start="he")
    return params | {n: rng.normal(size=p.shape) for n, p in params.items() if n in ("b0", "b1", "gamma", "beta")}


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_gradients(dialect, training, rng):
    params, x = drawn(rng, dialect), distinct(rng, 2, 6, 4, 3)
    running = None if training else (np.array([0.3]), np.array([0.8]))

    def forward(**changed):
        inputs = {"x": x, **params, **changed}
        return cbam_forward(inputs.pop("x"), inputs, dialect, running)

    out, cache = forward()
    dout = rng.normal(size=out.shape)
    dx, grads = cbam_backward(dout, cache)
    assert grads.keys() == params.keys()
    check_gradient(lambda moved: forward(x=moved)[0], x, dout, dx)
    for name, gradient in grads.items():
        check_gradient(lambda moved, name=name: forward(**{name: moved})[0], params[name], dout, gradient)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_slices_of_a_large_batch_meet_where_the_normalisation_looks_at_all(dialect, rng, monkeypatch):
    params, x = drawn(rng, dialect), rng.normal(size=(12, 6, 8, 8))
    whole, cache = cbam_forward(x, params, dialect)
    dout = rng.normal(size=whole.shape)
    expected_dx, expected = cbam_backward(dout, cache)
    monkeypatch.setattr("cbam_np.engine.slices.SLICE_BYTES", x[:3].nbytes)
    monkeypatch.setattr("cbam_np.engine.slices.ALONE", 1)
    out, sliced = cbam_forward(x, params, dialect)
    assert len(sliced.slices) == 4
    assert_same(out, whole)
    assert_same(sliced.z_s, cache.z_s)
    dx, grads = cbam_backward(dout, sliced)
    assert_same(dx, expected_dx)
    for name, gradient in grads.items():
        assert_same(gradient, expected[name])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_layer_in_pieces_does_what_it_does_whole(dialect, rng):
    whole = CBAM(6, 2, 3, rng=np.random.default_rng(1), dialect=dialect, start="he", dtype=np.float64)
    pieces = CBAM(6, 2, 3, rng=np.random.default_rng(1), dialect=dialect, start="he", dtype=np.float64)
    split = InPieces(pieces)
    for _ in range(3):
        x = rng.normal(size=(35, 6, 5, 5))
        out = whole.forward(x, training=True)
        assert_same(split.forward(x, training=True), out)
        dout = rng.normal(size=out.shape)
        whole.backward(dout)
        split.backward(dout)
        for name, gradient in whole.grads.items():
            assert_same(pieces.grads[name], gradient)
    assert whole.state.keys() == pieces.state.keys() == ({"mean", "var"} if dialect in NORMED else set())
    for name, array in whole.state.items():
        assert_same(pieces.state[name], array)
    assert_same(split.forward(x), whole.forward(x))


@pytest.mark.parametrize("dialect", NORMED)
def test_running_averages_follow_the_batches_with_the_dialect_s_momentum(dialect, rng):
    layer = CBAM(6, 2, 3, rng=rng, dialect=dialect, start="he", dtype=np.float64)
    x = rng.normal(size=(4, 6, 5, 5))
    layer.forward(x, training=True)
    y, momentum = layer.cache.spatial.y_s, DIALECTS[dialect].norm_momentum
    assert momentum == (0.01 if dialect == "official" else 0.1)
    assert_same(layer.state["mean"], [momentum * y.mean()])
    assert_same(layer.state["var"], [1 - momentum + momentum * y.var(ddof=1)])
    before = {name: array.copy() for name, array in layer.state.items()}
    out = layer.forward(x)
    assert all(np.array_equal(array, before[name]) for name, array in layer.state.items())
    expected, cache = cbam_forward(x, layer.params, dialect, tuple(before.values()))
    assert_same(out, expected)
    assert_same(layer.backward(np.ones_like(out)), cbam_backward(np.ones_like(out), cache)[0])


def test_official_starts_with_half_a_map_and_no_gradient_into_its_kernel(rng):
    params = init_cbam(32, rng=rng, dialect="official")
    out, cache = cbam_forward(rng.normal(size=(2, 32, 6, 6)), params, "official")
    assert (cache.Ms == 0.5).all() and params["gamma"] == 0 and params["W7"].std() > 0.1
    _, grads = cbam_backward(rng.normal(size=out.shape), cache)
    assert not grads["W7"].any() and grads["gamma"].any() and grads["beta"].any()


def test_b1_counts_twice(rng):
    params = drawn(rng, "keras")
    x = rng.normal(size=(1, 6, 3, 3))
    _, cache = cbam_forward(x, params, "keras")
    _, without = cbam_forward(x, params | {"b1": np.zeros(6)}, "keras")
    assert_same(cache.z_c - without.z_c, 2 * params["b1"][None])


@pytest.mark.parametrize(
    ("dialect", "channels", "hidden"),
    [("paper", 64, 4), ("official", 64, 4), ("timm", 24, 2), ("timm", 8, 1), ("timm", 3, 1), ("keras", 64, 8)],
)
def test_hidden_units(dialect, channels, hidden, rng):
    params = init_cbam(channels, rng=rng, dialect=dialect)
    assert params["W0"].shape == (hidden, channels) and params["W1"].shape == (channels, hidden)


def test_official_has_no_floor(rng):
    with pytest.raises(ValueError, match="reduction 16 leaves no hidden unit for 8 channels"):
        init_cbam(8, rng=rng, dialect="official")


def test_first_weights():
    rng = np.random.default_rng(0)
    official = init_cbam(256, rng=rng, dialect="official")
    assert official["W7"].std() == pytest.approx(np.sqrt(2 / 49), rel=0.15)  # fan-out: one map, 7×7
    assert np.abs(official["W0"]).max() <= 1 / 16 and not official["b0"].any() and not official["beta"].any()
    timm = init_cbam(256, rng=rng, dialect="timm")
    assert timm["gamma"] == 1 and np.abs(timm["W7"]).max() <= 1 / np.sqrt(98)
    assert np.abs(timm["W1"]).max() == pytest.approx(1 / 4, rel=0.02)  # fan-in 16
    light = init_cbam(32, rng=rng, dialect="timm-light")
    assert light["W7"].shape == (1, 1, 7, 7)
    zero = init_cbam(32, rng=rng, dialect="timm", start="zero")
    assert not zero["W1"].any() and zero["gamma"] == 0 and zero["W7"].any()


def test_the_order_of_the_maps(rng):
    x, params = rng.normal(size=(1, 6, 4, 4)), drawn(rng, "official")
    _, cache = cbam_forward(x, params, "official")
    assert_same(cache.spatial.Fs[:, :1], cache.F1.max(axis=1, keepdims=True))
    assert_same(cache.Fs_avg, cache.F1.mean(axis=1, keepdims=True))


def test_a_rule_for_ties_over_space_and_another_over_channels():
    x = np.ones((1, 2, 2, 2))
    params = {"W0": np.ones((1, 2)), "W1": np.ones((2, 1)), "W7": np.ones((1, 2, 3, 3))}
    dx = {
        ties: cbam_backward(np.ones_like(x), cbam_forward(x, params, ties=ties)[1])[0]
        for ties in ("first", "split", ("first", "split"), ("split", "first"))
    }
    assert all(not np.allclose(dx[a], dx[b]) for a in dx for b in dx if a != b)
    assert_same(dx["split"][0, 0], dx["split"][0, 1])
    assert not np.allclose(dx["split", "first"][0, 0], dx["split", "first"][0, 1])  # the channels are told apart
    assert_same(dx["split", "first"][0, 0], dx["split", "first"][0, 0].T)


@pytest.mark.parametrize(
    ("dialect", "changed", "message"),
    [
        (
            "paper",
            {"gamma": np.ones(1)},
            "params has gamma, but this dialect has no batch normalisation after the conv",
        ),
        ("timm", {"gamma": None}, "params has no 'gamma', only"),
        ("timm", {"gamma": np.ones(2)}, "gamma has shape"),
    ],
)
def test_errors(dialect, changed, message, rng):
    params = drawn(rng, dialect) | changed
    params = {name: p for name, p in params.items() if p is not None}
    with pytest.raises(ValueError, match=message):
        cbam_forward(rng.normal(size=(2, 6, 4, 4)), params, dialect)


def test_one_value_has_no_variance(rng):
    with pytest.raises(ValueError, match="one value per channel"):
        cbam_forward(rng.normal(size=(1, 6, 1, 1)), drawn(rng, "timm"), "timm")


def test_networks_take_a_dialect(rng):
    model = cbam_np.SmallCNN("cbam", rng=rng, channels=(16, 32), dialect="official")
    assert model.stage1.attention.dialect == DIALECTS["official"]
    names = {name for name in model.state_dict() if "stage1.attention" in name}
    assert {f"stage1.attention.{name}" for name in ("W0", "b0", "gamma", "mean", "var")} <= names
    changed = cbam_np.SmallCNN("cbam", rng=rng, channels=(16, 32), dialect="official", order="parallel")
    assert changed.stage1.attention.dialect == replace(DIALECTS["official"], order="parallel")


def test_comparing_the_dialects_on_the_lecture_s_example():
    found = cbam_np.compare_dialects()
    assert [row.name for row in found.rows] == list(DIALECTS)
    paper = cbam_np.lecture.trace()
    np.testing.assert_allclose(found["paper"].Mc, paper["M_c"].value)
    np.testing.assert_allclose(found["paper"].out, paper["F''"].value)
    assert found["paper"].choices == () and found["paper"].difference == 0 == found["luuuyi"].difference
    z_c = paper["z_c"].value.astype(float)
    np.testing.assert_allclose(found["keras"].Mc, 1 / (1 + np.exp(-z_c - 0.5)))  # b1 = 1/4 counts twice
    z_s = paper["z_s"].value
    normed = (z_s - z_s.mean()) / np.sqrt(z_s.var() + 1e-5)
    np.testing.assert_allclose(found["timm"].Ms, 1 / (1 + np.exp(-normed)))
    for row in found.rows:
        assert row.difference == np.abs(row.out - found["paper"].out).max()
    text = str(found)
    assert "official  0.8748" in text and "luuuyi:     initial weights: fan-out" in text
    assert "keras:      tied maxima: split; MLP with biases, so that b1 counts twice; r = 8" in text
    assert max(map(len, text.splitlines())) <= 80
    page = found._repr_html_()
    assert page.count('<th scope="row"') == len(DIALECTS) and '<th scope="col" style="text-align:left' in page


def test_comparing_the_dialects_on_another_map(rng):
    F = rng.normal(size=(5, 4, 3))
    params = init_cbam(5, 2, 3, rng=rng)
    found = cbam_np.compare_dialects(F, params)
    np.testing.assert_allclose(found["paper"].out, cbam_forward(F[None], params)[0][0])
    assert cbam_np.compare_dialects(F)["timm"].out.shape == F.shape
    with pytest.raises(ValueError, match="F has"):
        cbam_np.compare_dialects(F[0])


def test_the_command_prints_the_table(capsys):
    assert cbam_np.cli.main(["dialects"]) == 0
    assert capsys.readouterr().out == str(cbam_np.compare_dialects()) + "\n"


def test_fan_out_starts_as_the_resnets_of_timm_and_luuuyi_do(rng):
    """N(0, 2 / (k²·outputs)) for every convolution, those of the MLP included; luuuyi's default."""
    assert DIALECTS["luuuyi"].start == "fan-out"
    params = init_cbam(2048, 16, 7, rng=rng, dialect="luuuyi")
    for name, deviation in (("W0", np.sqrt(2 / 128)), ("W1", np.sqrt(2 / 2048)), ("W7", np.sqrt(2 / 49))):
        assert params[name].std() == pytest.approx(deviation, rel=0.2 if name == "W7" else 0.02)
    params = init_cbam(64, 16, 7, rng=rng, dialect="timm", start="fan-out")
    assert params["gamma"] == 1 and params["beta"] == 0
