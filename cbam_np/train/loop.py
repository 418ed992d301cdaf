"""The training loop: permute, augment, forward, loss, backward, step; and all of it can be stopped and resumed.

A run that was stopped, in whatever way, and resumed ends bit for bit where it would have ended undisturbed:
the checkpoint holds not only the weights but everything that the next step depends on.
"""

import json
import os
import platform
import signal
import threading
import time
import zlib
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..nn import SCHEDULES, SGD
from ..ops import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from ..ops.checks import check_option
from .augment import crop_and_flip
from .checkpoint import CheckpointError, check_writable, load_checkpoint, save_checkpoint, write_json

CHECKPOINT, HISTORY = "checkpoint.npz", "history.json"
AUGMENTATIONS = {
    "none": lambda images, rng: images,
    "flip": partial(crop_and_flip, padding=0),
    "crop+flip": crop_and_flip,
}


class Diverged(ArithmeticError):
    """The loss is no longer a finite number."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C was heard, and the run stopped between two steps; the message says how to resume it."""


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    epochs : int
        Passes over the training images.
    batch_size : int
        Images a step. What does not fill a batch is left out, other images in every epoch.
    lr : float
        Learning rate at its peak.
    schedule : str
        How the learning rate runs, a name in `cbam_np.nn.SCHEDULES`.
    momentum : float
        μ of SGD with Nesterov momentum.
    weight_decay : float
        λ, on weights only.
    label_smoothing : float
        ε of the loss, in [0, 1).
    augment : {"none", "flip", "crop+flip"}
        What is done to the training images: mirrored, also shifted by up to 4 pixels, or nothing.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    epochs: int
    batch_size: int = 128
    lr: float = 0.1
    schedule: str = "one-cycle"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    augment: str = "crop+flip"

    def __post_init__(self):
        for name, least in (("epochs", 1), ("batch_size", 2)):
            check_count(getattr(self, name), name, least)
        for name, fits, expected in (
            ("lr", lambda v: 0 < v < np.inf, "more than 0"),
            ("momentum", lambda v: 0 <= v < 1, "at least 0 and less than 1"),
            ("weight_decay", lambda v: 0 <= v < np.inf, "at least 0"),
            ("label_smoothing", lambda v: 0 <= v < 1, "at least 0 and less than 1"),
        ):
            if not fits(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number, {expected}")
        check_option(self.schedule, "schedule", SCHEDULES)
        check_option(self.augment, "augment", AUGMENTATIONS)

    def steps(self, count):
        """Return the steps of an epoch over `count` images; raise a ValueError where they do not fill a batch."""
        if count < self.batch_size:
            raise ValueError(f"{count} training images do not fill a batch of {self.batch_size}: make batches smaller")
        return count // self.batch_size


class Score(NamedTuple):
    """How well a network does on a data set."""

    accuracy: float
    loss: float


def check_count(value, name, least):
    """Raise a ValueError unless `value` is a whole number, at least `least`."""
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value}, expected a whole number, {least} or more")


def evaluate(model, data, batch_size=128):
    """Look how well a network does.

    Parameters
    ----------
    model : Classifier
        The network.
    data : LabelledImages
        Images that it was not trained on.
    batch_size : int
        How many are computed at once.

    Returns
    -------
    Score
        `accuracy`, the part of the images whose most probable class is the right one, and `loss`, the mean
        cross-entropy without label smoothing.
    """
    correct, loss = 0, 0.0
    for at in range(0, len(data), batch_size):
        labels = data.labels[at : at + batch_size]
        logits = model.forward(data.images[at : at + batch_size])
        correct += int((logits.argmax(axis=1) == labels).sum())
        loss += float(softmax_cross_entropy_forward(logits, labels)[0]) * len(labels)
    return Score(correct / len(data), loss / len(data))


