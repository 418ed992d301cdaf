"""Work in processes of their own: they end when their parent does, and work whose process was killed is done again."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, parent_process, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple

ATTEMPTS = 2  # of a process that is killed
GRACE = 1.0  # seconds to save and end, once asked to


class Worker(NamedTuple):
    """A process, what it works on, and where its answer arrives."""

    process: SpawnProcess
    key: Any
    answers: connection.Connection
    attempt: int


class WorkerError(RuntimeError):
    """A process was killed again and again; the message says which work it did."""


def run_in_processes(
    work: Callable[..., Any], jobs: dict[Any, tuple], count: int, report: Callable[[str], None]
) -> Iterator[tuple[Any, Any]]:
    """Do jobs side by side, each in a fresh process.

    Parameters
    ----------
    work : callable
        A function of a module; it and its arguments travel to the process, and what it returns travels back.
    jobs : dict
        By any key, the arguments.
    count : int
        How many processes at once.
    report : callable
        Is told, in words, when a process was killed.

    Yields
    ------
    key, result
        As they are finished.

    Raises
    ------
    WorkerError
        If the process of a job was killed twice.
    Exception
        What the work raised.
    """
    waiting = [(key, 1) for key in jobs]
    workers: list[Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < count:
                key, attempt = waiting.pop(0)
                workers.append(_start(work, key, jobs[key], attempt))
            ready = connection.wait([worker.answers for worker in workers])
            for worker in [worker for worker in workers if worker.answers in ready]:
                workers.remove(worker)
                answer = _receive(worker)
                if answer is not None:
                    yield worker.key, answer[0]
                    continue
                what = f"the process for {worker.key} {_how(worker.process.exitcode)}"
                if worker.attempt == ATTEMPTS:
                    raise WorkerError(f"{what}, as had the one before it: is there enough memory? Use fewer --workers")
                report(f"{what}; another one takes over")
                waiting.insert(0, (worker.key, worker.attempt + 1))
    finally:
        _end(workers)


def _start(work: Callable[..., Any], key: Any, arguments: tuple, attempt: int) -> Worker:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(there, work, arguments), daemon=True)
    try:
        with _ctrl_c_waits():
            process.start()
    except BaseException:  # Ctrl-C that waited: nobody else knows of the process yet
        if process.pid is not None:
            process.kill()
        raise
    there.close()  # the process alone has it now, so that its end can be noticed here
    return Worker(process, key, here, attempt)


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Hold Ctrl-C back for a moment, here, and for good in a process that is started meanwhile.

    It reaches all processes of a terminal, and would end a young one in a traceback before it can say that it is not
    meant; the parent is, and ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # whose start would let it through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _receive(worker: Worker) -> tuple[Any] | None:
    """Return the answer of a worker in a tuple, or None where its process was killed; raise what its work raised."""
    try:
        result, error = worker.answers.recv()
    except (EOFError, OSError):
        result, error = None, None
        worker.process.join()
        return None
    finally:
        worker.answers.close()
    worker.process.join()
    if error is not None:
        error.args = (f"{worker.key}: {error}",)
        raise error
    return (result,)


def _how(exitcode: int | None) -> str:
    """Say how a process ended that gave no answer."""
    if exitcode is not None and exitcode < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-exitcode).name}"
    return f"ended without an answer, with status {exitcode}"


def _end(workers: list[Worker]) -> None:
    """Ask processes to save and end, and kill those that do not."""
    for worker in workers:
        worker.process.terminate()
    until = time.monotonic() + GRACE
    try:
        for worker in workers:
            worker.process.join(max(0, until - time.monotonic()))
    finally:  # a second Ctrl-C included
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()
            worker.answers.close()


def _serve(answers: connection.Connection, work: Callable[..., Any], arguments: tuple) -> None:
    """Do a job in the process made for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent ends them
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer: tuple[Any, Exception | None]
    try:
        answer = work(*arguments), None
    except KeyboardInterrupt:
        sys.exit(1)  # it was asked to end, and has saved
    except Exception as error:
        answer = None, error
    with suppress(BrokenPipeError):
        answers.send(answer)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
