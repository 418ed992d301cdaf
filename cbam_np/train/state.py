"""A training run as it stands between two steps: what it does next, and how it is kept and taken up again."""

import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..data import LabelledImages
from ..engine.threads import HAVE_THREADS
from ..files import write_json
from ..nn import Classifier, InPieces
from ..ops import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from ..ops.checks import check_shape
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .machine import describe_machine
from .optimisers import Optimisers
from .recipe import Recipe
from .score import evaluate

CHECKPOINT, HISTORY = "checkpoint.npz", "history.json"
ABSENT = "not given"


class Diverged(ArithmeticError):
    """The loss is no longer a finite number."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C was heard, and the run stopped between two steps; the message says how to resume it."""


class Training:
    """A run as it stands between two steps: all that the next step depends on.

    Parameters
    ----------
    model : Classifier
        The network.
    train : LabelledImages
        What it learns from.
    recipe : Recipe
        How.
    rng : numpy.random.Generator
        Draws the order of the images and their augmentation.
    settings : dict, optional
        Kept in the checkpoint.
    """

    COUNTS = ("epoch", "step", "loss_sum", "correct", "seconds", "lr", "history")

    def __init__(
        self,
        model: Classifier,
        train: LabelledImages,
        recipe: Recipe,
        rng: np.random.Generator,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.model, self.data, self.recipe, self.rng, self.settings = model, train, recipe, rng, settings
        self.pieces = InPieces(model)
        self.optimiser = Optimisers(model.params, recipe)
        self.steps = recipe.steps(len(train))  # per epoch
        self.machine = describe_machine()
        self.belongs_to = asdict(recipe) | {  # what a checkpoint must agree in to be resumed
            "random generator": type(rng.bit_generator).__name__,
            "number of training images": len(train),
            "their checksum": zlib.crc32(
                np.ascontiguousarray(train.labels).data, zlib.crc32(np.ascontiguousarray(train.images).data)
            ),
        }
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.coins = rng.random(len(train)) < 0.5 if recipe.alternates else None  # which images begin mirrored
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self.order: np.ndarray = self.rng.permutation(len(self.data))
        self.step, self.loss_sum, self.correct, self.seconds, self.lr = 0, 0.0, 0, 0.0, 0.0

    def finish_epoch(
        self, validation: LabelledImages | None, out: Path | None, save_every: float, stop: list[int], progress: bool
    ) -> None:
        """Take the steps that are left of this epoch and score it; save now and then, and when asked to stop."""
        from tqdm.auto import tqdm

        B, saved = self.recipe.batch_size, time.monotonic()

        def heed() -> None:
            if stop:
                self.save(out)
                raise Interrupted(self.farewell(out))

        title = f"epoch {self.epoch + 1}/{self.recipe.epochs}"
        todo: dict[str, Any] = {"total": self.steps * B, "initial": self.step * B, "unit": " images"}
        if not HAVE_THREADS:
            tqdm.monitor_interval = 0  # the monitor is a thread
        with tqdm(desc=title, disable=not progress, **todo) as bar:
            while self.step < self.steps:
                self.take_step()
                bar.set_postfix(self.running(), refresh=False)
                bar.update(B)
                heed()
                if time.monotonic() - saved >= save_every:
                    self.save(out)
                    saved = time.monotonic()
            line = self.end_epoch(validation, heed)
            bar.set_postfix({name: line[name] for name in line if "loss" in name or "accuracy" in name})
        heed()
        self.save(out)

    def take_step(self) -> None:
        """Learn from one batch."""
        start, B, recipe = time.perf_counter(), self.recipe.batch_size, self.recipe
        done = (self.epoch * self.steps + self.step) / (recipe.epochs * self.steps)
        self.lr = self.optimiser.lr_at(done)
        batch = self.order[self.step * B : (self.step + 1) * B]
        mirrored = None if self.coins is None else self.coins[batch] ^ bool(self.epoch % 2)
        images = recipe.augmented(self.data.images[batch], self.rng, mirrored)
        labels = self.data.labels[batch]
        with self._watching():
            logits = self.pieces.forward(images, training=True)
            loss, cache = softmax_cross_entropy_forward(logits, labels, recipe.label_smoothing)
        self._demand_finite(loss=loss)
        self.pieces.backward(softmax_cross_entropy_backward(1.0, cache))
        self.optimiser.step(self.model.grads, done)
        self.loss_sum += float(loss)
        self.correct += int((logits.argmax(axis=1) == labels).sum())
        self.step += 1
        self.seconds += time.perf_counter() - start

    def running(self) -> dict[str, float]:
        """Return loss and accuracy of this epoch so far, by name."""
        return {"loss": self.loss_sum / self.step, "accuracy": self.correct / (self.step * self.recipe.batch_size)}

    def end_epoch(self, validation: LabelledImages | None, watch: Callable[[], None] | None = None) -> dict[str, Any]:
        """Score the network, add a line to the history and return it, and turn to the next epoch.

        What `watch` raises, which is called while the network is scored, leaves the state as it was.
        """
        self._demand_finite(**self._arrays())  # the last step may have spoiled them
        line = {"epoch": self.epoch + 1, **self.running(), "lr": self.lr, "seconds": self.seconds}
        line["images_per_second"] = self.steps * self.recipe.batch_size / self.seconds
        if validation is not None:
            with self._watching():
                score = evaluate(self.model, validation, watch=watch)
            self._demand_finite(loss=score.loss)
            line |= {"validation_accuracy": score.accuracy, "validation_loss": score.loss}
        self.history = [*self.history, line]
        self.epoch += 1
        self._begin_epoch()
        return line

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Take a layer's complaint as divergence: once a step has gone well, only the numbers can be to blame."""
        try:
            yield
        except ValueError as error:
            if self.epoch == self.step == 0:
                raise
            raise self._diverged(error) from error

    def _demand_finite(self, **arrays: Any) -> None:
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise self._diverged(f"{name} is {array}" if np.ndim(array) == 0 else f"{name} is not finite")

    def _diverged(self, why: object) -> Diverged:
        return Diverged(
            f"training diverged in epoch {self.epoch + 1} at step {min(self.step + 1, self.steps)} of {self.steps}: "
            f"{why}. Lower the learning rate, whose peak is {self.recipe.lr:g}, and start again; the last good "
            "checkpoint is kept"
        )

    def farewell(self, out: Path | None) -> str:
        """Say where a stopped run stands, and how to go on."""
        how = "nothing was saved" if out is None else f"saved in {out}; go on with fit(..., resume=True)"
        if self.epoch == self.recipe.epochs:
            return f"stopped after the last epoch: {how}"
        return f"stopped in epoch {self.epoch + 1} after {self.step} of {self.steps} steps: {how}"

    def _arrays(self) -> dict[str, np.ndarray]:
        named = {"model": self.model.state_dict(), "velocity": self.optimiser.velocity}
        kept = {f"{kind}/{name}": array for kind, group in named.items() for name, array in group.items()}
        return kept if self.coins is None else kept | {"coins": self.coins}

    def save(self, out: Path | None) -> None:
        """Write the complete state, and the history for people; nothing where there is no folder."""
        if out is None:
            return
        arrays = self._arrays()
        self._demand_finite(**arrays)
        metadata = {name: getattr(self, name) for name in self.COUNTS}
        metadata |= {"rng": _plain(self.rng.bit_generator.state), "of": self.belongs_to, "settings": self.settings}
        about = {"recipe": asdict(self.recipe), "machine": self.machine, "epochs": self.history}
        write_json(out / HISTORY, about)
        save_checkpoint(out / CHECKPOINT, arrays | {"order": self.order}, metadata)  # last: with it, all is there

    def load(self, out: Path) -> None:
        """Take up the state that was saved; nothing is changed where it is of another run."""
        path = out / CHECKPOINT
        arrays, metadata = load_checkpoint(path)
        try:
            self._take_up(path, arrays, metadata)
        except CheckpointError:
            raise
        except KeyError as error:
            raise CheckpointError(f"{path} has no {error}: it does not hold a run of this network") from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            why = str(error)[:200] if isinstance(error, ValueError) else "something is missing, or of another kind"
            raise CheckpointError(
                f"{path} does not hold a run of this network that can be gone on with ({why}): copy it again, or "
                "train again"
            ) from error

    def _take_up(self, path: Path, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> None:
        """Check all of a state, then take it up; any error says that it is none."""
        usual = {f.name: f.default for f in fields(Recipe) if f.default is not MISSING}  # of options that came later
        here, there = self.belongs_to, usual | metadata["of"]
        differs = [
            f"{k} was {there.get(k, ABSENT)}, is {here.get(k, ABSENT)}"
            for k in there | here
            if there.get(k) != here.get(k)
        ]
        if differs:
            raise CheckpointError(f"{path} is of another run: {'; '.join(differs)}. Resume it as it was started")
        counts = {name: metadata[name] for name in self.COUNTS}
        self._check_counts(**counts)
        order = arrays["order"]
        if order.dtype.kind != "i" or not np.array_equal(np.sort(order), np.arange(len(self.data))):
            raise ValueError("the order of the images is no order of them")
        rng = np.random.Generator(type(self.rng.bit_generator)())
        rng.bit_generator.state = metadata["rng"]
        coins = None if self.coins is None else arrays["coins"]
        if coins is not None and (coins.dtype != bool or coins.shape != order.shape):
            raise ValueError("which images begin mirrored is not one coin per image")
        velocity = {name: arrays[f"velocity/{name}"] for name in self.optimiser.velocity}
        for name, array in velocity.items():
            check_shape(array, f"velocity/{name}", self.optimiser.velocity[name].shape, "it is one number per weight")
            if not np.isfinite(array).all():
                raise ValueError(f"velocity/{name} is not finite")
        self.model.load_state_dict(model_arrays(arrays))
        for name, array in velocity.items():
            self.optimiser.velocity[name][...] = array
        self.rng.bit_generator.state, self.order, self.coins = rng.bit_generator.state, order, coins
        vars(self).update(counts)

    def _check_counts(self, *, history: list[dict[str, Any]], epoch: int, step: int, **sums: float) -> None:
        """Raise a ValueError where the counts of a state cannot be those of this run."""
        for name, value, most in (("epoch", epoch, self.recipe.epochs), ("step", step, self.steps)):
            if type(value) is not int or not 0 <= value <= most:
                raise ValueError(f"{name} is {value}, expected 0 to {most}")
        wrong = [name for name, value in sums.items() if not _is_number(value)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: expected a number")
        needed = {"epoch", "loss", "accuracy", "lr", "seconds", "images_per_second"}
        if len(history) != epoch or not all(needed <= {n for n in line if _is_number(line[n])} for line in history):
            raise ValueError(f"the history does not have the {epoch} epochs that were trained")


def model_arrays(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a checkpoint's arrays that are the network's, with the names that `load_state_dict` expects."""
    return {name.removeprefix("model/"): array for name, array in arrays.items() if name.startswith("model/")}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _plain(state: Any) -> Any:
    """Return a bit generator's state as JSON can hold it; some keep arrays."""
    return json.loads(json.dumps(state, default=np.ndarray.tolist))