def describe_machine():
    """Return what speed and the last bit depend on: cores, BLAS and its threads, versions."""
    import threadpoolctl

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    blas = [
        {"name": pool["internal_api"], "version": pool["version"], "threads": pool["num_threads"]}
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    return {"architecture": platform.machine(), "cores": cores, "blas": blas, **versions}


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


class Training:
    """A run as it stands between two steps: all that the next step depends on.

    Parameters
    ----------
    model, train, recipe, rng, settings
        As in `fit`.
    """

    COUNTS = ("epoch", "step", "loss_sum", "correct", "seconds", "lr", "history")

    def __init__(self, model, train, recipe, rng, settings=None):
        self.model, self.data, self.recipe, self.rng, self.settings = model, train, recipe, rng, settings
        self.optimiser = SGD(model.params, recipe.momentum, weight_decay=recipe.weight_decay)
        self.steps = recipe.steps(len(train))  # an epoch
        self.machine = describe_machine()
        self.belongs_to = asdict(recipe) | {  # what a checkpoint must agree in to be resumed
            "random generator": type(rng.bit_generator).__name__,
            "number of training images": len(train),
            "their checksum": zlib.crc32(train.labels, zlib.crc32(np.ascontiguousarray(train.images))),
        }
        self.epoch, self.history = 0, []
        self._begin_epoch()

    def _begin_epoch(self):
        self.order = self.rng.permutation(len(self.data))
        self.step, self.loss_sum, self.correct, self.seconds, self.lr = 0, 0.0, 0, 0.0, 0.0

    def finish_epoch(self, validation, out, save_every, stop, progress):
        """Take the steps that are left of this epoch and score it; save now and then, and when asked to stop."""
        from tqdm.auto import tqdm

        B, saved = self.recipe.batch_size, time.monotonic()
        title = f"epoch {self.epoch + 1}/{self.recipe.epochs}"
        todo = {"total": self.steps * B, "initial": self.step * B, "unit": " images"}
        with tqdm(desc=title, disable=not progress, **todo) as bar:
            while self.step < self.steps:
                self.take_step()
                bar.set_postfix(self.running(), refresh=False)
                bar.update(B)
                if stop or time.monotonic() - saved >= save_every:
                    self.save(out)
                    saved = time.monotonic()
                if stop:
                    raise Interrupted(self.farewell(out))
            line = self.end_epoch(validation)
            bar.set_postfix({name: line[name] for name in line if "loss" in name or "accuracy" in name})
        self.save(out)
        if stop:
            raise Interrupted(self.farewell(out))

    def take_step(self):
        """Learn from one batch."""
        start, B, recipe = time.perf_counter(), self.recipe.batch_size, self.recipe
        done = (self.epoch * self.steps + self.step) / (recipe.epochs * self.steps)
        self.lr = recipe.lr * SCHEDULES[recipe.schedule](done)
        batch = self.order[self.step * B : (self.step + 1) * B]
        images = AUGMENTATIONS[recipe.augment](self.data.images[batch], rng=self.rng)
        labels = self.data.labels[batch]
        with self._watching():
            logits = self.model.forward(images, training=True)
            loss, cache = softmax_cross_entropy_forward(logits, labels, recipe.label_smoothing)
        self._demand_finite(loss=loss)
        self.model.backward(softmax_cross_entropy_backward(1.0, cache))
        self.optimiser.step(self.model.grads, self.lr)
        self.loss_sum += float(loss)
        self.correct += int((logits.argmax(axis=1) == labels).sum())
        self.step += 1
        self.seconds += time.perf_counter() - start

    def running(self):
        """Return loss and accuracy of this epoch so far, by name."""
        return {"loss": self.loss_sum / self.step, "accuracy": self.correct / (self.step * self.recipe.batch_size)}

    def end_epoch(self, validation):
        """Score the network, add a line to the history and return it, and turn to the next epoch."""
        line = {"epoch": self.epoch + 1, **self.running(), "lr": self.lr, "seconds": self.seconds}
        line["images_per_second"] = self.steps * self.recipe.batch_size / self.seconds
        if validation is not None:
            with self._watching():
                score = evaluate(self.model, validation)
            self._demand_finite(loss=score.loss)
            line |= {"validation_accuracy": score.accuracy, "validation_loss": score.loss}
        self.history = [*self.history, line]
        self.epoch += 1
        self._begin_epoch()
        return line

    @contextmanager
    def _watching(self):
        """Hear layers complain of numbers: once a step has gone well, the shapes are right and only they can be bad."""
        try:
            yield
        except ValueError as error:
            if self.epoch == self.step == 0:
                raise
            raise self._diverged(error) from error

    def _demand_finite(self, **arrays):
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise self._diverged(f"{name} is {array}" if np.ndim(array) == 0 else f"{name} is not finite")

    def _diverged(self, why):
        return Diverged(
            f"training diverged in epoch {self.epoch + 1} at step {self.step + 1} of {self.steps}: {why}. Lower the "
            f"learning rate, whose peak is {self.recipe.lr:g}, and start anew; the last good checkpoint is kept"
        )

    def farewell(self, out):
        """Say where a stopped run stands, and how to go on."""
        how = "nothing was saved" if out is None else f"saved in {out}; go on with fit(..., resume=True)"
        return f"stopped in epoch {self.epoch + 1} after {self.step} of {self.steps} steps: {how}"

    def save(self, out):
        """Write the complete state, and the history for people; nothing where there is no folder."""
        if out is None:
            return
        named = {"model": self.model.state_dict(), "velocity": self.optimiser.velocity}
        arrays = {f"{kind}/{name}": array for kind, group in named.items() for name, array in group.items()}
        self._demand_finite(**arrays)
        metadata = {name: getattr(self, name) for name in self.COUNTS}
        metadata |= {"rng": _plain(self.rng.bit_generator.state), "of": self.belongs_to, "settings": self.settings}
        about = {"recipe": asdict(self.recipe), "machine": self.machine, "epochs": self.history}
        write_json(out / HISTORY, about)
        save_checkpoint(out / CHECKPOINT, arrays | {"order": self.order}, metadata)  # last: with it, all is there

    def load(self, out):
        """Take up the state that was saved; nothing is changed where it is of another run."""
        path = out / CHECKPOINT
        arrays, metadata = load_checkpoint(path)
        try:
            here, there = self.belongs_to, metadata["of"]
            differs = [f"{k} was {there.get(k)}, is {here.get(k)}" for k in there | here if there.get(k) != here.get(k)]
            if differs:
                raise CheckpointError(f"{path} is of another run: {'; '.join(differs)}. Resume it as it was started")
            counts = {name: metadata[name] for name in self.COUNTS}
            order, state = arrays["order"], metadata["rng"]
            velocity = {name: arrays[f"velocity/{name}"] for name in self.optimiser.velocity}
        except KeyError as error:
            raise CheckpointError(f"{path} has no {error}: it does not hold a run of this network") from error
        try:
            self.model.load_state_dict(model_arrays(arrays))
        except ValueError as error:
            raise CheckpointError(f"{path}: {error}") from error
        for name, array in velocity.items():
            self.optimiser.velocity[name][...] = array
        self.rng.bit_generator.state, self.order = state, order
        vars(self).update(counts)


def model_arrays(arrays):
    """Return a checkpoint's arrays that are the network's, with the names that `load_state_dict` expects."""
    return {name.removeprefix("model/"): array for name, array in arrays.items() if name.startswith("model/")}


def _plain(state):
    """Return a bit generator's state as JSON can hold it; some keep arrays."""
    return json.loads(json.dumps(state, default=np.ndarray.tolist))
