import pickle
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cbam_np
from cbam_np import cbam, ops
from cbam_np.cbam import DIALECTS, ORDERS, Dialect, cbam_backward, cbam_forward, cbam_gradients, init_cbam
from cbam_np.cbam.caches import joined
from cbam_np.cbam.pools import NotFiniteError
from cbam_np.engine import slices
from cbam_np.ops.pooling import TIES

from .helpers import LECTURE_F, PROMISES, Pair, assert_same, check_pair, distinct, examples, tied
from .oracle.cases import draw_biases

POOL_SUBSETS = [("avg", "max"), ("max", "avg"), ("avg",), ("max",)]
options = st.fixed_dictionaries(
    {
        "order": st.sampled_from(list(ORDERS)),
        "channel_pools": st.sampled_from(POOL_SUBSETS),
        "spatial_pools": st.sampled_from(POOL_SUBSETS),
        "ties": st.sampled_from(TIES),
        "mlp_bias": st.booleans(),
    }
)
seeds = st.integers(0, 2**32 - 1)


class Case(NamedTuple):
    """A feature map, parameters, and the options that belong to both."""

    x: np.ndarray
    params: dict
    options: dict

    def pair(self):
        """CBAM as a pair on plain arrays: x, then the parameters in the order of their names."""
        names = list(self.params)

        def forward(x, *parameters):
            return cbam_forward(x, dict(zip(names, parameters, strict=True)), **self.options)

        def backward(dout, cache):
            dx, grads = cbam_backward(dout, cache)
            assert set(grads) == set(names)
            return dx, *(grads[name] for name in names)

        return Pair(forward, backward, (self.x, *self.params.values()))


def make_case(rng, shape=(2, 4, 3, 5), reduction=2, k=3, make=distinct, **options):
    params = draw_biases(rng, init_cbam(shape[1], reduction, k, rng=rng, **options))
    return Case(make(rng, *shape), params, options)


@st.composite
def cases(draw, make=distinct):
    shape = tuple(draw(st.integers(1, largest)) for largest in (2, 5, 4, 4))
    reduction, k = draw(st.integers(1, shape[1])), draw(st.sampled_from([1, 3, 5, 7]))
    rng = np.random.default_rng(draw(seeds))
    return make_case(rng, shape, reduction, k, make, **draw(options)), rng


def nearest_kink(cache):
    """Return how far the nearest kink is: a hidden unit from 0, a maximum from the next largest number."""
    distances = [np.inf]
    if cache.channel is not None:
        distances += [np.abs(mlp.h).min() for mlp in cache.channel.mlps.values()]
    for attention, axis in ((cache.channel, 2), (cache.spatial, 1)):
        if attention is not None and "max" in attention.pools:
            F = attention.F.reshape(*attention.F.shape[:2], -1)
            if F.shape[axis] > 1:
                distances.append(np.diff(np.sort(F, axis=axis), axis=axis).take(-1, axis=axis).min())
    return min(distances)


# Gradients and the promises of a pair.


@examples(80)
@given(cases())
def test_gradients_of_cbam(drawn):
    case, _ = drawn
    assume(nearest_kink(cbam_forward(case.x, case.params, **case.options)[1]) > 1e-3)
    assume(case.pair().has_slope())
    check_pair(case.pair(), np.random.default_rng(0))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("mlp_bias", [False, True], ids=["no biases", "biases"])
def test_gradients_of_every_order_with_the_lecture_s_kernel(order, ties, mlp_bias):
    for seed in range(20):  # a seed whose maxima and hidden units are away from their kinks
        rng = np.random.default_rng(seed)
        case = make_case(rng, (2, 6, 4, 5), 3, 7, order=order, ties=ties, mlp_bias=mlp_bias)
        if nearest_kink(cbam_forward(case.x, case.params, **case.options)[1]) > 1e-3:
            return check_pair(case.pair(), rng)
    pytest.fail("no seed without a kink")


def attention_pair(rng, name, **options):
    """Channel or spatial attention alone, as a pair on plain arrays."""
    case = make_case(rng, order=name, **options)
    names = list(case.params)
    forward = getattr(cbam, f"{name}_attention_forward")
    backward = getattr(cbam, f"{name}_attention_backward")

    def flat_backward(dM, cache):
        dF, grads = backward(dM, cache)
        return dF, *(grads[n] for n in names)

    def flat_forward(F, *parameters):
        return forward(F, dict(zip(names, parameters, strict=True)), **options)

    return Pair(flat_forward, flat_backward, (case.x, *case.params.values()))


def mlp_pair(rng, *, biases=False):
    v, W0, W1 = (rng.normal(size=shape) for shape in ((3, 4), (2, 4), (4, 2)))
    b0_b1 = (rng.normal(size=2), rng.normal(size=4)) if biases else ()
    return Pair(cbam.mlp_forward, cbam.mlp_backward, (v, W0, W1, *b0_b1))


def gate_pair(rng, *map_shape):
    return Pair(cbam.gate_forward, cbam.gate_backward, (distinct(rng, 2, 4, 3, 5), rng.normal(size=map_shape)))


PAIRS = {
    **{f"cbam {order}": lambda rng, order=order: make_case(rng, order=order).pair() for order in ORDERS},
    "cbam split": lambda rng: make_case(rng, ties="split").pair(),
    "cbam with biases": lambda rng: make_case(rng, mlp_bias=True).pair(),
    "cbam of one channel and one pixel": lambda rng: make_case(rng, (2, 1, 1, 1), 1, 1).pair(),
    "channel attention": partial(attention_pair, name="channel"),
    "spatial attention": partial(attention_pair, name="spatial"),
    "channel attention with biases": partial(attention_pair, name="channel", mlp_bias=True),
    "mlp": mlp_pair,
    "mlp with biases": partial(mlp_pair, biases=True),
    "gate of channels": lambda rng: gate_pair(rng, 2, 4, 1, 1),
    "gate of pixels": lambda rng: gate_pair(rng, 2, 1, 3, 5),
}


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("make_pair", PAIRS.values(), ids=PAIRS)
def test_pairs_keep_their_promises(make_pair, promise, rng):
    promise(make_pair(rng), rng)


def test_a_dropped_branch_of_the_shared_mlp_would_be_caught(rng):
    case = make_case(rng, order="channel")
    pair = case.pair()

    def backward_without_max(dout, cache):
        g = cbam_gradients(dout, cache)
        return g.dF, g.channel.mlps["avg"].dW0, g.channel.dW1

    with pytest.raises(AssertionError, match="relative error"):
        check_pair(pair._replace(backward=backward_without_max), rng)


