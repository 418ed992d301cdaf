"""Where the time of a network goes: the milliseconds in each kind of layer, ours and PyTorch's.

Ours work on pieces of the batch side by side, so what a layer takes is the processor's time of all threads, divided by
their number; what is missing to the time of a run, the threads have waited, for each other or for the interpreter's
lock. PyTorch goes through the layers one after the other with all threads, so there a stopwatch does: it counts
for a layer from the moment that the layer begins, on the way forward or back, to the moment that the next one does.
"""

import time
import warnings
from collections import Counter
from contextlib import ExitStack, contextmanager
from threading import Lock

from cbam_np.nn.layers import CBAM, BatchNorm2d, Conv2d, MaxPool2d, ReLU

from .cases import make_cases

KINDS = {
    "Conv2d": "convolutions",
    "BatchNorm2d": "batch normalisation",
    "ReLU": "ReLU",
    "MaxPool2d": "pooling",
    "CBAM": "attention",
    "SE": "attention",
    "Attention": "attention",
}
REST, WAITING = "the rest", "waiting"
OURS = (Conv2d, BatchNorm2d, ReLU, MaxPool2d, CBAM)
WARM_UP = 3


@contextmanager
def our_clocks():
    """Yield a Counter that adds up, by kind of layer, the processor's time of all threads in forward and backward."""
    spent, turn = Counter(), Lock()

    def timed(method):
        def run(self, *args):
            began = time.thread_time()
            out = method(self, *args)
            with turn:
                spent[KINDS[type(self).__name__]] += time.thread_time() - began
            return out

        return run

    before = [(owner, name, vars(owner)[name]) for owner in OURS for name in ("forward", "backward")]
    try:
        for owner, name, method in before:
            setattr(owner, name, timed(method))
        yield spent
    finally:
        for owner, name, method in before:
            setattr(owner, name, method)


class Stopwatch:
    """Seconds by kind; each lap counts for the kind that was named when it began."""

    def __init__(self):
        self.spent, self.kind, self.began = Counter(), REST, time.perf_counter()

    def lap(self, kind):
        """End the lap; the next one is for `kind`."""
        now = time.perf_counter()
        self.spent[self.kind] += now - self.began
        self.kind, self.began = kind, now


@contextmanager
def their_stopwatch():
    """Yield a `Stopwatch` that laps where PyTorch's layers begin, forward and back, and where the optimiser does."""
    from torch.nn.modules import module
    from torch.optim import optimizer

    watch = Stopwatch()

    def begin(layer, *_):
        name = type(layer).__name__
        if name in KINDS or not list(layer.children()):
            watch.lap(KINDS.get(name, REST))

    def end(layer, *_):
        if type(layer).__name__ in KINDS:
            watch.lap(REST)

    with ExitStack() as hooks:
        for register, hook in (
            (module.register_module_forward_pre_hook, begin),
            (module.register_module_forward_hook, end),
            (module.register_module_full_backward_pre_hook, begin),
            (optimizer.register_optimizer_step_pre_hook, lambda *_: watch.lap(REST)),
        ):
            hooks.callback(register(hook).remove)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Full backward hook is firing")  # before the first layer there is none
            yield watch


def our_shares(run, repeats, threads):
    """Return the seconds of a run by kind of layer, on average; with the rest and the waiting they are a run's time."""
    for _ in range(WARM_UP):
        run()
    with our_clocks() as spent:
        began, worked = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            run()
        whole, busy = time.perf_counter() - began, (time.process_time() - worked) / threads
    shares = {kind: seconds / threads for kind, seconds in spent.items()}
    shares |= {REST: busy - sum(shares.values()), WAITING: whole - busy}
    return {kind: seconds / repeats for kind, seconds in shares.items()}


def their_shares(run, repeats):
    """Return the same of a run of PyTorch."""
    for _ in range(WARM_UP):
        run()
    with their_stopwatch() as watch:
        for _ in range(repeats):
            watch.lap(REST)
            run()
        watch.lap(REST)
    return {kind: seconds / repeats for kind, seconds in watch.spent.items()}


def measure(sizes, threads, repeats, twins=None):
    """Return rows: `part` and `name`, and the seconds by kind of layer as `NumPy` and, of the fastest way, `eager`."""
    rows = []
    for case in make_cases(sizes):
        if case.part not in "de":
            continue
        row = {"part": case.part, "name": case.name, "NumPy": our_shares(case.ours(), repeats, threads)}
        if twins:
            found = [their_shares(run, repeats) for run in case.theirs(twins, compiled=False).values()]
            row["eager"] = min(found, key=lambda shares: sum(shares.values()))
        rows.append(row)
    return rows
