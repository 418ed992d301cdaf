from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbam_np import ops
from cbam_np.ops.pooling import OVER, TIES

from .helpers import LECTURE_F, PROMISES, Pair, assert_same, distinct, tied

shapes = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
seeds = st.integers(0, 2**32 - 1)


def avg_pool(shape, over, rng):
    return Pair(lambda x: ops.avg_pool_forward(x, over), ops.avg_pool_backward, (distinct(rng, *shape),))


def max_pool(shape, over, rng, ties="first"):
    return Pair(lambda x: ops.max_pool_forward(x, over, ties), ops.max_pool_backward, (distinct(rng, *shape),))


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 1, 1, 1), (1, 4, 1, 3)], ids=str)
def test_pairs_keep_their_promises(promise, over, shape, rng):
    promise(avg_pool(shape, over, rng), rng)
    promise(max_pool(shape, over, rng, "first"), rng)
    promise(max_pool(shape, over, rng, "split"), rng)


# The lecture's numbers.


def test_pooling_the_lecture_s_map_over_space():
    avg, _ = ops.avg_pool_forward(LECTURE_F)
    assert avg.tolist() == [[8 / 9, 8 / 9, 10 / 9]]
    biggest, _ = ops.max_pool_forward(LECTURE_F)
    assert biggest.tolist() == [[2, 2, 2]]


def test_pooling_fractions_is_exact():
    F = np.array([Fraction(int(v)) for v in LECTURE_F.flat]).reshape(LECTURE_F.shape)
    avg, _ = ops.avg_pool_forward(F)
    assert avg.tolist() == [[Fraction(8, 9), Fraction(8, 9), Fraction(10, 9)]]
    assert ops.avg_pool_forward(F, "channels")[0][0, 0, 0, 2] == Fraction(2, 3)
    assert all(isinstance(v, Fraction) for v in ops.max_pool_forward(F)[0].flat)


def test_pooling_the_lecture_s_map_over_channels():
    avg, _ = ops.avg_pool_forward(LECTURE_F, "channels")
    assert avg[0, 0].tolist() == [[1, 1, 2 / 3], [1, 1, 2 / 3], [1, 1, 4 / 3]]
    biggest, _ = ops.max_pool_forward(LECTURE_F, "channels")
    assert biggest[0, 0].tolist() == [[2, 2, 1], [2, 1, 2], [2, 2, 2]]