def test_a_bias_counted_in_one_branch_alone_would_be_caught(rng):
    case = make_case(rng, order="channel", mlp_bias=True)
    pair = case.pair()

    def backward_with_b1_once(dout, cache):
        g = cbam_gradients(dout, cache)
        return g.dF, *(g.params | {"b1": g.channel.mlps["max"].db1}).values()

    check_pair(pair, rng)
    with pytest.raises(AssertionError, match="relative error"):
        check_pair(pair._replace(backward=backward_with_b1_once), rng)


# The lecture.


def lecture_params(number=float):
    """W_0 = 0.5 and W_1 = 1 on each channel by itself: times the unit matrix, r = 1."""
    as_numbers = np.vectorize(number, otypes=[object if number is Fraction else float])
    return {"W0": as_numbers(np.eye(3)) / 2, "W1": as_numbers(np.eye(3)), "W7": np.zeros((1, 2, 7, 7))}


def test_the_lecture_s_channel_weights():
    _, cache = cbam_forward(LECTURE_F, lecture_params())
    assert_same(cache.F_avg, [[8 / 9, 8 / 9, 10 / 9]])
    assert cache.F_max.tolist() == [[2, 2, 2]]
    assert_same(cache.z_c, [[13 / 9, 13 / 9, 14 / 9]])
    assert cache.Mc.shape == (1, 3, 1, 1)
    assert_same(cache.Mc[0, :, 0, 0], [0.809141955755135, 0.809141955755135, 0.825714678821415], 1e-14)
    assert_same(cache.F1, cache.Mc * LECTURE_F)
    assert_same(cache.F1[0, 0, 1, 0], 2 * cache.Mc[0, 0, 0, 0])


def test_the_lecture_s_spatial_weights():
    params = lecture_params()
    out, cache = cbam_forward(LECTURE_F, params)
    assert (cache.Ms == 0.5).all()  # a kernel of zeros has no opinion
    assert_same(out, cache.F1 / 2)
    F1 = cache.F1[0]
    assert_same(cache.Fs_avg[0, 0, 0, 0], (F1[0, 0, 0] + F1[1, 0, 0] + F1[2, 0, 0]) / 3)  # the slide's pixel [1,1]
    assert_same(cache.Fs_max[0, 0], F1.max(axis=0))
    _, cache = cbam_forward(LECTURE_F, {**params, "W7": np.full((1, 2, 7, 7), 0.01)})
    score = 0.01 * (cache.Fs_avg.sum() + cache.Fs_max.sum())  # the window covers the map from every pixel
    assert_same(cache.z_s, np.full((1, 1, 3, 3), score))


def test_fractions_are_exact_up_to_the_sigmoid():
    F = np.vectorize(Fraction, otypes=[object])(LECTURE_F.astype(int))
    out, cache = cbam_forward(F, lecture_params(Fraction))
    assert cache.F_avg.tolist() == [[Fraction(8, 9), Fraction(8, 9), Fraction(10, 9)]]
    assert cache.channel.mlps["avg"].h[0, 0] == Fraction(4, 9)
    assert cache.channel.mlps["max"].z[0, 0] == 1
    assert cache.z_c.tolist() == [[Fraction(13, 9), Fraction(13, 9), Fraction(14, 9)]]
    assert all(isinstance(z, Fraction) for z in cache.z_c.flat)
    assert cache.Mc.dtype == out.dtype == np.float64
    assert_same(out, cbam_forward(LECTURE_F, lecture_params())[0], 1e-15)


@pytest.mark.parametrize("ties", TIES)
def test_the_lecture_s_ties_reach_the_gradient(ties):
    out, cache = cbam_forward(LECTURE_F, lecture_params(), order="channel", ties=ties)
    g = cbam_gradients(np.ones_like(out), cache)
    by_hand = ops.max_pool_backward_loops(g.channel.mlps["max"].dv, LECTURE_F.astype(float), ties=ties)
    assert_same(g.channel.dF_from["max"], by_hand)
    assert np.count_nonzero(by_hand[0, 2]) == {"first": 1, "split": 3}[ties]


# The biases of the MLP, which the paper and the lecture leave out.


def test_b1_counts_in_both_branches_and_b0_inside_the_relu():
    b0, b1 = np.array([Fraction(-1, 2)] * 3), np.array([Fraction(1, 8), Fraction(0), Fraction(-1, 3)])
    F, params = np.vectorize(Fraction, otypes=[object])(LECTURE_F.astype(int)), lecture_params(Fraction)
    out, cache = cbam_forward(F, {**params, "b0": b0, "b1": b1}, mlp_bias=True)
    avg, most = cache.channel.mlps["avg"], cache.channel.mlps["max"]
    assert avg.h.tolist() == [[Fraction(4, 9) - Fraction(1, 2)] * 2 + [Fraction(5, 9) - Fraction(1, 2)]]
    assert avg.a.tolist() == [[0, 0, Fraction(1, 18)]]
    assert most.a.tolist() == [[Fraction(1, 2)] * 3]
    assert avg.z.tolist() == [[Fraction(1, 8), 0, Fraction(1, 18) - Fraction(1, 3)]]
    in_words = [Fraction(1, 2) + 2 * b1[0], Fraction(1, 2), Fraction(1, 18) + Fraction(1, 2) + 2 * b1[2]]
    assert cache.z_c.tolist() == [in_words]
    assert all(isinstance(z, Fraction) for z in cache.z_c.flat)  # exact up to the sigmoid
    assert_same(cache.Mc[0, :, 0, 0], sigmoid(np.array(in_words, float)))
    floats = {name: np.array(p, float) for name, p in {**params, "b0": b0, "b1": b1}.items()}
    assert_same(out, cbam_forward(LECTURE_F, floats, mlp_bias=True)[0], 1e-15)


