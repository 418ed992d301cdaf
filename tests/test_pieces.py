"""A network in pieces of the batch does what the network does with the whole batch."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cbam_np import SmallCNN
from cbam_np.engine import im2col, pieces, run_pieces, share, slices
from cbam_np.nn import InPieces, Residual, Sequential
from cbam_np.nn.layers import BatchNorm2d, Conv2d, GlobalAvgPool, Linear, Normalise, ReLU
from cbam_np.nn.models import Classifier

from .helpers import assert_same


def small_cnn(attention):
    of = {"channels": (4, 6, 8), "reduction": 2, "start": "he", "dtype": np.float64}
    return SmallCNN(attention, rng=np.random.default_rng(3), **of)


def residual():
    rng = np.random.default_rng(3)
    branch = Sequential(conv=Conv2d(3, 6, rng=rng, dtype=np.float64), bn=BatchNorm2d(6, dtype=np.float64), relu=ReLU())
    shortcut = Sequential(conv=Conv2d(3, 6, 1, rng=rng, dtype=np.float64), bn=BatchNorm2d(6, dtype=np.float64))
    return Classifier(
        normalise=Normalise(dtype=np.float64),
        block=Residual(branch, shortcut),
        average=GlobalAvgPool(),
        head=Linear(6, 10, rng=rng, dtype=np.float64),
    )


NETWORKS = {
    "no attention": lambda: small_cnn(None),
    "SE": lambda: small_cnn("se"),
    "CBAM": lambda: small_cnn("cbam"),
    "residual": residual,
}


def images(rng, count):
    return rng.integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)


def run(network, x, dout):
    logits = network.forward(x, training=True)
    network.backward(dout)
    return logits


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("count", [2, 9, 37])
def test_pieces_do_what_the_network_does(make, count, rng):
    x, dout = images(rng, count), rng.normal(size=(count, 10))
    whole, model = make(), make()
    in_pieces = InPieces(model)
    assert_same(run(in_pieces, x, dout), run(whole, x, dout))
    assert len(in_pieces.twins) == {2: 1, 9: 2, 37: 4}[count]
    assert model.grads.keys() == whole.grads.keys() == whole.params.keys()
    for name, grad in whole.grads.items():
        np.testing.assert_allclose(model.grads[name], grad, rtol=0, atol=1e-11, err_msg=name)
    for name, array in whole.state.items():
        np.testing.assert_allclose(model.state[name], array, rtol=1e-12, err_msg=name)
    assert_same(in_pieces.forward(x), whole.forward(x))


def test_the_same_bits_with_any_number_of_threads(rng, monkeypatch):
    monkeypatch.setattr(slices, "SLICE_BYTES", 2**17)
    x, dout = images(rng, 64), rng.normal(size=(64, 10))
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(slices, "thread_count", lambda threads=threads: threads)
        monkeypatch.setattr(pieces, "thread_count", lambda threads=threads: threads)
        model = small_cnn("cbam")
        logits = run(InPieces(model), x, dout)
        results.append([logits, *model.grads.values(), *model.state.values()])
    for first, *others in zip(*results, strict=True):
        for other in others:
            np.testing.assert_array_equal(other, first)


def test_inference_remembers_nothing_and_changes_nothing(rng):
    model = small_cnn("cbam")
    before = {name: array.copy() for name, array in model.state.items()}
    in_pieces = InPieces(model)
    in_pieces.forward(images(rng, 16))
    for twin in in_pieces.twins:
        assert not [name for name, layer in twin.layers() if "cache" in vars(layer)]
    for name, array in model.state.items():
        np.testing.assert_array_equal(array, before[name])


def test_a_piece_leaves_the_networks_own_cache_and_gradients_alone(rng):
    model = small_cnn("cbam")
    x = images(rng, 2)
    model.forward(x)
    cache = model.stage1.attention.cache
    InPieces(model).forward(images(rng, 16), training=True)
    assert model.stage1.attention.cache is cache


def test_nobody_computes_the_gradient_of_the_images(rng, monkeypatch):
    asked = []
    backward = im2col.Im2col.backward

    def listen(self, dout, x, dx=None):
        asked.append(dx is not None)
        return backward(self, dout, x, dx)

    monkeypatch.setattr(im2col.Im2col, "backward", listen)
    x, dout = images(rng, 4), rng.normal(size=(4, 10))
    run(InPieces(small_cnn(None)), x, dout)
    assert asked == [True, True, False]  # the last layer's first
    model = small_cnn(None)
    model.forward(x, training=True)
    assert model.backward(dout).shape == x.shape  # the network itself does


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_pieces_meet_and_hear_of_each_other_in_order(threads, monkeypatch):
    monkeypatch.setattr(pieces, "thread_count", lambda: threads)

    def piece(name):
        return [share(f"{name}{meeting}") for meeting in range(3)]

    assert run_pieces(piece, ["a"]) == [[["a0"], ["a1"], ["a2"]]]
    heard = [["a0", "b0", "c0", "d0"], ["a1", "b1", "c1", "d1"], ["a2", "b2", "c2", "d2"]]
    for _ in range(20):
        assert run_pieces(piece, list("abcd")) == [heard] * 4
    assert share("alone") == ["alone"]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_more_pieces_run_at_a_time_than_there_may_be_threads(threads, monkeypatch):
    monkeypatch.setattr(pieces, "thread_count", lambda: threads)
    running, most, lock = 0, 0, threading.Lock()

    def piece(name):
        nonlocal running, most
        for _ in range(5):
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.002)
            with lock:
                running -= 1
            share(name)

    run_pieces(piece, list("abcd"))
    assert most == threads


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_an_error_in_one_piece_releases_the_others(threads, at, monkeypatch):
    monkeypatch.setattr(pieces, "thread_count", lambda: threads)

    def piece(number):
        share(number)
        if number == at:
            raise ValueError(f"piece {number}")
        share(number)

    for _ in range(5):
        with pytest.raises(ValueError, match=f"piece {at}"):
            run_pieces(piece, range(4))
    assert run_pieces(lambda number: sum(share(number)), range(4)) == [6] * 4  # and nothing is left of it


def test_callers_in_several_threads_do_not_wait_for_each_other():
    def caller(_):
        return run_pieces(lambda number: sum(share(number)), range(4))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(caller, range(60), timeout=60)) == [[6] * 4] * 60


def test_what_the_caller_said_of_overflow_holds_in_every_piece():
    def piece(_):
        return np.exp(np.float64(1000))

    with np.errstate(over="ignore"):
        assert run_pieces(piece, range(4)) == [np.inf] * 4
    with pytest.raises(RuntimeWarning, match="overflow"):
        run_pieces(piece, range(4))


def test_a_training_step_does_not_start_a_thread_every_time(rng):
    model = InPieces(small_cnn("cbam"))
    x, dout = images(rng, 16), rng.normal(size=(16, 10))
    run(model, x, dout)
    before = threading.active_count()
    for _ in range(3):
        run(model, x, dout)
    assert threading.active_count() == before


def test_a_sandbox_that_forbids_choosing_cores_is_no_matter(monkeypatch):
    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbidden, raising=False)
    assert pieces.run_pieces(lambda piece: 2 * piece, [1, 2, 3, 4]) == [2, 4, 6, 8]
