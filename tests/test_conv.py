import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbam_np.engine import convolution, slices, winograd, winograd_tiles
from cbam_np.engine.im2col import Im2col
from cbam_np.engine.pointwise import Pointwise
from cbam_np.engine.toeplitz import Toeplitz
from cbam_np.engine.winograd import Winograd
from cbam_np.engine.winograd_tiles import WinogradTiles
from cbam_np.ops import conv2d_backward, conv2d_backward_loops, conv2d_forward, conv2d_forward_loops

from .helpers import PROMISES, Pair, assert_same, check_pair, examples


@st.composite
def cases(draw):
    """Draw a convolution that fits: arrays (x, W) or (x, W, b), and the options."""
    k, stride, padding = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    smallest = max(1, k - 2 * padding)
    H, W = draw(st.integers(smallest, smallest + 3)), draw(st.integers(smallest, smallest + 3))
    N, C, O = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = rng.normal(size=(N, C, H, W)), rng.normal(size=(O, C, k, k))
    if draw(st.booleans()):
        arrays += (rng.normal(size=O),)
    return arrays, {"stride": stride, "padding": padding}, rng


def as_pair(arrays, **options):
    return Pair(lambda *a: conv2d_forward(*a, **options), conv2d_backward, arrays)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("padding", [0, 1])
def test_pair_keeps_its_promises(promise, bias, padding, rng):
    arrays = rng.normal(size=(2, 2, 3, 4)), rng.normal(size=(3, 2, 3, 3))
    arrays += (rng.normal(size=3),) if bias else ()
    promise(as_pair(arrays, padding=padding), rng)


@examples(60)
@given(cases())
def test_gradients(case):
    arrays, options, rng = case
    check_pair(as_pair(arrays, **options), rng)


@examples(60)
@given(cases())
def test_fast_equals_loops(case):
    arrays, options, rng = case
    out, dout, (dx, dW, *db) = as_pair(arrays, **options).run(rng)
    assert_same(out, conv2d_forward_loops(*arrays, **options))
    expected = conv2d_backward_loops(dout, *arrays[:2], **options)
    for actual, e in zip((dx, dW, *db), expected, strict=False):  # the loops always give db
        assert_same(actual, e, scale=1)


@examples(40)
@given(cases(), st.sampled_from([1, 500, 1500, 4000]))
def test_slices_of_the_batch_add_up_to_the_batch(case, slice_bytes):
    arrays, options, rng = case
    arrays = (np.concatenate([arrays[0]] * 3 + [2 * arrays[0]]), *arrays[1:])
    out, dout, gradients = as_pair(arrays, **options).run(rng)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "SLICE_BYTES", slice_bytes)
        sliced_out, cache = conv2d_forward(*arrays, **options)
        if slice_bytes == 1:
            way = cache.way
            assert len(slices.batch_slices(len(out), way.bytes_each(cache.x))) == len(out)
        assert_same(sliced_out, out, scale=1)
        for sliced, whole in zip(conv2d_backward(dout, cache), gradients, strict=False):
            assert_same(sliced, whole, scale=1)


# Known numbers.


def test_known_numbers():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    W = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    out, cache = conv2d_forward(x, W, np.array([100.0]))
    assert out[0, 0].tolist() == [[127, 137], [157, 167]]  # 0·1 + 1·2 + 3·3 + 4·4 + 100, ...
    dx, dW, db = conv2d_backward(np.array([[[[1.0, 0.0], [0.0, 10.0]]]]), cache)
    assert dx[0, 0].tolist() == [[1, 2, 0], [3, 14, 20], [0, 30, 40]]
    assert dW[0, 0].tolist() == [[40, 51], [73, 84]]
    assert db.tolist() == [11]


def test_the_kernel_is_not_flipped():
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1
    W = np.arange(9.0).reshape(1, 1, 3, 3)
    out, _ = conv2d_forward(x, W, padding=1)
    assert out[0, 0].tolist() == W[0, 0, ::-1, ::-1].tolist()  # a lone pixel prints the kernel upside down