@pytest.mark.parametrize("mixed", ["b0", "b1"])
def test_a_bias_of_floats_ends_the_exactness_and_nothing_else(mixed):
    F, params = np.vectorize(Fraction, otypes=[object])(LECTURE_F.astype(int)), lecture_params(Fraction)
    biases = {"b0": np.array([Fraction(1, 3)] * 3), "b1": np.array([Fraction(1, 7)] * 3)}
    exact, _ = cbam_forward(F, {**params, **biases}, mlp_bias=True)
    biases[mixed] = biases[mixed].astype(float)
    out, cache = cbam_forward(F, {**params, **biases}, mlp_bias=True)
    assert cache.z_c.dtype == np.float64
    assert isinstance(cache.F_avg[0, 0], Fraction)
    assert_same(out, exact, 1e-15)
    assert cbam_backward(out, cache)[1]["b1"].dtype == np.float64


@pytest.mark.parametrize("pools", POOL_SUBSETS)
def test_the_gradient_of_a_bias_adds_over_images_and_branches(pools, rng):
    case = make_case(rng, (3, 4, 2, 2), channel_pools=pools, mlp_bias=True)
    out, cache = cbam_forward(case.x, case.params, **case.options)
    g = cbam_gradients(rng.normal(size=out.shape), cache)
    assert_same(g.channel.db1, len(pools) * g.channel.dz_c.sum(axis=0))
    assert_same(g.channel.db0, sum(mlp.dh for mlp in g.channel.mlps.values()).sum(axis=0))
    assert list(g.channel.params) == ["W0", "b0", "W1", "b1"]
    assert list(g.params) == ["W7", "W0", "b0", "W1", "b1"]


def test_without_biases_there_are_no_gradients_for_them(rng):
    case = make_case(rng)
    out, cache = cbam_forward(case.x, case.params)
    channel = cbam_gradients(out, cache).channel
    assert channel.db0 is channel.db1 is channel.mlps["avg"].db0 is channel.mlps["max"].db1 is None
    assert set(channel.params) == {"W0", "W1"}


@pytest.mark.parametrize("given", [(), ("b0",), ("b1",), ("b0", "b1")])
def test_the_mlp_gives_a_gradient_for_each_array_that_it_was_given(given, rng):
    v, W0, W1, b0, b1 = mlp_pair(rng, biases=True).arrays
    z, cache = cbam.mlp_forward(v, W0, W1, **{name: b for name, b in (("b0", b0), ("b1", b1)) if name in given})
    dz = rng.normal(size=z.shape)
    gradients, named = cbam.mlp_backward(dz, cache), cbam.mlp.mlp_gradients(dz, cache)
    expected = [named.dv, named.dW0, named.dW1, *(getattr(named, f"d{name}") for name in given)]
    assert [g.tolist() for g in gradients] == [g.tolist() for g in expected]
    assert (named.db0 is None, named.db1 is None) == ("b0" not in given, "b1" not in given)


@pytest.mark.parametrize("order", ORDERS)
def test_biases_of_0_change_nothing(order):
    plain, biased = (
        init_cbam(8, 2, 3, rng=np.random.default_rng(5), order=order, mlp_bias=mlp_bias) for mlp_bias in (False, True)
    )
    for name in plain:
        assert np.array_equal(plain[name], biased[name])  # the same draws
    x = np.random.default_rng(6).normal(size=(2, 8, 3, 3))
    out, cache = cbam_forward(x, plain, order=order)
    same, same_cache = cbam_forward(x, biased, order=order, mlp_bias=True)
    assert np.array_equal(out, same)
    (dx, grads), (same_dx, same_grads) = cbam_backward(x, cache), cbam_backward(x, same_cache)
    assert np.array_equal(dx, same_dx)
    assert all(np.array_equal(grads[name], same_grads[name]) for name in plain)
    assert set(same_grads) == set(biased)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_biases_start_at_0(dtype, rng):
    params = init_cbam(8, 4, rng=rng, mlp_bias=True, dtype=dtype)
    assert list(params) == ["W0", "b0", "W1", "b1", "W7"]
    assert (params["b0"].tolist(), params["b1"].tolist()) == ([0] * 2, [0] * 8)
    assert {p.dtype for p in params.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        (
            {"b0": None},
            {},
            r"params has no 'b0', only \['W0', 'W1', 'W7', 'b1'\]: make it with init_cbam and the same opt",
        ),
        ({"b1": None}, {}, r"params has no 'b1', only \['W0', 'W1', 'W7', 'b0'\]"),
        (
            {"b0": np.ones(4)},
            {},
            r"b0 has shape \(4,\), expected \(2,\): one bias per hidden unit",
        ),
        ({"b1": np.ones(2)}, {}, r"b1 has shape \(2,\), expected \(4,\): one bias per channel"),
        ({"b1": np.ones((4, 1))}, {}, r"b1 has 2 axes, shape \(4, 1\); expected 1, \(channels\)"),
        ({"b0": np.array([0, np.nan])}, {}, r"b0\[1\] is nan, expected finite numbers: check where b0 came from"),
        (
            {},
            {"mlp_bias": False},
            "params has b0 and b1, but this dialect's MLP has no biases: pass mlp_bias=True, or leave them out",
        ),
        ({"b0": None}, {"mlp_bias": False}, "params has b1, but .*: pass mlp_bias=True, or leave it out"),
        ({"b1": None}, {"mlp_bias": False, "order": "channel"}, "params has b0, but .* or leave it out"),
    ],
)
def test_biases_that_do_not_fit_are_answered_in_words(changed, options, message, rng):
    params = {**init_cbam(4, 2, 3, rng=rng, mlp_bias=True), **changed}
    with pytest.raises(ValueError, match=message):
        cbam_forward(
            ones(1, 4, 5, 5), {n: p for n, p in params.items() if p is not None}, **{"mlp_bias": True} | options
        )


