"""The checker itself: it must pass what is right, and above all fail what is wrong."""

import warnings

import numpy as np
import pytest

from cbam_np.gradcheck import KinkWarning, check_gradient, numerical_gradient, relative_error


def tanh_mlp(x, W0, W1):
    """Two branches through one MLP: the sort of function that is easy to get wrong."""
    return np.tanh(x @ W0.T) @ W1.T + np.tanh(x**2 @ W0.T) @ W1.T


def tanh_mlp_gradients(x, W0, dout, W1):
    """Gradient of W0, a branch at a time."""
    da = dout @ W1
    return [((1 - np.tanh(v @ W0.T) ** 2) * da).T @ v for v in (x, x**2)]


def case(rng):
    x, W0, W1, dout = (rng.normal(size=shape) for shape in [(4, 3), (3, 3), (2, 3), (4, 2)])
    return lambda moved: tanh_mlp(x, moved, W1), W0, dout, tanh_mlp_gradients(x, W0, dout, W1)


def test_a_right_gradient_passes_and_its_error_is_small(rng):
    f, W0, dout, branches = case(rng)
    assert check_gradient(f, W0, dout, sum(branches)) < 1e-8


WRONG = {
    "factor 2": lambda branches: 2 * sum(branches),
    "a branch of the shared MLP dropped": lambda branches: branches[0],
    "the other branch dropped": lambda branches: branches[1],
    "a branch twice": lambda branches: 2 * branches[0],
    "transposed": lambda branches: sum(branches).T,
    "sign": lambda branches: -sum(branches),
    "zero": lambda branches: 0 * branches[0],
    "averaged instead of added": lambda branches: sum(branches) / 2,
    "a little off": lambda branches: sum(branches) * (1 + 1e-5),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_planted_wrong_gradient_is_caught(wrong, rng):
    f, W0, dout, branches = case(rng)
    with pytest.raises(AssertionError, match=r"relative error .* is more than 1e-06; worst at \(\d, \d\): .* by hand"):
        check_gradient(f, W0, dout, wrong(branches))


@pytest.mark.parametrize("index", list(np.ndindex(3, 3)), ids=str)
def test_a_single_wrong_entry_is_caught_and_named(index, rng):
    f, W0, dout, branches = case(rng)
    wrong = sum(branches)
    wrong[index] += 1e-3
    with pytest.raises(AssertionError) as error:
        check_gradient(f, W0, dout, wrong)
    _, told = str(error.value).split(f"worst at {index}: ")
    assert float(told.split(" by hand, ")[0]) == pytest.approx(wrong[index], abs=1e-5)


def test_a_gradient_of_another_shape_is_refused(rng):
    f, W0, dout, branches = case(rng)
    with pytest.raises(ValueError, match=r"the gradients have shapes \(1, 3, 3\) and \(3, 3\)"):
        check_gradient(f, W0, dout, sum(branches)[None])


def test_the_tolerance_is_the_callers(rng):
    f, W0, dout, branches = case(rng)
    wrong = sum(branches) * 1.01
    assert check_gradient(f, W0, dout, wrong, tolerance=0.02) == pytest.approx(0.01, rel=0.02)
    with pytest.raises(AssertionError, match="more than 0.005"):
        check_gradient(f, W0, dout, wrong, tolerance=0.005)


def test_known_gradients():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    assert numerical_gradient(lambda a: a**3, x) == pytest.approx(3 * x**2, rel=1e-9)
    assert numerical_gradient(lambda a: a**2, x, np.array([[1.0, 10.0], [0.0, -1.0]])) == pytest.approx(
        np.array([[2, -40], [0, -6]]), abs=1e-8
    )
    assert numerical_gradient(lambda a: np.exp(a).sum(), x) == pytest.approx(np.exp(x), rel=1e-9)


def test_the_step_is_the_callers():
    slope = numerical_gradient(lambda a: a**3, np.zeros(1), step=0.1)
    assert slope == pytest.approx(np.array([0.01]))  # h², the error of central differences


def test_the_point_is_not_written_to(rng):
    x = rng.normal(size=(2, 3))
    x.flags.writeable = False

    def spoils_its_argument(a):
        a *= 2
        return a

    assert numerical_gradient(spoils_its_argument, x) == pytest.approx(np.full((2, 3), 2.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64])
def test_anything_but_float64_is_refused(dtype):
    long, short = np.ones(2), np.ones(2, dtype)
    message = f"is {np.dtype(dtype)}, expected float64: .*astype"
    with pytest.raises(TypeError, match="^x " + message):
        numerical_gradient(np.square, short)
    with pytest.raises(TypeError, match=r"^f\(x\) " + message):
        numerical_gradient(lambda a: a.astype(dtype), long)
    with pytest.raises(TypeError, match="^dx " + message):
        check_gradient(np.square, long, np.ones(2), short)


def test_a_dout_of_another_shape_is_refused_rather_than_broadcast():
    with pytest.raises(ValueError, match=r"dout has shape \(3, 1\), f\(x\) has \(3,\)"):
        numerical_gradient(np.square, np.ones(3), np.ones((3, 1)))


# Kinks.


def max_of_all(x):
    return x.max(keepdims=True)


@pytest.mark.parametrize(
    ("f", "x", "entries"),
    [
        (lambda a: np.maximum(a, 0), [-1.0, 0.0, 2.0], r"1 of 3 entries: \(1,\) "),
        (lambda a: np.maximum(a, 0), [-1.0, 4e-6, 2.0], r"1 of 3 entries: \(1,\) "),  # within the step, not on it
        (np.abs, [1.0, 0.0], r"1 of 2 entries: \(1,\) "),
        (max_of_all, [1.0, 3.0, 2.0, 3.0], r"2 of 4 entries: \(1,\), \(3,\) "),
        (lambda a: np.maximum(a, 0), [0.0] * 7, r"7 of 7 entries: \(0,\), \(1,\), \(2,\), \(3,\), \(4,\), \.\.\. "),
    ],
)
def test_kinks_are_announced_by_their_entries(f, x, entries):
    with pytest.warns(KinkWarning, match="kink inside the step at " + entries):
        numerical_gradient(f, np.array(x))


def test_check_gradient_announces_them_too():
    def relu(a):
        return np.maximum(a, 0)

    x = np.array([0.0, 1.0])
    with pytest.warns(KinkWarning), pytest.raises(AssertionError, match=r"worst at \(0,\): 0 by hand, 0.5 by central"):
        check_gradient(relu, x, np.ones(2), np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.sin, [0.0, 1.0, 2.0]),
        (np.square, [0.0, -3.0]),
        (lambda a: np.maximum(a, 0), [-1.0, 1e-3, 2.0]),
        (max_of_all, [1.0, 3.0, 2.0, 2.999]),
        (lambda a: 1 / (1 + np.exp(-20 * a)), [0.0, 0.1, -0.3]),
        (np.ones_like, [1.0, 2.0]),  # no slope at all
        (np.square, [1e-9, 1e-4]),  # next to a turning point both slopes are small, and differ
    ],
)
def test_a_smooth_function_gets_no_warning(f, x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(numerical_gradient(f, np.array(x))).all()


# What is not finite.


def test_a_value_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match=r"f\(x\) has 2 entries that are not finite"):
        numerical_gradient(lambda a: a * [np.nan, 1, np.inf], np.ones(3))


def test_a_gradient_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="the gradient is not finite: f overflows within the step"):
        numerical_gradient(lambda a: np.where(a > 1, np.inf, a), np.ones(1))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_by_hand_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="a gradient has entries that are not finite"):
        check_gradient(np.square, np.ones(2), np.ones(2), np.array([2.0, bad]))


# The measure.


def test_relative_error_is_relative_to_the_largest_entry():
    assert relative_error([100.0, 0.0], [100.0, 1.0]) == 0.01
    assert relative_error([0.0, 1e-12], [1.0, 0.0]) == 1
    assert relative_error([1e-300], [2e-300]) == pytest.approx(0.5)
    assert relative_error([[0.0]], [[0.0]]) == 0
    assert relative_error(np.empty(0), np.empty(0)) == 0


def test_relative_error_is_symmetric(rng):
    a, b = rng.normal(size=(2, 5))
    assert relative_error(a, b) == relative_error(b, a) == relative_error(-8 * a, -8 * b) > 0


def test_relative_error_refuses_what_cannot_be_compared():
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(2, 1\): they must be the same"):
        relative_error(np.ones(2), np.ones((2, 1)))
    with pytest.raises(ValueError, match="not finite"):
        relative_error([1.0], [np.nan])
