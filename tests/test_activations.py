from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbam_np.ops import (
    gelu,
    gelu_backward,
    gelu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
)

from .helpers import PROMISES, Pair, distinct

PAIRS = {
    "relu": (relu_forward, relu_backward),
    "sigmoid": (sigmoid_forward, sigmoid_backward),
    "gelu": (gelu_forward, gelu_backward),
}


def sigmoid_exactly(z):
    """σ(z) by forty decimal digits."""
    with localcontext(prec=40):
        return 1 / (1 + (-Decimal(z)).exp())


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("shape", [(7,), (2, 3), (2, 3, 4, 2)], ids=str)
def test_pair_keeps_its_promises(pair, shape, promise, rng):
    promise(Pair(*pair, (distinct(rng, *shape),)), rng)


def test_relu_is_the_lecture_s_formula():
    out, cache = relu_forward(np.array([-2.0, -0.0, 0.0, 4 / 9, 1.0]))
    assert out.tolist() == [0, 0, 0, 4 / 9, 1]
    assert relu_backward(np.full(5, 3.0), cache).tolist() == [0, 0, 0, 3, 3]  # no slope at 0


def test_relu_keeps_fractions_exact():
    out, _ = relu_forward(np.array([Fraction(4, 9), Fraction(-1, 3)]))
    assert out[0] == Fraction(4, 9) and isinstance(out[0], Fraction)
    assert out[1] == 0


@pytest.mark.parametrize(
    ("z", "expected"),
    [
        (Fraction(13, 9), 0.8091420),  # the lecture's M_c(F)_1, and M_c(F)_2
        (Fraction(14, 9), 0.8257147),  # M_c(F)_3
        (0, 0.5),
    ],
)
def test_sigmoid_of_the_lecture(z, expected):
    out, _ = sigmoid_forward(np.array([z], dtype=object))
    assert out.dtype == np.float64
    assert out[0] == pytest.approx(expected, abs=5e-7)


def test_the_lecture_s_rounded_sum_is_the_same_weight():
    out, _ = sigmoid_forward([0.445 + 1, 13 / 9])
    assert [round(v, 2) for v in out.tolist()] == [0.81, 0.81]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_far_out_is_0_and_1_without_a_warning(dtype):
    z = np.array([-np.inf, -1e30, -1000, 1000, 1e30, np.inf], dtype)
    with np.errstate(all="raise", under="ignore"):
        out, cache = sigmoid_forward(z)
        assert out.tolist() == [0, 0, 0, 1, 1, 1]
        assert sigmoid_backward(np.ones_like(z), cache).tolist() == [0] * 6


@given(st.floats(-700, 700))
def test_sigmoid_is_exact_to_the_last_digits(z):
    out, _ = sigmoid_forward(np.array([z]))
    exact = sigmoid_exactly(z)
    assert abs(Decimal(out[0]) - exact) <= 3 * Decimal(np.spacing(float(exact)))


@given(st.floats(-30, 30))
def test_sigmoid_of_opposite_numbers_adds_to_1(z):
    out, _ = sigmoid_forward(np.array([z, -z]))
    assert out.sum() == pytest.approx(1, abs=1e-15)


def test_sigmoid_is_steepest_in_the_middle():
    _, cache = sigmoid_forward(np.array([-1.0, 0.0, 1.0]))
    slopes = sigmoid_backward(np.ones(3), cache)
    assert slopes[1] == 0.25
    assert slopes[0] == pytest.approx(slopes[2]) and slopes[0] < 0.25


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-7), (np.float64, 1e-14)])
def test_gelu_is_its_definition_far_out_as_well(dtype, tolerance):
    x = np.concatenate([np.linspace(-40, 40, 4001), [0.0, -0.0, 1e-30, -1e-30]]).astype(dtype)
    with np.errstate(all="raise", under="ignore"):
        out, cache = gelu_forward(x)
    assert out.dtype == cache.slope.dtype == dtype
    np.testing.assert_allclose(out, gelu(x.astype(np.float64)), rtol=tolerance, atol=tolerance)
    assert out[0] == 0 and out[4000] == dtype(40)


def test_gelu_falls_a_little_before_it_rises():
    """Its one minimum is where Φ(x) + x φ(x) = 0, at about -0.7518, and about -0.17 deep."""
    x = np.linspace(-3, 3, 60001)
    out, cache = gelu_forward(x)
    assert x[out.argmin()] == pytest.approx(-0.7518, abs=1e-3) and out.min() == pytest.approx(-0.16997, abs=1e-4)
    assert np.abs(cache.slope[out.argmin()]) < 1e-3
