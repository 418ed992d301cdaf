"""Each operation gives what its definition gives, which stands first in its file."""

import numpy as np
import pytest

from cbam_np import ops
from cbam_np.cbam import cbam_forward, channel_attention_forward, init_cbam, mlp_forward, spatial_attention_forward
from cbam_np.cbam.block import cbam
from cbam_np.cbam.channel import channel_attention
from cbam_np.cbam.mlp import mlp
from cbam_np.cbam.spatial import spatial_attention
from cbam_np.engine import slices
from cbam_np.ops.linear import linear
from cbam_np.ops.loss import cross_entropy
from cbam_np.ops.soft_pooling import lp, lse

from .helpers import assert_same


@pytest.fixture(params=["whole", "in slices"])
def x(request, rng, monkeypatch):
    if request.param == "in slices":
        monkeypatch.setattr(slices, "SLICE_BYTES", 64)
    return rng.normal(size=(3, 4, 5, 6)).round(1)  # with ties


@pytest.mark.parametrize(
    ("forward", "definition"),
    [(ops.relu_forward, ops.relu), (ops.sigmoid_forward, ops.sigmoid), (ops.gelu_forward, ops.gelu)],
)
def test_activations(forward, definition, x):
    assert_same(forward(x)[0], definition(x))


def test_batch_normalisation(x, rng):
    gamma, beta = rng.normal(size=(2, 4))
    assert_same(ops.batch_norm_forward(x, gamma, beta)[0], ops.batch_norm(x, gamma, beta))


def test_linear(rng):
    x, W, b = rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.normal(size=5)
    assert_same(ops.linear_forward(x, W, b)[0], linear(x, W, b))


def test_cross_entropy(rng):
    logits, labels = rng.normal(size=(6, 3)), rng.integers(0, 3, 6)
    assert_same(ops.softmax_cross_entropy_forward(logits, labels)[0], cross_entropy(logits, labels))


@pytest.mark.parametrize(("forward", "definition"), [(ops.lp_pool_forward, lp), (ops.lse_pool_forward, lse)])
def test_soft_pools(forward, definition, x):
    over_space = [[definition(channel) for channel in image] for image in x]
    assert_same(forward(x, "space")[0], np.array(over_space))
    over_channels = np.apply_along_axis(definition, 1, x)[:, None]
    assert_same(forward(x, "channels")[0], over_channels)


def test_the_lecture(x, rng):
    params = init_cbam(4, 2, 7, rng=rng)
    W0, W1, W7 = (params[name] for name in ("W0", "W1", "W7"))
    v = rng.normal(size=(3, 4))
    assert_same(mlp_forward(v, W0, W1)[0], mlp(v, W0, W1))
    assert_same(channel_attention_forward(x, params)[0], channel_attention(x, W0, W1))
    assert_same(spatial_attention_forward(x, params)[0], spatial_attention(x, W7))
    assert_same(cbam_forward(x, params)[0], cbam(x, W0, W1, W7))


def test_a_definition_without_the_maximum_would_be_caught(x, rng):
    params = init_cbam(4, 2, 7, rng=rng)
    W0, W1 = params["W0"], params["W1"]
    average_only = ops.sigmoid(mlp(x.mean(axis=(2, 3)), W0, W1))[:, :, None, None]
    with pytest.raises(AssertionError):
        assert_same(channel_attention_forward(x, params)[0], average_only)
