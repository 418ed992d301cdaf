"""No bit of a result depends on the number of threads: ours, or those of BLAS, by `limit_threads` or environment."""

from contextvars import Context

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks import threads
from cbam_np.engine import limit_threads, one_blas_thread, run_pieces
from cbam_np.engine.threads import thread_count

NUMBERS = range(16)  # two of each kind


def test_limits_change_no_bit():
    unlimited, *limited = threads.hashes(NUMBERS, limits=(1, 2, 3)).values()
    assert all(found == unlimited for found in limited)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", threads.KERNELS)
def test_the_environment_changes_no_bit(kernel):
    assert threads.differing(0, len(NUMBERS), kernel, threads=(1, 3)) == {}


def test_bits_that_depend_on_the_number_would_be_seen(monkeypatch):
    monkeypatch.setattr(threads, "results_of", lambda number: [np.array(thread_count() if number == 5 else 1)])
    found = threads.hashes([4, 5])
    assert found["1"][4] == found["8"][4] and found["1"][5] != found["8"][5]


def test_a_single_slice_is_multiplied_by_one_thread_too():
    seen = []

    def work(piece):
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")

    with limit_threads(2):
        run_pieces(work, [0])
    assert set(seen) == {1}


def test_the_table_counts():
    rows = [{"kernel": "", "configurations": 10, "differ": 1}, {"kernel": "Haswell", "configurations": 10, "differ": 0}]
    page = threads.markdown(rows, 10)
    assert "| its own choice | 10 | 9 | 1 |" in page and "| Haswell | 10 | 10 | 0 |" in page


def test_matrices_outside_of_slices_are_multiplied_by_one_thread_too():
    def seen():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2):
        before = seen()
        with one_blas_thread():
            assert seen() == {1}
            with one_blas_thread():  # the inner one has nothing to do, and leaves it so
                pass
            assert seen() == {1}
        assert seen() == before


def test_so_they_are_where_nothing_was_set_before():
    """As in a thread that somebody else has started: its context is empty."""

    def seen():
        with one_blas_thread():
            return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2):
        assert Context().run(seen) == {1}