# The formulas, once more and inline.


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_formula(x, p, order):
    """CBAM by its formulas, with loops for the convolution."""

    def Mc(F):
        b0, b1 = p.get("b0", 0), p.get("b1", 0)
        z_c = sum(np.maximum(v @ p["W0"].T + b0, 0) @ p["W1"].T + b1 for v in (F.mean((2, 3)), F.max((2, 3))))
        return sigmoid(z_c)[:, :, None, None]

    def Ms(F):
        Fs = np.stack([F.mean(1), F.max(1)], axis=1)
        return sigmoid(ops.conv2d_forward_loops(Fs, p["W7"], padding=p["W7"].shape[-1] // 2))

    if order == "parallel":
        return Ms(x) * Mc(x) * x
    for M in {"channel": [Mc], "spatial": [Ms], "channel-spatial": [Mc, Ms], "spatial-channel": [Ms, Mc]}[order]:
        x = M(x) * x
    return x


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("make", [tied, distinct])
@pytest.mark.parametrize("mlp_bias", [False, True], ids=["no biases", "biases"])
def test_every_order_is_its_formula(order, make, mlp_bias, rng):
    case = make_case(rng, (2, 6, 5, 4), make=make, order=order, mlp_bias=mlp_bias)
    assert_same(cbam_forward(case.x, case.params, **case.options)[0], by_formula(case.x, case.params, order))


def test_the_orders_differ(rng):
    case = make_case(rng)
    outs = [cbam_forward(case.x, case.params, order=order)[0] for order in ORDERS]
    for i, out in enumerate(outs):
        assert all(np.abs(out - other).max() > 1e-3 for other in outs[:i])


def test_squeeze_and_excitation_is_channel_attention_of_the_average(rng):
    x, p = rng.normal(size=(3, 8, 4, 4)), init_cbam(8, 4, rng=rng, order="channel")
    out, cache = cbam_forward(x, p, order="channel", channel_pools=("avg",))
    s = sigmoid(np.maximum(x.mean(axis=(2, 3)) @ p["W0"].T, 0) @ p["W1"].T)
    assert_same(out, x * s[:, :, None, None])
    assert set(p) == set(cbam_backward(np.ones_like(out), cache)[1]) == {"W0", "W1"}


def test_the_maps_are_concatenated_in_the_order_of_the_pools(rng):
    case = make_case(rng, order="spatial")
    other_way = {"W7": case.params["W7"][:, ::-1]}
    out, _ = cbam_forward(case.x, case.params, order="spatial")
    swapped, cache = cbam_forward(case.x, other_way, order="spatial", spatial_pools=("max", "avg"))
    assert_same(swapped, out)
    assert_same(cache.Fs_avg, case.x.mean(axis=1, keepdims=True))
    assert_same(cache.Fs_max, case.x.max(axis=1, keepdims=True))


# What is true of every CBAM.


@given(cases(tied))
def test_an_image_knows_nothing_of_its_batch(drawn):
    case, rng = drawn
    x = np.concatenate([case.x, distinct(rng, *case.x.shape)])
    dout = rng.normal(size=x.shape)
    out, cache = cbam_forward(x, case.params, **case.options)
    dx, grads = cbam_backward(dout, cache)
    total = dict.fromkeys(grads, 0)
    for n in range(len(x)):
        one, one_cache = cbam_forward(x[n : n + 1], case.params, **case.options)
        one_dx, one_grads = cbam_backward(dout[n : n + 1], one_cache)
        assert_same(one[0], out[n])
        assert_same(one_dx[0], dx[n], scale=1e-3)
        total = {name: total[name] + g for name, g in one_grads.items()}
    for name, g in grads.items():
        assert_same(total[name], g, scale=1e-3)


@given(cases(tied))
def test_a_gate_only_turns_down(drawn):
    case, _ = drawn
    out, cache = cbam_forward(case.x, case.params, **case.options)
    assert (np.abs(out) <= np.abs(case.x)).all()
    assert (np.sign(out) == np.sign(case.x)).all()
    for attention, M in (("channel", "Mc"), ("spatial", "Ms")):
        if getattr(cache, attention) is not None:
            assert ((getattr(cache, M) > 0) & (getattr(cache, M) <= 1)).all()


def test_the_order_of_the_batch_does_not_matter(rng):
    case = make_case(rng, (5, 4, 3, 3), make=tied)
    shuffled = rng.permutation(5)
    assert_same(cbam_forward(case.x[shuffled], case.params)[0], cbam_forward(case.x, case.params)[0][shuffled])


def test_channel_attention_does_not_know_where(rng):
    case = make_case(rng, (2, 4, 3, 3), order="channel")
    shuffled = rng.permutation(9)

    def shuffle(a):
        return a.reshape(2, 4, 9)[:, :, shuffled].reshape(2, 4, 3, 3)

    out, _ = cbam_forward(case.x, case.params, order="channel")
    assert_same(cbam_forward(shuffle(case.x), case.params, order="channel")[0], shuffle(out))


def test_spatial_attention_does_not_know_what(rng):
    case = make_case(rng, (2, 5, 3, 3), order="spatial")
    shuffled = rng.permutation(5)
    out, _ = cbam_forward(case.x, case.params, order="spatial")
    assert_same(cbam_forward(case.x[:, shuffled], case.params, order="spatial")[0], out[:, shuffled])


def test_a_mirrored_picture_and_kernel_give_a_mirrored_result(rng):
    case = make_case(rng)
    mirrored = {**case.params, "W7": case.params["W7"][..., ::-1]}
    out, _ = cbam_forward(case.x, case.params)
    assert_same(cbam_forward(case.x[..., ::-1], mirrored)[0], out[..., ::-1])


# The cache and the gradients by name.


def test_the_cache_carries_the_lecture_s_names(rng):
    case = make_case(rng)
    out, cache = cbam_forward(case.x, case.params)
    N, C, H, W = case.x.shape
    shapes = {
        "F_avg": (N, C), "F_max": (N, C), "z_c": (N, C), "Mc": (N, C, 1, 1), "F1": (N, C, H, W),
        "Fs_avg": (N, 1, H, W), "Fs_max": (N, 1, H, W), "z_s": (N, 1, H, W), "Ms": (N, 1, H, W), "F2": (N, C, H, W),
    }  # fmt: skip
    assert {name: getattr(cache, name).shape for name in shapes} == shapes
    assert np.array_equal(cache.F2, out)
    assert np.array_equal(cache.F, case.x)
    assert_same(cache.F2, cache.Ms * cache.F1)
    assert cache.dialect == DIALECTS["paper"]


@pytest.mark.parametrize(("order", "absent"), [("channel", "spatial"), ("spatial", "channel")])
def test_an_attention_that_is_left_out_is_none(order, absent, rng):
    case = make_case(rng, order=order)
    out, cache = cbam_forward(case.x, case.params, order=order)
    assert getattr(cache, absent) is None
    assert getattr(cbam_gradients(np.ones_like(out), cache), absent) is None
    assert np.array_equal(cache.F1, cache.F2)


@given(cases(tied))
def test_the_gradients_by_name_add_up_to_the_gradients(drawn):
    case, rng = drawn
    out, cache = cbam_forward(case.x, case.params, **case.options)
    dout = rng.normal(size=out.shape)
    dx, grads = cbam_backward(dout, cache)
    g = cbam_gradients(dout, cache)
    assert np.array_equal(g.dF, dx)
    assert np.array_equal(g.dF2, dout)
    assert all(np.array_equal(g.params[name], grads[name]) for name in case.params)
    if g.channel is not None:
        assert_same(sum(m.dW0 for m in g.channel.mlps.values()), grads["W0"])
        assert_same(sum(m.dW1 for m in g.channel.mlps.values()), grads["W1"])
        assert list(g.channel.dF_from) == list(case.options["channel_pools"])
    for attention in filter(None, (g.channel, g.spatial)):
        assert_same(sum(attention.dF_from.values()), attention.dF)
    first, *second = ORDERS[case.options["order"]]
    if case.options["order"] == "parallel":
        assert_same(g.direct["channel"] + g.channel.dF + g.spatial.dF, dx)
        assert_same(g.direct["spatial"], g.dF1)
    else:
        assert_same(g.direct[first] + getattr(g, first).dF, dx)
        expected_dF1 = g.direct[second[0]] + getattr(g, second[0]).dF if second else dout
        assert_same(expected_dF1, g.dF1)


def test_the_package_offers_the_course_s_names():
    assert cbam_np.cbam_forward is cbam_forward
    assert cbam_np.cbam_backward is cbam_backward
    assert cbam_np.init_cbam is init_cbam


# Parameters.


def test_shapes_of_the_parameters(rng):
    shapes = {name: p.shape for name, p in init_cbam(32, rng=rng).items()}
    assert shapes == {"W0": (2, 32), "W1": (32, 2), "W7": (1, 2, 7, 7)}  # r = 16, k = 7
    assert {name: p.shape for name, p in init_cbam(5, 2, 3, rng=rng, spatial_pools=("max",)).items()} == {
        "W0": (2, 5),
        "W1": (5, 2),
        "W7": (1, 1, 3, 3),
    }


@pytest.mark.parametrize("order", ORDERS)
def test_a_start_at_zero_gives_maps_of_one_half_and_can_learn(order, rng):
    he, zero = (
        init_cbam(32, 4, rng=np.random.default_rng(5), order=order, start=start, mlp_bias=True)
        for start in ("he", "zero")
    )
    assert he.keys() == zero.keys()
    for name in he:
        assert np.array_equal(zero[name], he[name]) == (name not in ("W1", "W7"))
    x = rng.normal(size=(2, 32, 5, 5))
    out, cache = cbam_forward(x, zero, order=order, mlp_bias=True)
    assert_same(out, x / 2 ** len(ORDERS[order]))
    _, grads = cbam_backward(rng.normal(size=x.shape), cache)
    for name in {"W1", "W7"} & grads.keys():
        assert np.abs(grads[name]).max() > 0
    after = np.random.default_rng(5)
    init_cbam(32, 4, rng=after, order=order, start="zero")
    alike = np.random.default_rng(5)
    init_cbam(32, 4, rng=alike, order=order)
    assert after.random() == alike.random()  # what is drawn next does not depend on the start
    with pytest.raises(ValueError, match="start is 'one', expected one of 'he', 'zero'"):
        init_cbam(32, rng=rng, start="one")


@pytest.mark.parametrize("order", ORDERS)
def test_only_what_the_order_needs_is_made(order, rng):
    needed = {"channel": {"W0", "W1"}, "spatial": {"W7"}}
    assert set(init_cbam(8, 2, rng=rng, order=order)) == set().union(*(needed[name] for name in ORDERS[order]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_have_the_dtype_asked_for_and_depend_on_rng_alone(dtype):
    a, b, c = (init_cbam(8, 2, rng=np.random.default_rng(seed), dtype=dtype) for seed in (1, 1, 2))
    for name in a:
        assert a[name].dtype == dtype
        assert np.array_equal(a[name], b[name])
        assert not np.array_equal(a[name], c[name])


def test_parameters_are_he_normal(rng):
    p = init_cbam(1024, 4, 51, rng=rng)
    for name, fan_in in {"W0": 1024, "W1": 256, "W7": 2 * 51 * 51}.items():
        assert p[name].std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.05)
        assert abs(p[name].mean()) < 0.1 * np.sqrt(2 / fan_in)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((8, 16), "reduction 16 leaves no hidden unit for 8 channels: choose 1 to 8"),
        ((8, 0), "reduction 0 leaves no hidden unit for 8 channels"),
        ((8, -1), "reduction -1 leaves no hidden unit for 8 channels"),
        ((8, 2, 4), "kernel_size is 4, expected .*odd.*an even kernel has no middle pixel"),
        ((8, 2, 0), "kernel_size is 0, expected .*odd"),
        ((8, 2, -3), "kernel_size is -3, expected .*odd"),
    ],
)
def test_parameters_that_cannot_be_are_refused(arguments, message, rng):
    with pytest.raises(ValueError, match=message):
        init_cbam(*arguments, rng=rng)


def test_what_an_order_does_not_use_is_not_checked(rng):
    assert set(init_cbam(8, 16, 7, rng=rng, order="spatial")) == {"W7"}
    assert set(init_cbam(8, 2, 4, rng=rng, order="channel")) == {"W0", "W1"}


# Dialects.


def test_a_dialect_by_name_by_value_and_changed(rng):
    assert cbam.get_dialect("paper") == Dialect() == cbam.get_dialect(Dialect())
    changed = cbam.get_dialect("paper", order="parallel", ties="split")
    assert (changed.order, changed.ties, changed.channel_pools) == ("parallel", "split", ("avg", "max"))
    assert cbam.get_dialect(changed, ties="first").order == "parallel"
    assert DIALECTS["paper"] == Dialect()  # changing one leaves the preset alone
    case = make_case(rng)
    by_value, by_words = cbam_forward(case.x, case.params, changed), cbam_forward(case.x, case.params, order="parallel")
    assert np.array_equal(by_value[0], by_words[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dialect": "papre"}, "dialect is 'papre', expected one of 'paper'"),
        ({"dialect": None}, "dialect is None, expected one of 'paper'"),
        ({"order": "spatial-spatial"}, "order is 'spatial-spatial', expected one of 'channel-spatial', 'sp"),
        ({"order": ["channel"]}, r"order is \['channel'\], expected one of"),
        ({"ties": "last"}, "ties is 'last', expected one of 'first', 'split'"),
        ({"channel_pools": ("avg", "min")}, "a pool in channel_pools is 'min', expected one of 'avg', 'max'"),
        (
            {"spatial_pools": ("l3",)},
            "a pool in spatial_pools is 'l3', expected one of 'avg', 'max', 'lp', 'lse', 'mixed'",
        ),
        ({"ties": ("first", "last")}, "ties is 'last', expected one of 'first', 'split'"),
        ({"ties": ("first",)}, r"ties is \('first',\), expected one of"),
        ({"spatial_norm": "yes"}, "spatial_norm is 'yes', expected one of True, False"),
        ({"norm_momentum": 0}, "norm_momentum is 0, expected a number, more than 0 and at most 1"),
        ({"hidden": "ceil"}, "hidden is 'ceil', expected one of 'floor', 'round'"),
        ({"start": "ones"}, "start is 'ones', expected one of 'he', 'zero', 'pytorch', 'official'"),
        ({"channel_pools": "avg"}, r"channel_pools is 'avg', expected a tuple .* such as \('avg', 'max'\)"),
        ({"mlp_bias": "no"}, "mlp_bias is 'no', expected one of True, False"),
        ({"mlp_bias": None}, "mlp_bias is None, expected one of True, False"),
        ({"spatial_pools": ()}, r"spatial_pools is \(\), expected a tuple of different pools"),
        ({"channel_pools": ("avg", "avg")}, r"channel_pools is \('avg', 'avg'\), expected a tuple of different pools"),
    ],
)
def test_a_choice_that_does_not_exist_is_answered_with_those_that_do(changes, message, rng):
    with pytest.raises(ValueError, match=message):
        cbam.get_dialect(**changes)
    with pytest.raises(ValueError, match=message):
        cbam_forward(LECTURE_F, lecture_params(), **changes)
    with pytest.raises(ValueError, match=message):
        init_cbam(8, 2, rng=rng, **changes)


def test_a_word_that_is_no_option_is_a_type_error(rng):
    message = "unknown option 'odrer', expected one of order, channel_pools, spatial_pools, ties, mlp_bias"
    for call in (
        partial(cbam_forward, LECTURE_F, lecture_params()),
        partial(cbam.channel_attention_forward, LECTURE_F, lecture_params()),
        partial(cbam.spatial_attention_forward, LECTURE_F, lecture_params()),
        partial(init_cbam, 8, rng=rng),
    ):
        with pytest.raises(TypeError, match=message):
            call(odrer="parallel")


def test_a_dialect_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        DIALECTS["paper"].ties = "split"


# Input that cannot be.


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_what_is_not_finite_is_named_with_its_place(order, dtype, bad, rng):
    x = rng.normal(size=(2, 3, 4, 5)).astype(dtype)
    x[1, 2, 0, 3] = x[1, 2, 3, 3] = float(bad)
    with pytest.raises(
        ValueError, match=rf"x\[1, 2, 0, 3\] is {bad}, expected finite numbers: check where x came from"
    ):
        cbam_forward(x, init_cbam(3, 1, 3, rng=rng), order=order)


@pytest.mark.parametrize("order", ["channel", "spatial"])
def test_infinities_that_cancel_are_found_without_a_warning(order, rng):
    x = np.zeros((1, 3, 2, 2))
    x[0, 0], x[0, 1] = [[np.inf, -np.inf], [1, 1]], -np.inf
    with pytest.raises(ValueError, match=r"x\[0, 0, 0, 0\] is inf, expected finite numbers"):
        cbam_forward(x, init_cbam(3, 1, 3, rng=rng), order=order)


@pytest.mark.parametrize("order", ["channel", "spatial"])
def test_numbers_too_large_to_add_are_said_to_be(order, rng):
    with pytest.raises(ValueError, match="x is too large to add up, expected finite numbers"):
        cbam_forward(np.full((1, 3, 2, 2), 1e308), init_cbam(3, 1, 3, rng=rng), order=order)


@pytest.mark.parametrize("dtype", [str, complex, np.float16])
def test_numbers_without_a_gradient_are_refused(dtype, rng):
    params = init_cbam(3, 1, rng=rng)
    with pytest.raises(TypeError, match="x (is|holds) .*float64"):
        cbam_forward(np.ones((1, 3, 2, 2)).astype(dtype), params)
    with pytest.raises(TypeError, match="W7 (is|holds) .*float64"):
        cbam_forward(np.ones((1, 3, 2, 2)), {**params, "W7": params["W7"].astype(dtype)})


def ones(*shape):
    return np.ones(shape)


@pytest.mark.parametrize(
    ("x", "changed", "message"),
    [
        (ones(4, 3, 3), {}, r"x has 3 axes, shape \(4, 3, 3\).*one image is a batch of one, x\[None\]"),
        (ones(4, 3), {}, r"x has 2 axes, shape \(4, 3\)"),
        (ones(0, 4, 3, 3), {}, r"x is empty, shape \(0, 4, 3, 3\)"),
        (ones(1, 4, 0, 3), {}, "x is empty"),
        (ones(1, 3, 5, 5), {}, "x has 3 channels, W0 expects 4: initialise with channels=3"),
        (ones(1, 4, 5, 5), {"W0": None}, r"params has no 'W0', only \['W1', 'W7'\]: make it with init_cbam"),
        (ones(1, 4, 5, 5), {"W7": None}, r"params has no 'W7', only \['W0', 'W1'\]"),
        (ones(1, 4, 5, 5), {"W0": ones(4)}, r"W0 has 1 ax[ei]s, shape \(4,\); expected 2"),
        (ones(1, 4, 5, 5), {"W1": ones(2, 4)}, r"W1 has shape \(2, 4\), expected \(4, 2\): W1 leads back"),
        (ones(1, 4, 5, 5), {"W7": ones(2, 3, 3)}, r"W7 has 3 axes, shape \(2, 3, 3\); expected 4"),
        (ones(1, 4, 5, 5), {"W7": ones(1, 2, 4, 4)}, "kernel_size is 4, expected .*odd"),
        (ones(1, 4, 5, 5), {"W7": ones(1, 2, 5, 3)}, r"W7 has shape \(1, 2, 5, 3\), expected \(1, 2, 3, 3\)"),
        (ones(1, 4, 5, 5), {"W7": ones(1, 1, 3, 3)}, r"W7 has shape .*one kernel, with a half for each pooled map"),
    ],
)
def test_what_does_not_fit_is_answered_in_words(x, changed, message, rng):
    params = {**init_cbam(4, 2, 3, rng=rng), **changed}
    with pytest.raises(ValueError, match=message):
        cbam_forward(x, {name: p for name, p in params.items() if p is not None})


@pytest.mark.parametrize(("name", "shape"), [("channel", (1, 3)), ("spatial", (1, 3, 3))])
def test_a_gradient_of_a_map_is_named_where_it_does_not_fit(name, shape):
    _, cache = getattr(cbam, f"{name}_attention_forward")(LECTURE_F, lecture_params())
    letter = {"channel": "dMc", "spatial": "dMs"}[name]
    with pytest.raises(ValueError, match=rf"{letter} has shape .*, expected \(1, "):
        getattr(cbam, f"{name}_attention_backward")(np.ones(shape), cache)


@pytest.mark.parametrize("pools", [("avg", "max"), ("max",)])
@pytest.mark.parametrize("order", ["channel", "spatial"])
def test_minus_infinity_does_not_hide_behind_a_maximum(order, pools, rng):
    x = rng.normal(size=(1, 3, 4, 4))
    x[0, 1, 2, 3] = -np.inf
    options = {"order": order, "channel_pools": pools, "spatial_pools": pools}
    with pytest.raises(ValueError, match=r"x\[0, 1, 2, 3\] is -inf, expected finite numbers"):
        cbam_forward(x, init_cbam(3, 1, 3, rng=rng, **options), **options)


@pytest.mark.parametrize("name", ["W0", "W1", "W7"])
def test_a_parameter_that_is_not_finite_is_blamed_itself(name, rng):
    params = init_cbam(3, 1, 3, rng=rng)
    params[name].flat[0] = np.nan
    with pytest.raises(ValueError, match=rf"{name}\[.*\] is nan, expected finite.*: check where {name} came from"):
        cbam_forward(rng.normal(size=(1, 3, 4, 4)), params)


@pytest.mark.parametrize("order", ORDERS)
def test_fractions_throughout_give_what_floats_give(order, rng):
    whole = {name: np.round(3 * W) for name, W in init_cbam(3, 1, 3, rng=rng, order=order).items()}
    exact = {name: np.vectorize(lambda v: Fraction(int(v)), otypes=[object])(W) for name, W in whole.items()}
    F = np.vectorize(Fraction, otypes=[object])(LECTURE_F.astype(int))
    dout = rng.normal(size=F.shape)
    for ties in TIES:
        out, cache = cbam_forward(F, exact, order=order, ties=ties)
        dx, grads = cbam_backward(dout, cache)
        expected, float_cache = cbam_forward(LECTURE_F, whole, order=order, ties=ties)
        assert_same(out, expected)
        if order != "spatial-channel":  # there, a rounding decides which of two equal numbers is the maximum
            expected_dx, expected_grads = cbam_backward(dout, float_cache)
            assert_same(dx, expected_dx)
            for name in expected_grads:
                assert_same(grads[name], expected_grads[name])


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (
            lambda rng: cbam_forward(ones(1, 3, 4, 4), init_cbam(3, 1, rng=rng), order="spatial")[1].F_avg,
            "no F_avg: order 'spatial' has no channel",
        ),
        (
            lambda rng: cbam_forward(ones(1, 3, 4, 4), init_cbam(3, 1, rng=rng), order="channel")[1].Ms,
            "no Ms: order 'channel' has no spatial",
        ),
        (
            lambda rng: cbam_forward(ones(1, 3, 4, 4), init_cbam(3, 1, rng=rng), channel_pools=("avg",))[1].F_max,
            "no max pool over space, only avg",
        ),
    ],
)
def test_a_quantity_that_a_dialect_does_not_have(read, message, rng):
    with pytest.raises(AttributeError, match=message):
        read(rng)


