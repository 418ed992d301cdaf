import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbam_np import ops
from cbam_np.ops.pooling import TIES

from .helpers import PROMISES, Pair, assert_same, distinct, tied

WINDOWS = {
    "halving": (2, None, 0),
    "overlapping": (3, 1, 0),
    "3 by 2": (3, 2, 0),
    "3 by 2 padded": (3, 2, 1),
    "halving padded": (2, None, 1),
    "gaps": (1, 2, 0),
    "single": (1, None, 0),
}
PICTURE = np.array([[[[1, 5, 2, 0, 9], [5, 5, 2, 2, 9], [0, 1, 7, 3, 9], [1, 0, 3, 7, 9]]]], float)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize(("size", "stride", "padding"), WINDOWS.values(), ids=WINDOWS)
def test_pair_keeps_its_promises(promise, ties, size, stride, padding, rng):
    def forward(x):
        return ops.max_pool2d_forward(x, size, stride, ties, padding)

    promise(Pair(forward, ops.max_pool2d_backward, (distinct(rng, 2, 3, 5, 4),)), rng)


def test_known_windows_and_what_does_not_fill_one_is_left_out():
    out, _ = ops.max_pool2d_forward(PICTURE)
    assert out[0, 0].tolist() == [[5, 2], [1, 7]]


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ("first", [[0, 6, 12, 0, 0], [0, 0, 0, 0, 0], [0, 18, 24, 0, 0], [0, 0, 0, 0, 0]]),
        ("split", [[0, 2, 4, 0, 0], [2, 2, 4, 4, 0], [0, 9, 12, 0, 0], [9, 0, 0, 12, 0]]),
    ],
)
def test_known_ties(ties, expected):
    _, cache = ops.max_pool2d_forward(PICTURE, ties=ties)
    dx = ops.max_pool2d_backward(np.array([[[[6.0, 12.0], [18.0, 24.0]]]]), cache)
    assert dx[0, 0].tolist() == expected


def test_a_pixel_that_wins_several_windows_collects_them_all():
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1
    out, cache = ops.max_pool2d_forward(x, 2, 1)
    dx = ops.max_pool2d_backward(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), cache)
    assert out.tolist() == [[[[1, 1], [1, 1]]]]
    assert dx[0, 0].tolist() == [[0, 0, 0], [0, 10, 0], [0, 0, 0]]


@given(
    st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 6), st.integers(1, 6)),
    st.integers(1, 3),
    st.sampled_from([None, 1, 2, 3]),
    st.integers(0, 1),
    st.sampled_from([tied, distinct]),
    st.integers(0, 2**32 - 1),
)
def test_fast_equals_loops(shape, size, stride, padding, make, seed):
    rng = np.random.default_rng(seed)
    size = min(size, *shape[2:])
    padding = min(padding, size // 2)
    x = make(rng, *shape)
    for ties in TIES:
        out, cache = ops.max_pool2d_forward(x, size, stride, ties, padding)
        dout = rng.normal(size=out.shape)
        assert np.array_equal(out, ops.max_pool2d_forward_loops(x, size, stride, padding))
        assert np.array_equal(out, ops.max_pool2d(x, size, stride, padding))
        expected = ops.max_pool2d_backward_loops(dout, x, size, stride, ties, padding)
        assert_same(ops.max_pool2d_backward(dout, cache), expected)


@pytest.mark.parametrize("ties", TIES)
def test_a_window_as_large_as_the_map_is_pooling_over_space(ties, rng):
    x = tied(rng, 3, 4, 5, 5)
    dout = rng.normal(size=(3, 4))
    out, cache = ops.max_pool2d_forward(x, 5, ties=ties)
    whole, whole_cache = ops.max_pool_forward(x, ties=ties)
    assert np.array_equal(out[:, :, 0, 0], whole)
    dx = ops.max_pool2d_backward(dout[:, :, None, None], cache)
    assert_same(dx, ops.max_pool_backward(dout, whole_cache))


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"no 5×5 window fits into x, shape \(1, 1, 4, 5\): make it smaller"):
        ops.max_pool2d_forward(PICTURE, 5)


@pytest.mark.parametrize("padding", [-1, 2])
def test_padding_without_a_pixel_is_refused(padding):
    with pytest.raises(ValueError, match=f"padding is {padding}, expected 0 to 1: a window must see a pixel of x"):
        ops.max_pool2d_forward(PICTURE, 3, padding=padding)


def test_padding_is_never_the_maximum():
    out, _ = ops.max_pool2d_forward(-PICTURE - 1, 3, 2, padding=1)
    assert out[0, 0].tolist() == [[-2, -1, -1], [-1, -1, -3]]


@pytest.mark.parametrize(("size", "stride"), [(0, 1), (2, 0), (-1, 1)])
def test_a_window_needs_a_size_and_a_stride(size, stride):
    with pytest.raises(ValueError, match=f"size is {size} and stride {stride}, expected both to be 1 or more"):
        ops.max_pool2d_forward(PICTURE, size, stride)


def test_other_bad_input_is_answered_in_words():
    with pytest.raises(ValueError, match="ties is 'both', expected one of 'first', 'split'"):
        ops.max_pool2d_forward(PICTURE, ties="both")
    with pytest.raises(ValueError, match="one image is a batch of one"):
        ops.max_pool2d_forward(PICTURE[0])


def test_the_first_maximum_keeps_no_copy_of_the_input(rng):
    x = rng.normal(size=(2, 3, 6, 6))
    _, cache = ops.max_pool2d_forward(x)
    assert cache.x.strides == (0, 0, 0, 0) and cache.x.shape == x.shape
