import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cbam_np.ops import softmax, softmax_cross_entropy_backward, softmax_cross_entropy_forward

from .helpers import PROMISES, Pair, assert_same, check_pair


def as_pair(rng, N, K, smoothing=0.0):
    labels = rng.integers(0, K, size=N)
    labels.flags.writeable = False

    def forward(logits):
        return softmax_cross_entropy_forward(logits, labels, smoothing)

    return Pair(forward, softmax_cross_entropy_backward, (rng.normal(size=(N, K)),))


@pytest.mark.parametrize("promise", [p for p in PROMISES if p.__name__ != "refuses_a_wrong_dout"])  # dloss is a number
@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_pair_keeps_its_promises(promise, smoothing, rng):
    promise(as_pair(rng, 4, 3, smoothing), rng)


@given(st.integers(1, 5), st.integers(2, 6), st.floats(0, 0.9), st.integers(0, 2**32 - 1))
def test_gradients(N, K, smoothing, seed):
    rng = np.random.default_rng(seed)
    pair = as_pair(rng, N, K, smoothing)
    assume(pair.has_slope())
    check_pair(pair, np.random.default_rng(0))


def test_no_idea_costs_log_k():
    loss, cache = softmax_cross_entropy_forward(np.zeros((2, 10)), [3, 7])
    assert loss == pytest.approx(np.log(10), rel=1e-15)
    assert_same(cache.p, np.full((2, 10), 0.1))


def test_known_numbers():
    logits = np.log([[1.0, 2.0, 5.0], [4.0, 4.0, 8.0]])
    loss, cache = softmax_cross_entropy_forward(logits, [2, 0])
    assert_same(cache.p, [[1 / 8, 2 / 8, 5 / 8], [1 / 4, 1 / 4, 1 / 2]])
    assert loss == pytest.approx(-(np.log(5 / 8) + np.log(1 / 4)) / 2)
    expected = np.array([[1 / 8, 2 / 8, -3 / 8], [-3 / 4, 1 / 4, 1 / 2]]) / 2  # (p - t) / N
    assert_same(softmax_cross_entropy_backward(1.0, cache), expected)


def test_label_smoothing_is_a_mixture_with_no_idea(rng):
    logits, labels = rng.normal(size=(4, 5)), np.array([0, 1, 2, 4])
    hard, _ = softmax_cross_entropy_forward(logits, labels)
    smooth, cache = softmax_cross_entropy_forward(logits, labels, 0.3)
    assert smooth == pytest.approx(0.7 * hard - 0.3 * np.log(softmax(logits)).mean())
    assert_same(cache.target[0], [0.7 + 0.06, 0.06, 0.06, 0.06, 0.06])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_are_stable(dtype):
    logits = np.array([[1e4, 0, -1e4], [-1e30, 0, 1e30]], dtype)
    with np.errstate(all="raise", under="ignore"):
        loss, cache = softmax_cross_entropy_forward(logits, [1, 2])
        assert loss == 5000  # (1e4 + 0) / 2
        assert softmax(logits).tolist() == cache.p.tolist() == [[1, 0, 0], [0, 0, 1]]
        assert softmax_cross_entropy_backward(1, cache).tolist() == [[0.5, -0.5, 0], [0, 0, 0]]


@given(st.floats(-1e3, 1e3), st.integers(0, 2**32 - 1))
def test_probabilities_add_to_1_and_a_shift_changes_nothing(shift, seed):
    logits = np.random.default_rng(seed).normal(0, 5, size=(3, 4))
    p = softmax(logits)
    assert_same(p.sum(axis=1), np.ones(3))
    assert_same(softmax(logits + shift), p, 1e-10)


def test_the_gradient_of_an_image_adds_to_0(rng):
    _, _, (dlogits,) = as_pair(rng, 5, 4, 0.2).run(rng)
    assert_same(dlogits.sum(axis=1), np.zeros(5), scale=1)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2], r"labels are int64 of shape \(3,\), expected 2 whole numbers, one per image"),
        ([[0], [1]], r"labels are int64 of shape \(2, 1\), expected 2 whole numbers"),
        ([0.0, 1.0], "labels are float64 .* expected 2 whole numbers"),
        ([True, False], "labels are bool .* expected 2 whole numbers"),
        ([0, 3], "labels go from 0 to 3, expected 0 to 2 for 3 logits"),
        ([-1, 2], "labels go from -1 to 2, expected 0 to 2 for 3 logits"),
    ],
)
def test_labels_that_are_none_are_answered_in_words(labels, message):
    with pytest.raises(ValueError, match=message):
        softmax_cross_entropy_forward(np.zeros((2, 3)), np.array(labels))


@pytest.mark.parametrize("smoothing", [-0.1, 1, float("nan")])
def test_label_smoothing_out_of_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=f"label_smoothing is {smoothing}, expected at least 0 and less than 1"):
        softmax_cross_entropy_forward(np.zeros((1, 3)), [0], smoothing)


def test_logits_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"logits has 4 axes, shape \(2, 3, 1, 1\); expected 2"):
        softmax_cross_entropy_forward(np.zeros((2, 3, 1, 1)), [0, 1])