def test_gate_wants_a_map():
    with pytest.raises(
        ValueError, match=r"M has shape \(1, 2, 1, 1\), expected one weight per channel, \(1, 3, 1, 1\), or"
    ):
        cbam.gate_forward(ones(1, 3, 4, 4), ones(1, 2, 1, 1))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rng": 0}, TypeError, "rng is 0, expected a generator"),
        ({"channels": 0}, ValueError, "channels is 0, expected at least 1"),
        ({"channel_pools": 3}, ValueError, "channel_pools is 3, expected a tuple"),
        ({"kernel_size": -3}, ValueError, "kernel_size is -3, expected a positive odd number"),
    ],
)
def test_init_answers_in_words(arguments, error, message, rng):
    with pytest.raises(error, match=message):
        init_cbam(**{"channels": 4, "reduction": 2, "rng": rng} | arguments)


@pytest.fixture
def tiny_slices(monkeypatch):
    """Slices of one image, inside which the convolution would be cut once more."""
    monkeypatch.setattr(slices, "SLICE_BYTES", 64)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("ties", TIES)
def test_a_batch_in_slices_gives_what_it_gives_whole(order, ties, rng, monkeypatch):
    params = init_cbam(4, 2, 3, rng=rng, order=order, mlp_bias=True)
    x, dout = tied(rng, 5, 4, 6, 5), rng.normal(size=(5, 4, 6, 5))
    options = {"order": order, "ties": ties, "mlp_bias": True}
    whole, cache = cbam_forward(x, params, **options)
    dx, grads = cbam_backward(dout, cache)
    monkeypatch.setattr(slices, "SLICE_BYTES", 64)
    out, sliced = cbam_forward(x, params, **options)
    assert type(sliced) is type(cache) and (len(sliced.parts), len(cache.parts)) == (5, 1)
    dx_sliced, grads_sliced = cbam_backward(dout, sliced)
    assert_same(out, whole)
    assert_same(dx_sliced, dx)
    assert grads_sliced.keys() == grads.keys()
    for name in grads:
        assert_same(grads_sliced[name], grads[name])
    assert sliced.dialect == cache.dialect
    assert sliced.F is x and sliced.F1 is sliced.F1 and sliced.F2 is out  # nothing large is copied
    for (path, mine), (same, expected) in zip(leaves(everything(sliced)), leaves(everything(cache)), strict=True):
        assert path == same
        if isinstance(expected, np.ndarray):
            np.testing.assert_allclose(mine, expected, rtol=1e-12, atol=1e-15, err_msg=path)
        elif not path.endswith(".way"):  # how the engine did it
            assert mine == expected, path


