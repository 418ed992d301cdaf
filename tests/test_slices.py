"""Slices cover the batch once, keep their order, and give the same bits with any number of threads."""

import multiprocessing
import os
import threading
from time import sleep

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from cbam_np import cbam, engine, ops
from cbam_np.engine import convolution, helpers, slices
from cbam_np.ops import conv2d_backward, conv2d_forward


@pytest.fixture(autouse=True)
def slices_of_a_mebibyte(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_BYTES", 2**20)


@pytest.mark.parametrize(
    ("count", "bytes_each", "lengths"),
    [
        (11, 2**18, [2, 3, 3, 3]),  # never more than a mebibyte, and an even number of them
        (8, 2**18, [4, 4]),
        (9, 2**16, [9]),  # too little for two
        (3, 2**30, [1, 1, 1]),
        (1, 2**30, [1]),
    ],
)
def test_slices_cover_the_batch_once(count, bytes_each, lengths):
    cut = slices.batch_slices(count, bytes_each)
    assert [n for s in cut for n in range(count)[s]] == list(range(count))
    assert sorted(len(range(count)[s]) for s in cut) == sorted(lengths)


def test_slices_are_no_smaller_than_asked_for():
    sizes = (0, 2**20, 12 * 2**20, 2**26)
    assert [len(slices.batch_slices(40, 2**20, at_least)) for at_least in sizes] == [40, 40, 4, 2]


def test_slices_of_a_wide_layer_are_larger_than_its_kernels(rng):
    x = np.broadcast_to(np.float32(1), (200, 256, 8, 8))
    way = convolution.find_way(x, rng.standard_normal((256, 256, 3, 3)).astype(np.float32), 1, 1)
    largest = max(s.stop - s.start for s in convolution._slices(x, way))
    assert largest * way.bytes_each(x) > way.U.nbytes > slices.SLICE_BYTES


def test_results_keep_the_order_of_the_slices():
    cut = slices.batch_slices(40, 2**20)
    assert slices.over_slices(lambda s: s.start, cut) == list(range(40))


def _convolution(x, W):
    out, cache = conv2d_forward(x, W, padding=1)
    return (out, *conv2d_backward(out, cache)[:2])


def test_the_same_bits_with_any_number_of_threads(rng, monkeypatch):
    x = rng.standard_normal((64, 8, 16, 16)).astype(np.float32)
    W = rng.standard_normal((16, 8, 3, 3)).astype(np.float32)
    assert len(slices.batch_slices(64, x[0].nbytes * 9)) == 6
    expected = _convolution(x, W)
    for threads in (1, 2, 5):
        monkeypatch.setattr(slices, "thread_count", lambda threads=threads: threads)
        for array, same in zip(_convolution(x, W), expected, strict=True):
            np.testing.assert_array_equal(array, same)


def _normalised(x, W):
    out, cache = ops.batch_norm_forward(x, np.ones(8, np.float32), np.zeros(8, np.float32))
    return (out, *ops.batch_norm_backward(np.cos(x), cache))


def _pooled(x, W):
    out, cache = ops.max_pool2d_forward(x)
    return out, ops.max_pool2d_backward(out, cache)


def _relu(x, W):
    out, cache = ops.relu_forward(x)
    return out, ops.relu_backward(x, cache)


def _cbam(x, W):
    params = cbam.init_cbam(8, 2, 7, rng=np.random.default_rng(0), dtype=np.float32)
    out, cache = cbam.cbam_forward(x, params)
    assert len(cache.parts) == 4
    dx, grads = cbam.cbam_backward(np.cos(x), cache)
    return (out, dx, *grads.values())


@pytest.mark.parametrize("work", [_convolution, _normalised, _pooled, _relu, _cbam])
def test_no_operation_depends_on_the_number_of_threads(work, rng, monkeypatch):
    monkeypatch.setattr(slices, "SLICE_BYTES", 2**17)
    x, W = (
        rng.standard_normal((64, 8, 16, 16)).astype(np.float32),
        rng.standard_normal((16, 8, 3, 3)).astype(np.float32),
    )
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(slices, "thread_count", lambda threads=threads: threads)
        results.append(work(x, W))
    for arrays in zip(*results, strict=True):
        for array in arrays[1:]:
            np.testing.assert_array_equal(array, arrays[0])


def test_blas_is_held_to_one_thread_inside_and_let_go_after():
    def blas_threads(_):
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = blas_threads(None)
    inside = slices.over_slices(blas_threads, [slice(0, 1), slice(1, 2)])
    assert before and inside == [[1] * len(before)] * 2
    assert blas_threads(None) == before


def test_what_the_caller_said_of_overflow_holds_in_every_slice():
    cut = [slice(0, 1), slice(1, 2)]
    with np.errstate(over="ignore"):
        assert slices.over_slices(lambda s: np.exp(np.float64(1000)), cut) == [np.inf, np.inf]
    with pytest.raises(RuntimeWarning, match="overflow"):
        slices.over_slices(lambda s: np.exp(np.float64(1000)), cut)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_first_error_in_a_slice_comes_out(threads, monkeypatch):
    def fail(s):
        sleep(0.01 * (s.start == 1))  # meanwhile, another thread is faster with a later one
        if s.start:
            raise ValueError(f"slice {s.start}")

    monkeypatch.setattr(slices, "thread_count", lambda: threads)
    for _ in range(5):
        with pytest.raises(ValueError, match="slice 1"):
            slices.over_slices(fail, [slice(n, n + 1) for n in range(4)])


def test_all_threads_take_turns(monkeypatch):
    monkeypatch.setattr(slices, "thread_count", lambda: 3)
    meeting = threading.Barrier(3, timeout=20)  # nobody passes before three are there
    assert slices.over_slices(lambda s: meeting.wait() in range(3), [slice(n, n + 1) for n in range(3)]) == [True] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_makes_a_pool_of_its_own(monkeypatch):
    cut = [slice(0, 1), slice(1, 2)]
    monkeypatch.setattr(slices, "thread_count", lambda: 2)
    meeting = threading.Barrier(2, timeout=20)
    slices.over_slices(lambda s: meeting.wait(), cut)  # now there is a pool
    process = multiprocessing.get_context("fork").Process(target=slices.over_slices, args=(str, cut))
    process.start()
    process.join(20)
    alive = process.is_alive()
    process.kill()
    assert not alive and process.exitcode == 0


def test_a_slice_that_is_cut_again_does_not_wait_for_its_own_pool():
    def inner(s):
        return s.start

    def outer(s):
        return slices.over_slices(inner, [slice(0, 1), slice(1, 2), slice(2, 3)])

    assert slices.over_slices(outer, [slice(n, n + 1) for n in range(20)]) == [[0, 1, 2]] * 20
    assert slices.over_slices(inner, [slice(4, 5), slice(6, 7)]) == [4, 6]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux says where a thread may run")
@pytest.mark.skipif(os.cpu_count() < 2, reason="there is no other core")
def test_helpers_stay_off_the_callers_core(monkeypatch):
    from cbam_np.engine import helpers

    allowed = os.sched_getaffinity(0)
    pool = helpers.Helpers(1)
    pool.submit(threading.get_native_id).result()  # now there is a thread
    for core in sorted(allowed):
        monkeypatch.setattr(helpers, "_getcpu", lambda core=core: core)
        assert pool.submit(lambda: os.sched_getaffinity(0)).result() == (allowed - {core} or allowed)
    assert os.sched_getaffinity(0) == allowed


def test_helpers_help_where_nothing_is_known_of_cores(monkeypatch):
    from cbam_np.engine import helpers

    monkeypatch.setattr(helpers, "_getcpu", None)
    assert helpers.Helpers(1).submit(lambda: 7).result() == 7


def test_threads_are_limited_and_let_go():
    def blas_threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = engine.threads.thread_count(), blas_threads()
    with engine.limit_threads(1):
        assert engine.threads.thread_count() == 1
        assert set(blas_threads()) <= {1}
        names = slices.over_slices(lambda s: threading.get_ident(), [slice(n, n + 1) for n in range(4)])
        assert set(names) == {threading.get_ident()}
    assert (engine.threads.thread_count(), blas_threads()) == before


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_a_slice_stops_the_others(threads, monkeypatch):
    begun = []

    def work(s):
        begun.append(s.start)
        sleep(0.01)
        if s.start == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(slices, "thread_count", lambda: threads)
    with pytest.raises(KeyboardInterrupt):
        slices.over_slices(work, [slice(n, n + 1) for n in range(50)])
    assert len(begun) < 10


def test_there_is_one_pool_however_many_slices_there_are(monkeypatch):
    asked = []
    monkeypatch.setattr(slices, "thread_count", lambda: 4)
    monkeypatch.setattr(slices, "helpers", lambda count: asked.append(count) or helpers.helpers(count))
    for count in (2, 3, 4, 9):
        slices.over_slices(lambda s: None, [slice(n, n + 1) for n in range(count)])
    assert set(asked) == {3}
