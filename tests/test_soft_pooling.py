import numpy as np
import pytest

from cbam_np import ops
from cbam_np.ops.pooling import OVER

from .helpers import LECTURE_F, PROMISES, Pair, assert_same, distinct, tied

POOLS = {"lp": (ops.lp_pool_forward, ops.lp_pool_backward), "lse": (ops.lse_pool_forward, ops.lse_pool_backward)}


@pytest.fixture(params=POOLS)
def pool(request):
    return POOLS[request.param]


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 1, 1, 1), (1, 4, 1, 3)], ids=str)
def test_pairs_keep_their_promises(promise, over, shape, pool, rng):
    forward, backward = pool
    promise(Pair(lambda x: forward(x, over), backward, (distinct(rng, *shape),)), rng)


def test_the_lecture_s_first_channel():
    F = LECTURE_F.astype(float)
    assert ops.lp_pool_forward(F)[0][0, 0] == np.sqrt(1 + 0 + 1 + 4 + 1 + 0 + 0 + 4 + 1)
    assert_same(ops.lse_pool_forward(F)[0][0, 0], np.log(3 + 4 * np.e + 2 * np.e**2))


def test_lp_over_channels_is_each_pixel_s_length():
    out, cache = ops.lp_pool_forward(np.array([3.0, 4.0]).reshape(1, 2, 1, 1), "channels")
    assert out.item() == 5
    assert_same(ops.lp_pool_backward(np.full((1, 1, 1, 1), 10.0), cache).ravel(), [6.0, 8.0])


def test_where_all_are_0_the_norm_has_no_slope():
    out, cache = ops.lp_pool_forward(np.zeros((1, 2, 2, 2)))
    assert not out.any() and not ops.lp_pool_backward(np.ones((1, 2)), cache).any()


def test_lse_of_large_numbers_stays_finite():
    x = np.array([1000.0, 1000.0, -1000.0, 0.0]).reshape(1, 1, 2, 2)
    out, cache = ops.lse_pool_forward(x)
    assert_same(out.item(), 1000 + np.log(2))
    assert_same(ops.lse_pool_backward(np.ones((1, 1)), cache).ravel(), [0.5, 0.5, 0, 0])


def test_lse_shares_what_ties_share(rng):
    x = tied(rng, 2, 3, 4, 4)
    _, cache = ops.lse_pool_forward(x)
    dx = ops.lse_pool_backward(np.ones((2, 3)), cache)
    assert_same(dx.sum(axis=(2, 3)), np.ones((2, 3)))
    largest = x == x.max(axis=(2, 3), keepdims=True)
    for n, c in np.ndindex(2, 3):
        assert np.ptp(dx[n, c][largest[n, c]]) == 0 and (dx[n, c] <= dx[n, c].max()).all()


@pytest.mark.parametrize("over", OVER)
def test_adding_to_another_path(over, pool, rng):
    forward, backward = pool
    out, cache = forward(rng.normal(size=(2, 3, 4, 4)), over)
    dout, other = rng.normal(size=out.shape), rng.normal(size=(2, 3, 4, 4))
    into = other.copy()
    assert np.shares_memory(backward(dout, cache, into), into)
    assert_same(into, other + backward(dout, cache))


def test_errors(pool):
    forward, backward = pool
    with pytest.raises(ValueError, match="x has .* expected"):
        forward(np.ones((3, 3)))
    with pytest.raises(ValueError, match="over is 'time', expected one of 'space', 'channels'"):
        forward(np.ones((1, 1, 2, 2)), "time")
    with pytest.raises(ValueError, match="dout has shape"):
        backward(np.ones((1, 3)), forward(np.ones((1, 2, 2, 2)))[1])
