import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbam_np.ops import batch_norm, batch_norm_backward, batch_norm_forward

from .helpers import PROMISES, Pair, assert_same, check_pair, distinct, examples

PIXELS = (0, 2, 3)


def as_pair(rng, shape, inference, eps=1e-5):
    C = shape[1]
    running = (rng.normal(size=C).astype(np.float32), rng.uniform(0.5, 2, size=C).astype(np.float32))

    def forward(x, gamma, beta):
        return batch_norm_forward(x, gamma, beta, running if inference else None, eps)

    return Pair(forward, batch_norm_backward, (distinct(rng, *shape), rng.normal(size=C), rng.normal(size=C)))


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("inference", [False, True], ids=["training", "inference"])
def test_pair_keeps_its_promises(promise, inference, rng):
    promise(as_pair(rng, (3, 2, 2, 3), inference), rng)


@examples(40)
@given(
    st.tuples(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(2, 3)),
    st.booleans(),
    st.sampled_from([1e-5, 1e-3, 0.1]),
    st.integers(0, 2**32 - 1),
)
def test_gradients(shape, inference, eps, seed):
    rng = np.random.default_rng(seed)
    check_pair(as_pair(rng, shape, inference, eps), rng)


@pytest.mark.parametrize("side", [5, 8, 16], ids=["few pixels", "more", "many"])  # each is summed in its own way
def test_sums_do_not_depend_on_the_number_of_pixels(side, rng):
    x, dout = rng.normal(3, 2, size=(2, 4, 3, side, side))
    gamma, beta = rng.normal(size=(2, 3))
    out, cache = batch_norm_forward(x, gamma, beta)
    assert_same(out, batch_norm(x, gamma, beta))
    _, dgamma, dbeta = batch_norm_backward(dout, cache)
    x_hat = batch_norm(x, np.ones(3), np.zeros(3))
    assert_same(dgamma, (dout * x_hat).sum(axis=PIXELS))
    assert_same(dbeta, dout.sum(axis=PIXELS))


def test_known_numbers():
    x = np.array([1.0, 3.0, 5.0, 7.0]).reshape(2, 1, 1, 2)
    out, cache = batch_norm_forward(x, np.array([10.0]), np.array([1.0]), eps=0)
    assert cache.mean.tolist() == [4] and cache.var.tolist() == [5]  # divided by 4, not by 3
    assert_same(out.ravel(), 1 + 10 * np.array([-3, -1, 1, 3]) / np.sqrt(5))


def test_training_brings_each_channel_to_mean_0_and_variance_1(rng):
    x = rng.normal(3, 7, size=(8, 4, 5, 6)) * np.arange(1, 5)[:, None, None]
    out, _ = batch_norm_forward(x, np.ones(4), np.zeros(4), eps=0)
    assert_same(out.mean(axis=PIXELS), np.zeros(4), scale=1)
    assert_same(out.var(axis=PIXELS), np.ones(4))


def test_the_cache_hands_out_the_statistics_that_inference_wants(rng):
    x, gamma, beta = rng.normal(2, 3, size=(4, 3, 5, 5)), rng.normal(size=3), rng.normal(size=3)
    out, cache = batch_norm_forward(x, gamma, beta)
    again, used = batch_norm_forward(x, gamma, beta, (cache.mean, cache.var))
    assert_same(again, out)
    assert cache.moments.M == 4 * 5 * 5 and used.moments is None


def test_inference_takes_images_one_by_one(rng):
    pair = as_pair(rng, (4, 3, 2, 2), inference=True)
    x, gamma, beta = pair.arrays
    whole, _ = pair.forward(x, gamma, beta)
    assert np.array_equal(whole, np.concatenate([pair.forward(image[None], gamma, beta)[0] for image in x]))


def test_in_training_the_gradient_is_blind_to_what_normalising_removes(rng):
    _, _, (dx, *_) = as_pair(rng, (4, 3, 2, 2), inference=False).run(rng)
    assert_same(dx.sum(axis=PIXELS), np.zeros(3), scale=np.abs(dx).max())


def test_a_constant_channel_gives_beta():
    out, cache = batch_norm_forward(np.full((2, 1, 2, 2), 5.0), np.array([3.0]), np.array([0.25]))
    assert (out == 0.25).all()
    assert np.isfinite(batch_norm_backward(np.ones_like(out), cache)[0]).all()


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((3, 4, 4), (np.ones(3), np.zeros(3)), "x has 3 axes.*one image is a batch of one"),
        ((2, 3, 4, 4), (np.ones(2), np.zeros(3)), r"gamma has shape \(2,\), expected \(3,\): one number per channel"),
        ((2, 3, 4, 4), (np.ones(3), np.zeros((3, 1))), r"beta has shape \(3, 1\), expected \(3,\)"),
        (
            (1, 3, 1, 1),
            (np.ones(3), np.zeros(3)),
            "x has one value per channel.*a variance needs at least two",
        ),
        ((2, 3, 4, 4), (np.ones(3), np.zeros(3), (np.ones(2), np.ones(3))), "running mean has shape"),
        ((2, 3, 4, 4), (np.ones(3), np.zeros(3), (np.ones(3), np.ones(1))), "running var has shape"),
    ],
)
def test_what_does_not_fit_is_answered_in_words(shape, arguments, message):
    with pytest.raises(ValueError, match=message):
        batch_norm_forward(np.ones(shape), *arguments)


def test_one_value_a_channel_is_enough_for_inference():
    out, _ = batch_norm_forward(np.full((1, 2, 1, 1), 3.0), np.ones(2), np.zeros(2), (np.ones(2), np.ones(2)), eps=0)
    assert out.ravel().tolist() == [2, 2]


def test_float32_stays_float32_whatever_the_statistics_are(rng):
    x = rng.normal(size=(2, 3, 4, 4)).astype(np.float32)
    out, _ = batch_norm_forward(x, [1, 2, 3], np.zeros(3), running=([0, 0, 0], np.ones(3)))
    assert out.dtype == np.float32
    assert_same(out, x * np.array([1, 2, 3], np.float32)[:, None, None] / np.sqrt(np.float32(1 + 1e-5)), 1e-6)
