"""Times side by side: every repeat runs each candidate once, in turn, so that a busy moment slows all of them alike."""

import gc
import os
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

PAUSE = 0.01  # seconds before each run, in which the threads of the one before, who wait busily for more work, give up
TOLERANCE = 1e-4


class Disagreement(ArithmeticError):
    """Two candidates for the same work do not return the same numbers."""


def _work():
    """Return how many seconds the cores have worked in all, and for this process; None without Linux."""
    try:
        user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:9])
    except OSError:
        return None
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK"), time.process_time()


@contextmanager
def watch_others():
    """Yield a list that will hold how many cores other processes kept busy meanwhile, or None if that is unknown."""
    others, before, began = [], _work(), time.monotonic()
    yield others
    after, seconds = _work(), time.monotonic() - began
    if before is None or not seconds:
        others.append(None)
    else:
        all_did, we_did = (late - early for late, early in zip(after, before, strict=True))
        others.append(max(0.0, (all_did - we_did) / seconds))


def interleave(candidates, repeats, warm_up=2, pause=PAUSE, settle=1):
    """Time candidates in turn, A B A B …, with the garbage collector switched off as `timeit` does.

    Each timed run comes right after an untimed one of the same candidate: what the one before has left in the caches
    of the processor and of the memory allocator would otherwise count.

    Parameters
    ----------
    candidates : dict
        Functions without arguments; what they return is thrown away within the time taken.
    repeats : int
        How often each is timed.
    warm_up : int
        How often each is run beforehand.
    pause : float
        Seconds of rest before each turn.
    settle : int
        Untimed runs at the beginning of each turn.

    Returns
    -------
    dict of list of float
        Seconds, by the candidates' keys.
    """
    seconds = {key: [] for key in candidates}
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for repeat in range(-warm_up, repeats):
            for key, run in candidates.items():
                time.sleep(pause)
                for _ in range(settle):
                    run()
                began = time.perf_counter()
                run()
                ended = time.perf_counter()
                if repeat >= 0:
                    seconds[key].append(ended - began)
    finally:
        if enabled:
            gc.enable()
    return seconds


def summarise(seconds):
    """Return median and quartiles by name."""
    first, median, third = np.quantile(seconds, [0.25, 0.5, 0.75]).tolist()
    return {"median": median, "q1": first, "q3": third}


def check_same(candidates, tolerance=TOLERANCE):
    """Run each candidate once and compare what it returns with what the first one returns.

    Parameters
    ----------
    candidates : dict
        Functions without arguments that return the same number of arrays or tensors, of the same shapes.
    tolerance : float
        The largest difference allowed, relative to an array's largest entry.

    Raises
    ------
    Disagreement
        If an array differs by more, or in shape; the message names the candidate and the array.
    """
    (first, run), *others = candidates.items()
    expected = [np.asarray(array) for array in run()]
    for key, other in others:
        for at, (array, wanted) in enumerate(zip(map(np.asarray, other()), expected, strict=True)):
            if array.shape != wanted.shape:
                raise Disagreement(f"{key}: array {at} has shape {array.shape}, that of {first} {wanted.shape}")
            error, largest = np.abs(array - wanted).max(), np.abs(wanted).max()
            if not error <= tolerance * largest:  # not a number is an error too
                raise Disagreement(
                    f"{key}: array {at} is off by {error:.2g} from that of {first}, whose largest entry is "
                    f"{largest:.2g}; allowed is {tolerance:g} of that. A fast wrong result is worth nothing"
                )


def exponent(sizes, seconds):
    """Return the power p of a law seconds = c · sizes^p, by least squares in the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
