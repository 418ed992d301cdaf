"""A whole run: from settings to data, network, training, and one look at the test images at the end."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data import LabelledImages, load_cifar10, make_shapes
from ..files import check_writable, write_json
from ..nn import Classifier
from .checkpoint import CheckpointError, load_checkpoint
from .loop import check_out, fit
from .machine import describe_machine
from .score import evaluate_each
from .settings import Settings, read_kept
from .state import CHECKPOINT, Diverged, model_arrays

RESULT, SIX_COPIES = "result.json", "test_accuracy_six_copies"
SCORES = {"none": "test_accuracy", "mirror": "test_accuracy_mirrored", "six": SIX_COPIES}
SHAPES = {"train": (5000, (0, 0)), "test": (1000, (0, 1))}
"""How many shapes are drawn and from which seed: the same for every run, as CIFAR-10 is the same."""


def read_settings(out: Path | str) -> Settings:
    """Return the settings of the run in a folder.

    Parameters
    ----------
    out : Path or str
        Where the run keeps its checkpoint.

    Returns
    -------
    Settings
        As they were when the run was started.

    Raises
    ------
    FileNotFoundError
        If there is no checkpoint.
    CheckpointError
        If it is damaged, or was not written by such a run.
    """
    return _open(out)[1]


def load_model(out: Path | str) -> Classifier:
    """Return the network of the run in a folder, as far as it has been trained.

    Parameters
    ----------
    out : Path or str
        Where the run keeps its checkpoint, or the checkpoint itself.

    Returns
    -------
    Classifier
        The network.

    Raises
    ------
    FileNotFoundError
        If there is no checkpoint.
    CheckpointError
        If it is damaged, or was not written by such a run.
    """
    arrays, settings = _open(out)
    mine = model_arrays(arrays)
    try:
        model = settings.make_network(len(mine["head.W"]), np.random.default_rng(settings.seed))
        model.load_state_dict(mine)
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{_checkpoint(out)} does not hold the network that its settings name") from error
    return model


def _checkpoint(out: Path | str) -> Path:
    path = Path(out)
    return path if path.suffix == ".npz" or path.is_file() else path / CHECKPOINT


def _open(out: Path | str) -> tuple[dict[str, np.ndarray], Settings]:
    path = _checkpoint(out)
    arrays, metadata = load_checkpoint(path)
    try:
        return arrays, read_kept(metadata["settings"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = str(error)[:200] if isinstance(error, ValueError) else "something is missing, or of another kind"
        raise CheckpointError(f"{path} has no settings of a run that can be understood ({why}): train again") from error


def load_data(settings: Settings) -> tuple[LabelledImages, LabelledImages | None, LabelledImages]:
    """Load the images of a run.

    Parameters
    ----------
    settings : Settings
        Which data set, and how many images of it.

    Returns
    -------
    train, validation, test : LabelledImages
        `validation` is None where none are held back.

    Raises
    ------
    ValueError
        If there are fewer images than asked for, or a file is damaged.
    OSError
        If the data set cannot be found or read.
    """
    if settings.data == "shapes":
        drawn = {part: make_shapes(n, rng=np.random.default_rng(seed)) for part, (n, seed) in SHAPES.items()}
        every, test = drawn["train"], drawn["test"]
    else:
        every, test = load_cifar10(settings.data_root)
    left = len(every) - settings.validation
    wanted = left if settings.images is None else settings.images
    if not 1 <= wanted <= left:
        raise ValueError(
            f"{settings.data} has {len(every)} training images, too few to train on {settings.images or 'the others'} "
            f"and hold back {settings.validation}: choose fewer"
        )
    held = every.subset(slice(left, None)) if settings.validation else None
    return every.subset(slice(wanted)), held, test


def prepare(settings: Settings, out: Path | str, *, resume: bool = False) -> "Run":
    """Make everything ready for a run, so that what can go wrong before training goes wrong here.

    Parameters
    ----------
    settings : Settings
        What to do.
    out : Path or str
        Folder for everything that comes out.
    resume : bool
        Whether to go on with the run in `out`.

    Returns
    -------
    Run
        To be finished with `Run.finish`.

    Raises
    ------
    ValueError
        If the settings do not fit the data, or are others than those of the run to resume.
    OSError
        If `out` cannot be used, holds a run already, or holds none to resume; or if the data cannot be read.
    """
    out = Path(out)
    check_out(out, resume, (CHECKPOINT, RESULT))
    check_writable(out)
    if resume:
        _check_same(settings, read_settings(out), out)
    train, validation, test = load_data(settings)
    settings.recipe.steps(len(train))
    weights, order = np.random.default_rng(settings.seed).spawn(2)  # so that the order is the same with any attention
    model = settings.make_network(len(train.classes), weights)
    model.fit_inputs(train.images)
    return Run(settings, out, resume, model, train, validation, test, order)


def _check_same(settings: Settings, kept: Settings, out: Path) -> None:
    """Raise a ValueError that lists the settings which differ; where the data lie, and the note, may."""
    here, there = ({**asdict(s), **asdict(s.recipe)} for s in (settings, kept))
    free = ("recipe", "data_root", "note")
    differs = [f"{k} was {there[k]}, is {here[k]}" for k in there if k not in free and here[k] != there[k]]
    if differs:
        raise ValueError(
            f"the run in {out} has other settings: {'; '.join(differs)}. Leave them out, or choose another folder"
        )


@dataclass(frozen=True)
class Run:
    """A run that is ready to start; made by `prepare`."""

    settings: Settings
    out: Path
    resume: bool
    model: Classifier
    train: LabelledImages
    validation: LabelledImages | None
    test: LabelledImages
    rng: np.random.Generator

    def finish(
        self, *, command: str | None = None, save_every: float = 30.0, progress: bool = True, test: bool = True
    ) -> dict[str, Any]:
        """Train to the end, look at the test images once, and write the result.

        Parameters
        ----------
        command : str, optional
            What was typed, to be kept with the result.
        save_every : float
            Seconds between checkpoints inside an epoch.
        progress : bool
            Whether to show a progress bar.
        test : bool
            Whether to look at the test images at all; who chooses by the validation images does not.

        Returns
        -------
        dict
            What `result.json` holds. A run that was finished before gives its result again; where that file is
            damaged, it is made again from the checkpoint.

        Raises
        ------
        OSError
            If a file cannot be written.
        CheckpointError, Diverged, Interrupted
            See `fit`.
        """
        history = fit(
            self.model,
            self.train,
            self.settings.recipe,
            rng=self.rng,
            validation=self.validation,
            out=self.out,
            resume=self.resume,
            save_every=save_every,
            settings=asdict(self.settings),
            progress=progress,
        )
        scores = ("test_images", "test_accuracy", "test_loss") if test else ()
        kept = _read_result(self.out / RESULT, {"epochs", "images_per_second", "seconds_per_epoch", *scores})
        if kept is not None:
            return kept
        result = self._result(history, self._scores() if test else {}, command)
        write_json(self.out / RESULT, result)
        return result

    def _scores(self) -> dict[str, Any]:
        recipe = self.settings.recipe
        which = ["none"]
        if recipe.augment != "none":  # it has been taught that an image and its mirror image are the same
            which.append("mirror")
        if recipe.alternates:  # and one shifted by a pixel
            which.append("six")
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                found = evaluate_each(self.model, self.test, which)
        except ValueError as error:
            raise Diverged(
                f"the network cannot be tested, training diverged: {error}. Lower the learning rate"
            ) from error
        loss = found["none"].loss
        scores = {"test_images": len(self.test), "test_loss": loss if np.isfinite(loss) else None}
        return scores | {SCORES[copies]: score.accuracy for copies, score in found.items()}

    def _result(self, history: list[dict[str, Any]], scores: dict[str, Any], command: str | None) -> dict[str, Any]:
        settings = asdict(self.settings)
        del settings["data_root"], settings["note"]  # a place on this machine; the note stands for itself
        seconds, last = sum(line["seconds"] for line in history), history[-1]
        batches = self.settings.recipe.steps(len(self.train)) * len(history)
        return {
            "command": command,
            "note": self.settings.note,
            **scores,
            "train_images": len(self.train),
            "train_accuracy": last["accuracy"],
            "validation_accuracy": last.get("validation_accuracy"),
            "epochs": len(history),
            "seconds_per_epoch": seconds / len(history),
            "images_per_second": batches * self.settings.recipe.batch_size / seconds,
            "parameters": sum(array.size for array in self.model.params.values()),
            "settings": settings,
            "machine": describe_machine(),
        }


def _read_result(path: Path, needed: set[str]) -> dict[str, Any] | None:
    """Return a result that was written before; None where there is none, or none that has all that is needed."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    if not isinstance(kept, dict):
        return None
    numbers = {name for name, value in kept.items() if _is_number(value)} | {"test_loss"}  # None where it is infinite
    return kept if needed <= numbers & kept.keys() else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
