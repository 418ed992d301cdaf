"""The training loop: permute, augment, forward, loss, backward, step; and all of it can be stopped and resumed.

A run that was stopped, in whatever way, and resumed ends bit for bit where it would have ended undisturbed:
the checkpoint holds not only the weights but everything that the next step depends on.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from ..data import LabelledImages
from ..engine import memory
from ..files import check_writable, remove_temporaries
from ..nn import Classifier
from .lock import held
from .recipe import Recipe
from .state import CHECKPOINT, Interrupted, Training

STOPPING = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C, and what a system sends to a process that is to end


def fit(
    model: Classifier,
    train: LabelledImages,
    recipe: Recipe,
    *,
    rng: np.random.Generator,
    validation: LabelledImages | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    save_every: float = 30.0,
    settings: dict[str, Any] | None = None,
    progress: bool = True,
    after_epoch: Callable[[list[dict[str, Any]]], object] | None = None,
) -> list[dict[str, Any]]:
    """Train a network.

    Ctrl-C lets the current step end, saves and stops; pressed twice, it stops at once, and the last checkpoint is
    kept. The process then keeps the memory that it frees, see `cbam_np.engine.memory`.

    Parameters
    ----------
    model : Classifier
        The network; its parameters are changed in place.
    train : LabelledImages
        What to learn from.
    recipe : Recipe
        How.
    rng : numpy.random.Generator
        Draws the order of the images and their augmentation.
    validation : LabelledImages, optional
        Images to score the network on after every epoch; it does not learn from them.
    out : Path or str, optional
        Folder for `checkpoint.npz`, the complete state, and `history.json`; nothing is kept without it.
    resume : bool
        Go on from the checkpoint in `out`: with model, data and recipe as they were, the run ends bit for bit
        where it would have ended undisturbed (with the same kernels of BLAS).
    save_every : float
        Seconds between checkpoints inside an epoch; at the end of each there is one anyway.
    settings : dict, optional
        Anything that JSON can hold, kept in the checkpoint.
    progress : bool
        Whether to show a progress bar.
    after_epoch : callable, optional
        Called after every epoch with the history so far, for instance to draw it.

    Returns
    -------
    list of dict
        The history, one entry per epoch: `epoch` (from 1), `loss` and `accuracy` on the training batches as they
        came, `lr` of the last step, `seconds` and `images_per_second` of training, and, where there are
        validation images, `validation_accuracy` and `validation_loss`.

    Raises
    ------
    ValueError
        If there are fewer images than a batch.
    OSError
        If `out` cannot be written into, holds a run though `resume` is false, or holds none though it is true; as
        an InUseError if another process works in it.
    CheckpointError
        If the checkpoint is damaged, or of another recipe, other data or another network.
    Diverged
        If the loss is not finite any more; the last checkpoint is kept.
    Interrupted
        After Ctrl-C.
    """
    memory.keep()
    run = Training(model, train, recipe, rng, settings)
    if out is None:
        return _finish(run, validation, None, save_every, progress, after_epoch)
    out = Path(out)
    check_out(out, resume)
    check_writable(out)
    with held(out):
        check_out(out, resume)  # once more: another process may have been here before we held the folder
        remove_temporaries(out)
        if resume:
            run.load(out)
        else:
            run.save(out)  # so that a run can be resumed from its first moment
        return _finish(run, validation, out, save_every, progress, after_epoch)


def _finish(
    run: Training,
    validation: LabelledImages | None,
    out: Path | None,
    save_every: float,
    progress: bool,
    after_epoch: Callable[[list[dict[str, Any]]], object] | None,
) -> list[dict[str, Any]]:
    """Take all epochs that are left, and return the history."""
    with (
        _listening(progress) as stop,
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),
    ):  # Diverged says it
        while run.epoch < run.recipe.epochs:
            run.finish_epoch(validation, out, save_every, stop, progress)
            if after_epoch is not None:
                after_epoch(run.history)
        if stop:  # in the last moments; all epochs are saved
            raise Interrupted(run.farewell(out))
    return run.history


@contextmanager
def _listening(say: bool) -> Iterator[list[int]]:
    """Yield a list that is filled at the first signal to stop; the second does what it did before.

    Where `say` is true, Ctrl-C is answered at once, since a step of a large network may take a while.
    """
    stop: list[int] = []
    before = {number: signal.getsignal(number) for number in STOPPING}
    heard = [number for number in STOPPING if before[number] not in (None, signal.SIG_IGN)]  # not what is ignored

    def listen(number: int, frame: FrameType | None) -> None:
        stop.append(number)
        signal.signal(number, before[signal.Signals(number)])
        if say and number == signal.SIGINT:
            with suppress(OSError, ValueError, RuntimeError):  # RuntimeError: it came while a line was being printed
                print(
                    "\nstopping after this step; Ctrl-C again stops at once and loses it", file=sys.stderr, flush=True
                )

    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals come to the main thread only
        return
    for number in heard:
        signal.signal(number, listen)
    try:
        yield stop
    finally:
        for number in heard:
            signal.signal(number, before[number])


def check_out(out: Path | str, resume: bool, names: tuple[str, ...] = (CHECKPOINT,)) -> None:
    """Raise an OSError where a new run would overwrite one, or where there is none to resume."""
    if resume and not (Path(out) / CHECKPOINT).is_file():
        raise FileNotFoundError(f"{out} holds no {CHECKPOINT}, so there is nothing to resume: start without resuming")
    there = [name for name in names if (Path(out) / name).exists()]
    if there and not resume:
        raise FileExistsError(
            f"{out} already holds a run ({', '.join(there)}): resume it (--resume), or choose another folder"
        )