def test_a_1_in_the_middle_changes_nothing(rng):
    x = rng.normal(size=(2, 1, 5, 6))
    W = np.zeros((1, 1, 7, 7))
    W[0, 0, 3, 3] = 1
    assert np.array_equal(conv2d_forward(x, W, padding=3)[0], x)


def test_a_uniform_7x7_kernel_sees_the_whole_3x3_map_from_everywhere():
    Fs = np.arange(18.0).reshape(1, 2, 3, 3)
    out, _ = conv2d_forward(Fs, np.full((1, 2, 7, 7), 0.5), padding=3)
    assert out.tolist() == [[[[Fs.sum() / 2] * 3] * 3]]


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_stride_leaves_out_places(stride, rng):
    x, W = rng.normal(size=(2, 3, 7, 8)), rng.normal(size=(2, 3, 3, 3))
    every_place, _ = conv2d_forward(x, W, padding=1)
    assert_same(conv2d_forward(x, W, stride=stride, padding=1)[0], every_place[:, :, ::stride, ::stride])


def test_it_is_linear(rng):
    x, y, W = rng.normal(size=(1, 2, 4, 4)), rng.normal(size=(1, 2, 4, 4)), rng.normal(size=(3, 2, 3, 3))
    assert_same(conv2d_forward(2 * x - y, W)[0], 2 * conv2d_forward(x, W)[0] - conv2d_forward(y, W)[0])


def test_a_bias_of_another_kind_does_not_change_the_dtype():
    out, _ = conv2d_forward(np.ones((1, 1, 3, 3), np.float32), np.ones((1, 1, 3, 3), np.float32), np.ones(1))
    assert out.dtype == np.float32


@pytest.mark.parametrize(
    ("x", "W", "options", "message"),
    [
        ((3, 4, 4), (1, 3, 3, 3), {}, "x has 3 axes.*one image is a batch of one"),
        ((1, 3, 4, 4), (3, 3), {}, r"W has 2 axes, shape \(3, 3\); expected 4"),
        ((1, 3, 4, 4), (1, 3, 3, 2), {}, r"W has kernels of 3×2, expected square ones"),
        ((1, 3, 4, 4), (5, 2, 3, 3), {}, r"x has 3 channels, W expects 2: W is \(outputs, channels, k, k\)"),
        ((1, 3, 4, 4), (5, 3, 3, 3), {"b": np.ones(4)}, r"b has shape \(4,\), expected \(5,\): one bias"),
        ((1, 3, 4, 4), (5, 3, 3, 3), {"stride": 0}, "stride is 0 and padding 0, expected stride ≥ 1 and padding ≥ 0"),
        ((1, 3, 4, 4), (5, 3, 3, 3), {"padding": -1}, "stride is 1 and padding -1, expected"),
        ((1, 3, 4, 5), (5, 3, 7, 7), {"padding": 1}, r"the 7×7 kernel is larger than the padded x, \(6, 7\)"),
        ((0, 3, 4, 4), (1, 3, 3, 3), {}, "x is empty"),
    ],
)
def test_what_does_not_fit_is_answered_in_words(x, W, options, message):
    with pytest.raises(ValueError, match=message):
        conv2d_forward(np.ones(x), np.ones(W), **options)


# The fast ways do the same sums as the readable one.


def convolve(way, monkeypatch, x, W, padding, stride=1):
    """Return output and gradients, computed in one way."""
    with monkeypatch.context() as patch:
        patch.setattr(convolution, "find_way", lambda x, W, *options: way(W, *options))
        patch.setattr(convolution, "batch_slices", lambda count, *_: [slice(0, 1), slice(1, None)][:count])
        out, cache = conv2d_forward(x, W, padding=padding, stride=stride)
        return out, *conv2d_backward(np.cos(out), cache)[:2]