@pytest.mark.parametrize(
    ("ties", "edges", "textures"),
    [
        ("first", [[0, 0, 0], [6, 0, 0], [0, 0, 0]], [[6, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ("split", [[0, 0, 0], [3, 0, 0], [0, 3, 0]], [[2, 2, 0], [0, 0, 0], [0, 0, 2]]),
    ],
)
def test_the_lecture_s_ties_over_space(ties, edges, textures):
    _, cache = ops.max_pool_forward(LECTURE_F, ties=ties)
    dx = ops.max_pool_backward(np.full((1, 3), 6.0), cache)
    assert dx[0, 0].tolist() == edges
    assert dx[0, 2].tolist() == textures


@pytest.mark.parametrize(("ties", "shares"), [("first", [6, 0, 0]), ("split", [2, 2, 2])])
def test_the_lecture_s_ties_over_channels(ties, shares):
    _, cache = ops.max_pool_forward(LECTURE_F, "channels", ties)
    dx = ops.max_pool_backward(np.full((1, 1, 3, 3), 6.0), cache)
    assert dx[0, :, 1, 2].tolist() == [0, 6, 0]  # 0 2 0: no tie
    assert dx[0, :, 1, 1].tolist() == shares  # 1 1 1


def test_the_average_shares_its_gradient_evenly():
    _, cache = ops.avg_pool_forward(LECTURE_F)
    assert ops.avg_pool_backward(np.array([[9.0, 18.0, 0.0]]), cache)[0, :, 1, 1].tolist() == [1, 2, 0]


# The loop twins and what is true for every input.


@given(shapes, seeds, st.sampled_from(list(OVER)), st.sampled_from([tied, distinct]))
def test_fast_equals_loops(shape, seed, over, make):
    rng = np.random.default_rng(seed)
    x = make(rng, *shape)
    out, cache = ops.avg_pool_forward(x, over)
    dout = rng.normal(size=out.shape)
    assert_same(out, ops.avg_pool_forward_loops(x, over), scale=1)
    assert_same(ops.avg_pool_backward(dout, cache), ops.avg_pool_backward_loops(dout, x, over))
    for ties in TIES:
        out, cache = ops.max_pool_forward(x, over, ties)
        assert np.array_equal(out, ops.max_pool_forward_loops(x, over))
        assert_same(ops.max_pool_backward(dout, cache), ops.max_pool_backward_loops(dout, x, over, ties))


@given(shapes, seeds, st.sampled_from(list(OVER)), st.sampled_from(TIES))
def test_the_maximum_hands_on_its_whole_gradient_and_only_to_maxima(shape, seed, over, ties):
    rng = np.random.default_rng(seed)
    x = tied(rng, *shape)
    out, cache = ops.max_pool_forward(x, over, ties)
    dout = rng.uniform(1, 2, size=out.shape)
    dx = ops.max_pool_backward(dout, cache)
    axes = (2, 3) if over == "space" else (1,)
    is_max = x == x.max(axis=axes, keepdims=True)
    assert_same(dx.sum(axis=axes), dout.reshape(dx.sum(axis=axes).shape))
    assert not dx[~is_max].any()
    if ties == "split":
        assert dx[is_max].all()
    else:
        assert np.array_equal(np.count_nonzero(dx, axis=axes), np.ones(dx.sum(axis=axes).shape))


def test_the_average_is_never_above_the_maximum(rng):
    x = rng.normal(size=(4, 5, 6, 7))
    for over in OVER:
        assert (ops.avg_pool_forward(x, over)[0] < ops.max_pool_forward(x, over)[0]).all()


def test_a_view_with_other_strides_pools_alike(rng):
    x = rng.normal(size=(3, 4, 5, 2)).transpose(0, 3, 1, 2)
    for over in OVER:
        for forward in (ops.avg_pool_forward, ops.max_pool_forward):
            assert_same(forward(x, over)[0], forward(np.ascontiguousarray(x), over)[0])


@pytest.mark.parametrize("forward", [ops.avg_pool_forward, ops.max_pool_forward])
def test_bad_input_is_answered_in_words(forward):
    with pytest.raises(ValueError, match="x has 3 axes.*one image is a batch of one"):
        forward(np.ones((3, 4, 4)))
    with pytest.raises(ValueError, match="over is 'time', expected one of 'space', 'channels'"):
        forward(np.ones((1, 3, 4, 4)), "time")
    with pytest.raises(ValueError, match=r"over is \(2, 3\), expected one of"):
        forward(np.ones((1, 3, 4, 4)), (2, 3))
    with pytest.raises(ValueError, match="x is empty"):
        forward(np.ones((0, 3, 4, 4)))


def test_an_unknown_rule_for_ties_is_refused():
    with pytest.raises(ValueError, match="ties is 'last', expected one of 'first', 'split'"):
        ops.max_pool_forward(np.ones((1, 3, 4, 4)), ties="last")


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("ties", TIES)
def test_a_gradient_can_be_added_to_another_one(over, ties, rng):
    x, other = tied(rng, 2, 3, 4, 5), rng.normal(size=(2, 3, 4, 5))
    for forward, backward in (
        (ops.avg_pool_forward, ops.avg_pool_backward),
        (lambda x, over: ops.max_pool_forward(x, over, ties), ops.max_pool_backward),
    ):
        out, cache = forward(x, over)
        dout, into = rng.normal(size=out.shape), other.copy()
        assert backward(dout, cache, into) is into
        assert_same(into, other + backward(dout, cache))


def test_adding_to_a_view_that_cannot_be_added_to_is_refused(rng):
    out, cache = ops.max_pool_forward(rng.normal(size=(2, 3, 4, 4)))
    with pytest.raises(ValueError, match="into is not contiguous"):
        ops.max_pool_backward(out, cache, np.zeros((2, 3, 4, 4)).swapaxes(2, 3))


@pytest.mark.parametrize("C", [1, 3, 255, 256, 300])
def test_the_first_of_many_channels_wins(C, rng):
    x = rng.integers(0, 3, (2, C, 3, 4)).astype(float)
    out, cache = ops.max_pool_forward(x, "channels")
    dx = ops.max_pool_backward(out + 1, cache)
    first = x.argmax(axis=1)[:, None]
    np.testing.assert_array_equal(np.take_along_axis(dx, first, 1), out + 1)
    assert np.count_nonzero(dx) == out.size