def everything(cache):
    return {name: getattr(cache, name) for name in ("F", "F1", "F2", "channel", "spatial", "gates")}


def leaves(cache, path="cache"):
    """Return every entry of a cache as (path, value), whatever it is nested in."""
    if isinstance(cache, dict):
        return [leaf for name, value in cache.items() for leaf in leaves(value, f"{path}[{name!r}]")]
    if isinstance(cache, tuple):
        names = getattr(cache, "_fields", range(len(cache)))
        return [leaf for name, value in zip(names, cache, strict=True) for leaf in leaves(value, f"{path}.{name}")]
    return [(path, cache)]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_trace_sees_the_gradients_that_training_uses_bit_for_bit(dialect, order, rng, monkeypatch):
    """`cbam_gradients` keeps what `cbam_backward` throws away; both run the same lines, in slices as well."""
    params = init_cbam(4, 2, 3, rng=rng, dialect=dialect, order=order, start="he", dtype=np.float32)
    x, dout = tied(rng, 5, 4, 6, 5).astype(np.float32), rng.normal(size=(5, 4, 6, 5)).astype(np.float32)
    out, cache = cbam_forward(x, params, dialect, order=order)
    dx, grads = cbam_backward(dout, cache)
    g = cbam_gradients(dout, cache)
    assert g.dF.tobytes() == dx.tobytes()
    assert {name: grad.tobytes() for name, grad in g.params.items()} == {n: grad.tobytes() for n, grad in grads.items()}
    monkeypatch.setattr(slices, "SLICE_BYTES", 64)
    running = (np.zeros(1), np.ones(1))  # so that no slice has to know of another
    out, sliced = cbam_forward(x, params, dialect, running, order=order)
    assert len(sliced.parts) == 5
    dx, grads = cbam_backward(dout, sliced)
    g = cbam_gradients(dout, sliced)
    assert g.dF.tobytes() == dx.tobytes() and g.dF2.tobytes() == dout.tobytes()
    assert {name: grad.tobytes() for name, grad in g.params.items()} == {n: grad.tobytes() for n, grad in grads.items()}
    for attention in filter(None, (g.channel, g.spatial)):
        assert {name: grad.tobytes() for name, grad in attention.params.items()}.items() <= {
            name: grad.tobytes() for name, grad in grads.items()
        }.items()


