from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbam_np.ops import linear_backward, linear_forward

from .helpers import PROMISES, Pair, assert_same, check_pair


def arrays(rng, N, D, M, bias):
    x, W = rng.normal(size=(N, D)), rng.normal(size=(M, D))
    return (x, W, rng.normal(size=M)) if bias else (x, W)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_pair_keeps_its_promises(promise, bias, rng):
    promise(Pair(linear_forward, linear_backward, arrays(rng, 3, 4, 2, bias)), rng)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_gradients(N, D, M, bias, seed):
    rng = np.random.default_rng(seed)
    pair = Pair(linear_forward, linear_backward, arrays(rng, N, D, M, bias))
    check_pair(pair, rng)


def test_known_numbers():
    x, W, b = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0], [0.0, 1.0]]), np.array([0.5, 0, -2])
    out, cache = linear_forward(x, W, b)
    assert out.tolist() == [[11.5, 17, 0]]
    dx, dW, db = linear_backward(np.array([[1.0, 0.0, 10.0]]), cache)
    assert dx.tolist() == [[3, 14]]
    assert dW.tolist() == [[1, 2], [0, 0], [10, 20]]
    assert db.tolist() == [1, 0, 10]


def test_without_a_bias_there_is_no_gradient_for_one(rng):
    out, cache = linear_forward(np.ones((2, 3)), np.ones((4, 3)))
    assert linear_backward(np.ones_like(out), cache)[2] is None


def test_the_lecture_s_layer_is_exact_in_fractions():
    F_avg = np.array([[Fraction(8, 9), Fraction(8, 9), Fraction(10, 9)]])
    W0 = np.array([Fraction(int(v), 2) for v in np.eye(3).flat]).reshape(3, 3)  # 0.5 on the diagonal: r = 1
    out, _ = linear_forward(F_avg, W0)
    assert out.tolist() == [[Fraction(4, 9), Fraction(4, 9), Fraction(5, 9)]]


def fractions(array):
    return np.vectorize(Fraction, otypes=[object])(array)


def test_a_bias_of_fractions_stays_exact():
    x, W = fractions(np.array([[1, 2]])), fractions(np.array([[3, 4], [5, 6]]))
    out, _ = linear_forward(x, W, fractions(np.array([1, 2])) / 3)
    assert out.tolist() == [[Fraction(34, 3), Fraction(53, 3)]]
    assert all(isinstance(value, Fraction) for value in out.flat)


@pytest.mark.parametrize("exact", ["x and W", "b"])
def test_fractions_and_floats_together_give_floats(exact):
    x, W, b = np.array([[1, 2]]), np.array([[3, 4], [5, 6]]), np.array([1, 2])
    x, W, b = (fractions(x), fractions(W), b / 2) if exact == "x and W" else (x / 1.0, W / 1.0, fractions(b) / 2)
    out, cache = linear_forward(x, W, b)
    assert out.dtype == np.float64
    assert out.tolist() == [[11.5, 18]]
    assert [g.dtype for g in linear_backward(out, cache)] == [np.float64] * 3


@pytest.mark.parametrize("dtype", [str, complex])
def test_a_bias_without_a_gradient_is_refused(dtype):
    with pytest.raises(TypeError, match="b (is|holds) .*float64"):
        linear_forward(np.ones((2, 3)), np.ones((4, 3)), np.ones(4).astype(dtype))


def test_weight_gradients_add_over_the_batch(rng):
    x, W, b = arrays(rng, 5, 3, 2, True)
    dout = rng.normal(size=(5, 2))
    _, dW, db = linear_backward(dout, linear_forward(x, W, b)[1])
    one_by_one = [linear_backward(dout[n : n + 1], linear_forward(x[n : n + 1], W, b)[1]) for n in range(5)]
    assert_same(dW, sum(g[1] for g in one_by_one))
    assert_same(db, sum(g[2] for g in one_by_one))


def test_a_bias_of_another_kind_does_not_change_the_dtype():
    out, _ = linear_forward(np.ones((2, 3), np.float32), np.ones((4, 3), np.float32), np.ones(4))
    assert out.dtype == np.float32
    assert linear_forward(np.ones((2, 3)), np.ones((1, 3)), [2])[0].tolist() == [[5], [5]]


@pytest.mark.parametrize(
    ("x", "W", "b", "message"),
    [
        ((2, 3), (4, 5), None, r"x has 3 features, W expects 5: W is \(outputs, inputs\), \(4, 5\)"),
        ((2, 3), (4, 3), (3,), r"b has shape \(3,\), expected \(4,\): one bias per output"),
        ((2, 3), (4, 3), (4, 1), r"b has 2 axes, shape \(4, 1\); expected 1, \(outputs\)"),
        ((2, 3, 1, 1), (4, 3), None, r"x has 4 axes, shape \(2, 3, 1, 1\); expected 2"),
        ((2, 3), (3,), None, r"W has 1 ax[ei]s, shape \(3,\); expected 2"),
        ((0, 3), (4, 3), None, "x is empty"),
    ],
)
def test_shapes_that_do_not_fit_are_answered_in_words(x, W, b, message):
    with pytest.raises(ValueError, match=message):
        linear_forward(np.ones(x), np.ones(W), None if b is None else np.ones(b))
