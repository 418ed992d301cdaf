"""What tests share: for the pairs, inputs with and without ties, and the promises that every pair keeps; an executor.

A pair is tested as `Pair(forward, backward, arrays)`: forward takes the arrays by position, backward returns one
gradient for each. Options are bound beforehand with `functools.partial`.
"""

import os
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import settings

from cbam_np.gradcheck import check_gradient

THOROUGH = os.environ.get("CBAM_NP_TESTS") == "thorough"  # as in .ci/run


def examples(count):
    """Return hypothesis's settings for so many examples in thorough tests, and for a fifth of them in quick ones."""
    return settings(max_examples=count if THOROUGH else max(10, count // 5))


LECTURE_F = np.array(
    [
        [[1, 0, 1], [2, 1, 0], [0, 2, 1]],  # edges
        [[0, 1, 0], [1, 1, 2], [2, 0, 1]],  # colors
        [[2, 2, 1], [0, 1, 0], [1, 1, 2]],  # textures
    ]
)[None]


class Pair(NamedTuple):
    """A forward/backward pair and the arrays to try it on."""

    forward: Any
    backward: Any
    arrays: tuple

    def run(self, rng, arrays=None):
        """Return forward's output, a random upstream gradient of its dtype, and backward's gradients as a tuple."""
        out, cache = self.forward(*(self.arrays if arrays is None else arrays))
        dout = rng.normal(size=np.shape(out)).astype(out.dtype) if np.ndim(out) else out.dtype.type(1.7)
        return out, dout, as_tuple(self.backward(dout, cache))

    def has_slope(self, least=0.1):
        """Tell whether there is something to compare: gradients that are 0 exactly, or are not all but 0.

        Near the bottom of a valley the slope is less than what it changes by within a step.
        """
        largest = [np.abs(g).max() for g in self.run(np.random.default_rng(0))[2]]
        return all(g == 0 or g > least for g in largest)


def as_tuple(gradients):
    """Return the gradients as a tuple, without the None of an absent bias."""
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    return tuple(g for g in gradients if g is not None)


def distinct(rng, *shape):
    """Return numbers around 0 of which no two are alike, so that a maximum stays where it is when it is nudged.

    The shift is so crooked that none is 0, and no sum of some of them either, in which a gradient would vanish.
    """
    size = int(np.prod(shape))
    return rng.permutation(np.linspace(-2, 2, size) + 0.1234567).reshape(shape)


def tied(rng, *shape):
    """Return small whole numbers as floats, so that maxima are reached many times over."""
    return rng.integers(-2, 3, size=shape).astype(float)


def assert_same(actual, expected, tolerance=1e-12, scale=1e-300):
    """Demand equal shapes, and differences that are small next to the largest entry, or next to `scale`.

    `scale` is for sums that may cancel: the size of what was added up.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    error = np.abs(actual - expected).max(initial=0) / max(np.abs(expected).max(initial=0), scale)
    assert error <= tolerance, f"relative error {error:.2g} is more than {tolerance:g}"


# The promises. Each takes a pair; `PROMISES` goes into a parametrize.


def check_pair(pair, rng, tolerance=1e-6):
    """Hold every gradient of a pair against central differences."""
    _, dout, gradients = pair.run(rng)
    assert len(gradients) == len(pair.arrays)
    for at, (array, gradient) in enumerate(zip(pair.arrays, gradients, strict=True)):

        def along(moved, at=at):
            return pair.forward(*pair.arrays[:at], moved, *pair.arrays[at + 1 :])[0]

        check_gradient(along, array, dout, gradient, tolerance)


def writes_to_no_argument(pair, rng):
    """Forward and backward work on read-only arrays, and these are the same afterwards."""
    arrays = tuple(a.copy() for a in pair.arrays)
    for a in arrays:
        a.flags.writeable = False
    out, cache = pair.forward(*arrays)
    dout = np.asarray(rng.normal(size=np.shape(out)))
    kept = dout.copy()
    dout.flags.writeable = False
    first = as_tuple(pair.backward(dout, cache))
    for a, original in zip(arrays, pair.arrays, strict=True):
        assert np.array_equal(a, original)
    assert np.array_equal(dout, kept)
    for once, again in zip(first, as_tuple(pair.backward(dout, cache)), strict=True):
        assert np.array_equal(once, again)  # nothing was used up


def shares_no_memory(pair, rng):
    """Results can be written to, and doing so changes no argument and no other gradient."""
    out, dout, gradients = pair.run(rng)
    arguments = [*pair.arrays, dout]
    for result in (out, *gradients):
        assert np.ndim(result) == 0 or result.flags.writeable
        assert not any(np.shares_memory(result, a) for a in arguments)
    for i, gradient in enumerate(gradients):
        assert not any(np.shares_memory(gradient, other) for other in gradients[i + 1 :])


def keeps_dtype(pair, rng):
    """float32 in, float32 out and back; float64 likewise; and the two agree."""
    results = {}
    for dtype in (np.float32, np.float64):
        arrays = tuple(a.astype(dtype) for a in pair.arrays)
        out, _, gradients = pair.run(np.random.default_rng(1), arrays)
        results[dtype] = out, *gradients
        assert [r.dtype for r in results[dtype]] == [dtype] * (1 + len(arrays))
        assert [g.shape for g in gradients] == [a.shape for a in arrays]
    for short, long in zip(*results.values(), strict=True):
        assert_same(short, long, 1e-4)


def promotes_integers(pair, rng):
    """Whole numbers give what the same numbers as float64 give."""
    whole = tuple(np.rint(3 * a).astype(np.int64) for a in pair.arrays)
    as_floats = tuple(a.astype(np.float64) for a in whole)
    for a, b in zip(pair.forward(*whole)[:1], pair.forward(*as_floats)[:1], strict=True):
        assert a.dtype == np.float64
        assert np.array_equal(a, b)
    out, cache = pair.forward(*whole)
    ones = np.ones(np.shape(out), int)
    for gradient in as_tuple(pair.backward(ones, cache)):
        assert gradient.dtype == np.float64


def refuses_a_wrong_dout(pair, rng):
    """An upstream gradient of another shape is an error, even one that NumPy would broadcast."""
    out, cache = pair.forward(*pair.arrays)
    if np.ndim(out) == 0:
        return
    for shape in [(out.shape[0] + 1, *out.shape[1:]), (1, *out.shape), (*out.shape, 1)]:
        with pytest.raises(ValueError, match=r"shape .*, expected .*the gradient has the shape of the output"):
            pair.backward(np.ones(shape), cache)
    with pytest.raises(TypeError, match="complex128, expected real numbers: float32 or float64"):
        pair.backward(np.ones(out.shape, complex), cache)


PROMISES = [check_pair, writes_to_no_argument, shares_no_memory, keeps_dtype, promotes_integers, refuses_a_wrong_dout]


class Here(Executor):
    """Does the work at once, in this process."""

    def submit(self, work, /, *arguments):
        future = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future