def test_what_a_cache_does_not_have_is_said(rng, tiny_slices):
    _, cache = cbam_forward(
        rng.normal(size=(3, 4, 5, 5)), init_cbam(4, 2, 3, rng=rng, order="channel"), order="channel"
    )
    assert cache.channel.F is cache.F and cache.gates["channel"].F is cache.F and cache.spatial is None
    with pytest.raises(AttributeError, match="there is no Ms: order 'channel' has no spatial attention"):
        cache.Ms  # noqa: B018
    with pytest.raises(ValueError, match=r"dout has shape \(2, 4, 5, 5\), expected \(3, 4, 5, 5\)"):
        cbam_backward(np.ones((2, 4, 5, 5)), cache)


def test_an_error_in_a_slice_names_the_image_of_the_batch(rng, tiny_slices):
    x = rng.normal(size=(5, 4, 6, 6))
    x[3, 1, 2, 0] = np.nan
    with pytest.raises(ValueError, match=r"x\[3, 1, 2, 0\] is nan"):
        cbam_forward(x, init_cbam(4, 2, 3, rng=rng))


@pytest.mark.parametrize("dtypes", [(np.float32, np.float64), (np.float64, np.float32), (np.float32, np.float32)])
def test_a_batch_in_slices_has_the_dtype_that_it_has_whole(dtypes, rng, monkeypatch):
    params = {name: W.astype(dtypes[1]) for name, W in init_cbam(4, 2, 3, rng=rng).items()}
    x = rng.normal(size=(5, 4, 6, 5)).astype(dtypes[0])
    found = []
    for size in (2**22, 64):
        monkeypatch.setattr(slices, "SLICE_BYTES", size)
        out, cache = cbam_forward(x, params)
        dx, grads = cbam_backward(x, cache)
        found.append([out.dtype, dx.dtype, *(g.dtype for g in grads.values())])
    assert found[0] == found[1] and found[0][0] == np.result_type(*dtypes)


