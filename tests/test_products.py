"""Products in blocks, and copies row by row, give what NumPy gives."""

import numpy as np
import pytest

from cbam_np.engine import layout, products

from .helpers import assert_same


@pytest.fixture
def second_way(monkeypatch):
    monkeypatch.setattr(products, "_has_second_way", lambda: True)


@pytest.mark.parametrize("N", [1, 31, 160, 161, 163, 500])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_blocks_give_the_whole_product(second_way, monkeypatch, N, batch, rng):
    monkeypatch.setattr(products, "SMALL", 20 * 33)  # blocks of 32 columns
    A, B = rng.normal(size=(*batch, 4, 5)), rng.normal(size=(*batch, 5, N))
    assert_same(products.times(A, B), A @ B)
    turned = np.ascontiguousarray(B.swapaxes(-1, -2)).swapaxes(-1, -2)
    assert_same(products.times(A, turned), A @ B)


def test_blocks_are_small_enough_and_nearly_equal(second_way):
    for N in (123, 1428, 36864):
        step = products._block(N, 64 * 96)
        assert step * 64 * 96 <= products.SMALL or step == N
        assert step % products.EVEN == 0 or step == N
    assert products._block(1428, 64 * 96) == 160
    assert products._block(100, 400 * 400) == 100  # not one even block is small enough


def test_nothing_is_cut_where_blas_has_no_second_way(monkeypatch):
    monkeypatch.setattr(products, "_has_second_way", lambda: False)
    assert products._block(10**6, 10) == 10**6


@pytest.mark.parametrize("dtype", [np.float32, np.float64, object])
@pytest.mark.parametrize("W", [1, 7])
def test_rows_are_copied(dtype, W, rng):
    source = rng.normal(size=(2, 3, 4, W)).astype(dtype)
    to = np.zeros((3, 4, 2, W + 1), dtype)
    layout.copy_rows(source.transpose(1, 2, 0, 3), to[..., :W])
    np.testing.assert_array_equal(to[..., :W], source.transpose(1, 2, 0, 3))
    assert not to[..., W:].any()


def test_what_does_not_lie_in_rows_is_copied_too(rng):
    source = rng.normal(size=(2, 3, 5, 4)).swapaxes(2, 3)
    for to in (np.zeros((2, 3, 4, 5)), np.zeros((2, 3, 4, 5), np.float32), np.zeros((2, 3, 4, 10))[..., ::2]):
        layout.copy_rows(source, to)
        np.testing.assert_array_equal(to, source.astype(to.dtype))
