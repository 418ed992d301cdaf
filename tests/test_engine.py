"""The engine disturbs nobody: not other threads, not forked or spawned processes, and not a place without threads."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from cbam_np import cbam, engine


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_blas_gets_its_threads_back_when_the_last_caller_has_finished():
    before = blas_threads()
    first_inside, second_inside, first_left = (threading.Event() for _ in range(3))

    def first():
        with engine.threads.limit_blas(1):
            first_inside.set()
            assert second_inside.wait(10)

    def second():
        assert first_inside.wait(10)
        with engine.threads.limit_blas(1):
            second_inside.set()
            assert first_left.wait(10)
            assert set(blas_threads()) == {1}  # the first one has left, but this one still needs it

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(first), pool.submit(second)
        one.result(10)
        first_left.set()
        other.result(10)
    assert blas_threads() == before


def test_callers_in_many_threads_leave_blas_as_it_was(rng):
    before = blas_threads()
    x = rng.normal(size=(32, 16, 32, 32)).astype(np.float32)
    params = cbam.init_cbam(16, 4, rng=rng, dtype=np.float32)
    expected = cbam.cbam_forward(x, params)[0]

    def call(_):
        return np.array_equal(cbam.cbam_forward(x, params)[0], expected)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(12)))
    assert blas_threads() == before


def _gradient(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 16, 16, 16)).astype(np.float32)
    out, cache = cbam.cbam_forward(x, cbam.init_cbam(16, 4, rng=rng, dtype=np.float32, dialect="official"), "official")
    assert len(cache.slices) > 1
    return cbam.cbam_backward(out, cache)[0]


@pytest.fixture
def small_slices(monkeypatch):
    monkeypatch.setattr(engine.slices, "SLICE_BYTES", 2**18)


def _in_a_process(seed):
    engine.slices.SLICE_BYTES = 2**18
    return _gradient(seed)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_process_that_is_forked_after_use_calculates_the_same(small_slices):
    expected = _gradient(1)
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        np.testing.assert_array_equal(pool.submit(_in_a_process, 1).result(60), expected)


def test_a_worker_that_is_spawned_calculates_the_same(rng):
    x, params = rng.normal(size=(40, 16, 16, 16)), cbam.init_cbam(16, 4, rng=rng)
    out, cache = cbam.cbam_forward(x, params)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        same, theirs = pool.submit(cbam.cbam_forward, x, params).result(120)
        dx = pool.submit(cbam.cbam_backward, out, theirs).result(120)[0]  # the cache has come here and gone back
    np.testing.assert_array_equal(same, out)
    np.testing.assert_array_equal(dx, cbam.cbam_backward(out, cache)[0])


def test_a_fork_in_the_middle_of_work_starts_without_its_parents_limits():
    before = blas_threads()
    with engine.threads.limit_blas(1):
        engine.threads._forget_limits()  # what a forked process does first
        assert blas_threads() == before
        with engine.threads.limit_blas(1):
            assert set(blas_threads()) == {1}
        assert blas_threads() == before
    assert blas_threads() == before


def test_a_limit_below_one_thread_is_refused():
    with pytest.raises(ValueError, match="the number of threads is 0, expected 1 or more"), engine.limit_threads(0):
        pass


WITHOUT_THREADS = """
import sys, threading, concurrent.futures
sys.platform = "emscripten"
del threading.get_native_id
sys.modules["threadpoolctl"] = sys.modules["_multiprocessing"] = None
def refuse(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
import numpy as np
import cbam_np.engine as engine
engine.slices.SLICE_BYTES = 64
from cbam_np import cbam, nn
from cbam_np.nn.models import SmallCNN
rng = np.random.default_rng(0)
for dialect in ("paper", "official"):
    x = rng.standard_normal((40, 16, 8, 8))
    out, cache = cbam.cbam_forward(x, cbam.init_cbam(16, 4, rng=rng, dialect=dialect), dialect)
    dx, grads = cbam.cbam_backward(out, cache)
model = nn.InPieces(SmallCNN("cbam", rng=rng, channels=(4, 6), reduction=2, dialect="official"))
logits = model.forward(rng.integers(0, 256, (32, 3, 8, 8), dtype=np.uint8), training=True)
model.backward(logits)
print("calculated")
"""


def test_where_there_are_no_threads_it_is_imported_and_calculates():
    """As in a browser: no threads, no numbers of threads, no processes, no control of BLAS."""
    code = WITHOUT_THREADS.replace("import cbam_np.engine as engine", STUB + "import cbam_np.engine as engine")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "calculated\n", done.stderr


STUB = """
import types, importlib.util, pathlib
root = pathlib.Path(importlib.util.find_spec("cbam_np").origin).parent
package = types.ModuleType("cbam_np")
package.__path__ = [str(root)]  # the parts that calculate, without the rest of the package
sys.modules["cbam_np"] = package
"""


def test_a_repeated_operand_changes_no_number_and_leaves_the_buffer_as_it_was(rng):
    before = np.getbufsize()
    F, M = rng.normal(size=(2, 3, 40, 40)), rng.normal(size=(2, 1, 40, 40))
    assert np.array_equal(engine.repeating(np.multiply, F, M), F * M)
    with pytest.raises(ValueError, match="broadcast"):
        engine.repeating(np.multiply, F, M[..., :7])
    assert np.getbufsize() == before