def test_what_one_slice_gives_is_not_copied():
    x = np.ones((1, 2, 3, 3))
    assert joined([x]) is x and joined([None, None]) is None
    np.testing.assert_array_equal(joined([x, 2 * x]), np.concatenate([x, 2 * x]))


@pytest.mark.parametrize(
    "turn", [lambda a: a[..., ::-1], lambda a: a[::-1], lambda a: a.swapaxes(2, 3)], ids=["mirrored", "back", "turned"]
)
def test_a_view_is_kept_as_it_was_seen(turn, rng, monkeypatch):
    monkeypatch.setattr(slices, "SLICE_BYTES", 64)
    x = turn(rng.normal(size=(4, 2, 5, 5)))
    out, cache = cbam_forward(x, init_cbam(2, reduction=1, kernel_size=3, rng=rng), order="spatial-channel")
    assert np.array_equal(cache.spatial.F, x) and np.array_equal(cache.gates["spatial"].F, x)
    dout = turn(rng.normal(size=out.shape))
    assert np.array_equal(cbam_gradients(dout, cache).dF2, dout)


def test_an_error_about_the_feature_map_travels_between_processes():
    error = pickle.loads(pickle.dumps(NotFiniteError((0, 1, 2, 3), np.nan)))
    assert str(error) == str(NotFiniteError((0, 1, 2, 3), np.nan)) and error.index == (0, 1, 2, 3)


@pytest.mark.parametrize("order", list(ORDERS))
def test_fractions_end_where_a_normalisation_begins(order, rng):
    x = np.array([[Fraction(n, 3) for n in range(50)]], dtype=object).reshape(1, 2, 5, 5)
    params = init_cbam(2, reduction=1, kernel_size=3, rng=rng, spatial_norm=True)
    exact = {name: np.vectorize(Fraction, otypes=[object])(array) for name, array in params.items()}
    out, _ = cbam_forward(x, exact, order=order, spatial_norm=True)
    expected, _ = cbam_forward(x.astype(float), params, order=order, spatial_norm=True)
    np.testing.assert_allclose(out.astype(float), expected, rtol=1e-12)