@pytest.mark.parametrize(
    ("C", "k", "H", "W", "padding"),
    [(2, 7, 3, 3, 3), (2, 7, 9, 6, 3), (3, 3, 5, 8, 0), (1, 5, 4, 7, 2), (1, 2, 6, 9, 1), (2, 7, 8, 33, 0)],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tiles_give_what_copied_windows_give(C, k, H, W, padding, dtype, rng, monkeypatch):
    x, kernel = rng.normal(size=(3, C, H, W)).astype(dtype), rng.normal(size=(1, C, k, k)).astype(dtype)
    ways = [convolve(way, monkeypatch, x, kernel, padding) for way in (Toeplitz, Im2col)]
    for fast, readable in zip(*ways, strict=True):
        assert fast.dtype == readable.dtype == dtype
        assert_same(fast, readable, 1e-12 if dtype == np.float64 else 1e-5)


@pytest.mark.parametrize("H", range(1, 10))
@pytest.mark.parametrize(("n", "C", "O", "W"), [(1, 1, 1, 1), (3, 2, 5, 4), (2, 20, 16, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("winograd", "rounding"), [(Winograd, 2e-5), (WinogradTiles, 4e-5)])
def test_winograd_gives_what_copied_windows_give(n, C, O, H, W, dtype, winograd, rounding, rng, monkeypatch):
    x, kernel = rng.normal(size=(n, C, H, W)).astype(dtype), rng.normal(size=(O, C, 3, 3)).astype(dtype)
    ways = [convolve(way, monkeypatch, x, kernel, padding=1) for way in (winograd, Im2col)]
    for fast, readable in zip(*ways, strict=True):
        assert fast.dtype == readable.dtype == dtype
        assert_same(fast, readable, 1e-12 if dtype == np.float64 else rounding)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_1x1_kernels_give_what_copied_windows_give(stride, dtype, rng, monkeypatch):
    x, kernel = rng.normal(size=(3, 4, 7, 6)).astype(dtype), rng.normal(size=(5, 4, 1, 1)).astype(dtype)
    ways = [convolve(way, monkeypatch, x, kernel, padding=0, stride=stride) for way in (Pointwise, Im2col)]
    for fast, readable in zip(*ways, strict=True):
        assert fast.dtype == readable.dtype == dtype
        assert_same(fast, readable, 1e-12 if dtype == np.float64 else 1e-5)


def test_winograd_in_both_directions_is_exact_in_float64(rng):
    x, w = rng.normal(size=6), rng.normal(size=3)
    assert_same(winograd_tiles.A_T @ ((winograd_tiles.G @ w) * (winograd_tiles.B_T @ x)), np.correlate(x, w), 1e-14)


def test_winograd_is_exact_in_whole_numbers_but_for_the_kernel(rng):
    y, x, w = np.zeros(4), rng.integers(-9, 9, 6), 24 * rng.integers(-9, 9, 3)
    y = winograd.A_T @ ((winograd.G @ w).round() * (winograd.B_T @ x))
    assert y.tolist() == np.correlate(x, w).tolist()


def test_each_way_is_taken_where_it_is_faster():
    def taken(x, W, stride=1, padding=0, dtype=np.float32):
        return type(convolution.find_way(np.zeros(x, dtype), np.zeros(W, dtype), stride, padding))

    lecture = (8, 2, 32, 32), (1, 2, 7, 7)
    assert taken(*lecture, padding=3) is Toeplitz
    assert taken(*lecture, padding=3, stride=2) is Im2col
    assert taken(*lecture, padding=7) is Im2col
    assert taken(*lecture, padding=3, dtype=object) is Im2col
    stage = (8, 32, 16, 16), (64, 32, 3, 3)
    assert taken(*stage, padding=1) is Winograd
    assert taken((32, 64, 8, 8), (128, 64, 3, 3), padding=1) is WinogradTiles
    assert taken((8, 64, 8, 8), (128, 64, 3, 3), padding=1) is Winograd  # a row of eight images is too short
    assert taken(*stage, padding=1, stride=2) is Im2col
    assert taken(*stage) is Im2col
    assert taken(*stage, padding=1, dtype=object) is Im2col
    assert taken((8, 3, 32, 32), (32, 3, 3, 3), padding=1) is Im2col
    assert taken((8, 32, 16, 16), (64, 32, 1, 1), stride=2) is Pointwise
    assert taken((8, 32, 16, 16), (64, 32, 1, 1), padding=1) is Im2col
