"""A process that forks for each run of the tests: what they all import, NumPy and PyTorch above all, is there already.

It is started as a file, reads what to run from stdin, a line of JSON for each run, and answers with how it ended.
"""

import contextlib
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from typing import Any

LIBRARIES = ("numpy", "matplotlib.pyplot", "PIL.Image", "torch")
WAIT = 300  # seconds on the clock for one run: threads that wait for each other for ever use no processor


def serve() -> None:
    """Run what is asked for, until nothing more is."""
    sys.path.pop(0)  # the folder of this file
    for name in LIBRARIES:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    importlib.import_module("pytest")
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


def run(order: dict[str, Any]) -> int | None:
    """Run pytest in a process of its own; return its status, None if it did not end in its time."""
    child = os.fork()
    if not child:
        status = 70
        try:
            status = _tests(order)
        finally:
            os._exit(status)
    until, ended, how = time.monotonic() + WAIT, 0, 0
    while not ended and time.monotonic() < until:
        ended, how = os.waitpid(child, os.WNOHANG)
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what the tests have started ends with them
    if not ended:
        os.waitpid(child, 0)
        return None
    status = os.waitstatus_to_exitcode(how)
    return None if status in (-signal.SIGXCPU, -signal.SIGKILL) else status


def _tests(order: dict[str, Any]) -> int:
    """Be the process in which the tests run."""
    os.setpgid(0, 0)
    if order["seconds"]:
        resource.setrlimit(resource.RLIMIT_CPU, (order["seconds"], order["seconds"] + 5))
    os.chdir(order["folder"])
    for descriptor, path in ((0, os.devnull), (1, order["output"]), (2, order["output"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  nothing more is asked of this process
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "COVERAGE_"))]:
        del os.environ[name]
    os.environ.update(order["settings"])
    sys.path.insert(0, order["folder"])
    import pytest

    rc = order["settings"].get("MUTATION_COVERAGE")
    if not rc:
        return int(pytest.main(order["words"]))
    from coverage import Coverage

    coverage = Coverage(config_file=rc)
    coverage.start()
    try:
        return int(pytest.main(order["words"]))
    finally:
        coverage.stop()
        coverage.save()


if __name__ == "__main__":
    serve()
