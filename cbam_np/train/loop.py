"""The training loop: permute, augment, forward, loss, backward, step; and all of it can be stopped and resumed.

A run that was stopped, in whatever way, and resumed ends bit for bit where it would have ended undisturbed:
the checkpoint holds not only the weights but everything that the next step depends on.
"""

import signal
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .checkpoint import check_writable
from .state import CHECKPOINT, Training


def fit(
    model,
    train,
    recipe,
    *,
    rng,
    validation=None,
    out=None,
    resume=False,
    save_every=30.0,
    settings=None,
    progress=True,
):
    """Train a network.

    Ctrl-C lets the current step end, saves and stops; pressed twice, it stops at once.

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
        where it would have ended undisturbed (on the same machine and with as many threads).
    save_every : float
        Seconds between checkpoints inside an epoch; at the end of each there is one anyway.
    settings : dict, optional
        Anything that JSON can hold, kept in the checkpoint.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    list of dict
        The history, one entry an epoch: `epoch` (from 1), `loss` and `accuracy` on the training batches as they
        came, `lr` of the last step, `seconds` and `images_per_second` of training, and, where there are
        validation images, `validation_accuracy` and `validation_loss`.

    Raises
    ------
    ValueError
        If there are fewer images than a batch.
    OSError
        If `out` cannot be written into, holds a run though `resume` is false, or holds none though it is true.
    CheckpointError
        If the checkpoint is damaged, or of another recipe, other data or another network.
    Diverged
        If the loss is not finite any more; the last checkpoint is kept.
    Interrupted
        After Ctrl-C.
    """
    run = Training(model, train, recipe, rng, settings)
    if out is not None:
        out = Path(out)
        check_out(out, resume)
        check_writable(out)
        if resume:
            run.load(out)
        else:
            run.save(out)  # so that a run can be resumed from its first moment
    with _listening() as stop, np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # Diverged says it
        while run.epoch < recipe.epochs:
            run.finish_epoch(validation, out, save_every, stop, progress)
    return run.history


@contextmanager
def _listening():
    """Yield a list that is filled at the first Ctrl-C; the second does what Ctrl-C did before."""
    stop, before = [], signal.getsignal(signal.SIGINT)

    def listen(signum, frame):
        stop.append(signum)
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield stop  # signals come to the main thread only, and who ignores them is not to hear them
        return
    signal.signal(signal.SIGINT, listen)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def check_out(out, resume, names=(CHECKPOINT,)):
    """Raise an OSError where a new run would overwrite one, or where there is none to resume."""
    if resume and not (Path(out) / CHECKPOINT).is_file():
        raise FileNotFoundError(f"{out} holds no {CHECKPOINT}, so there is nothing to resume: start without resuming")
    there = [name for name in names if (Path(out) / name).exists()]
    if there and not resume:
        raise FileExistsError(
            f"{out} already holds a run ({', '.join(there)}): resume it (--resume), or choose another folder"
        )
