"""The process that runs a block of cases: it says which case it is at, so that whoever waits knows where it hung.

python -m benchmarks.fuzzing.child ENTRANCE SEED FIRST LAST
"""

import json
import os
import resource
import signal
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from .draws import Draws
from .entrance import Case, Entrance, Fault, tried
from .entrances import ENTRANCES

BYTES = 10**9
ADDRESSES = 16 * 2**30  # what a process may ask for, so that the machine survives


class Hang(BaseException):
    """A case took too long; no handler of ordinary exceptions catches it."""


def drawn(entrance: str, seed: int, number: int) -> Case:
    """Return a case by its number."""
    rng = np.random.default_rng([seed, zlib.crc32(entrance.encode()), number])
    return ENTRANCES[entrance].make(Draws(rng))


def held_to_limits(entrance: Entrance, case: Case) -> str:
    """Run a case; return what came of it, or raise a `Fault`, also where it takes too long or too much memory."""
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, entrance.seconds)
    try:
        with tempfile.TemporaryDirectory(prefix="fuzz-case-") as folder:
            came = tried(entrance, case, Path(folder))
    except Hang as error:
        raise Fault(f"more than {entrance.seconds:g} s of processor time") from error
    except KeyboardInterrupt as error:
        raise Fault("it says that somebody pressed Ctrl-C") from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if peak() > BYTES:
        raise Fault(f"{peak() / 1e9:.1f} GB of memory")
    return came


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Hang


def peak() -> int:
    """Return the most memory that this process has used, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(name: str, seed: int, first: int, last: int) -> None:
    """Run cases, and say on standard output what came of them."""
    out = os.fdopen(os.dup(1), "w", buffering=1)  # what the package prints goes elsewhere
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8", errors="replace")  # noqa: SIM115
    if name not in ("page",):  # a browser asks for more
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    entrance, came, slowest = ENTRANCES[name], Counter[str](), 0.0
    for number in range(first, last):
        print(json.dumps({"at": number}), file=out)
        case = drawn(name, seed, number)
        start = time.process_time()
        try:
            came[held_to_limits(entrance, case)] += 1
        except Fault as fault:
            print(json.dumps({"fault": _whole(str(fault)), "number": number}), file=out)
            if peak() > BYTES:
                break  # its next cases would be blamed
        slowest = max(slowest, time.process_time() - start)
    told: dict[str, Any] = {"done": number + 1, "came": came, "slowest": slowest, "peak": peak()}
    print(json.dumps(told), file=out)


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
