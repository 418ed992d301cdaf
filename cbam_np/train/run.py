"""A whole run: from settings to data, network, training, and one look at the test images at the end."""

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from ..cbam import get_dialect
from ..cbam.params import STARTS, check_kernel_size
from ..data import LabelledImages, load_cifar10, make_shapes
from ..nn import Classifier, ResNet, SmallCNN
from ..nn.models import ATTENTIONS
from ..ops.checks import check_option
from .checkpoint import CheckpointError, check_writable, load_checkpoint, write_json
from .loop import check_out, fit
from .machine import describe_machine
from .recipe import Recipe, check_count
from .score import evaluate
from .state import CHECKPOINT, model_arrays

RESULT = "result.json"
RECIPES = {
    "shapes": Recipe(epochs=6, batch_size=48, lr=0.07, augment="none"),
    "cifar10": Recipe(epochs=12, batch_size=128, lr=0.1, augment="crop+flip"),
}
"""Recipes that work, by data set."""

NETWORKS = ("smallcnn", "resnet")
OF_CBAM = {
    "kernel_size": 7,
    "order": "channel-spatial",
    "channel_pools": ("avg", "max"),
    "spatial_pools": ("avg", "max"),
    "start": "he",
}
"""What may be chosen of CBAM, and the paper's choice."""

SHAPES = {"train": (5000, (0, 0)), "test": (1000, (0, 1))}
"""How many shapes are drawn and from which seed: the same for every run, as CIFAR-10 is the same."""


@dataclass(frozen=True)
class Settings:
    """What makes a run.

    Parameters
    ----------
    data : {"shapes", "cifar10"}
        The data set.
    attention : {None, "se", "cbam", "channel", "spatial"}
        As in `SmallCNN`.
    recipe : Recipe
        How to train; where none is given, that of the data set in `RECIPES`.
    network : {"smallcnn", "resnet"}
        `SmallCNN` or `ResNet`.
    channels, convs : tuple of int
        As in `SmallCNN`, a number a stage; `convs` is 1 throughout where none are given.
    depth, width : int
        As in `ResNet`.
    reduction : int
        r of the attention.
    kernel_size, order, channel_pools, spatial_pools, start
        Of CBAM, as in `init_cbam` and `Dialect`.
    images : int, optional
        Train on the first so many images only; on all where none is given.
    validation : int
        Hold back the last so many training images, to score the network on after every epoch.
    seed : int
        Of the weights, the order of the images and their augmentation. Runs with equal seeds see the same
        images in the same order, whatever the attention.
    data_root : str, optional
        Where CIFAR-10 lies, see `load_cifar10`.
    note : str
        Anything to be kept with the result.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    data: str = "shapes"
    attention: str | None = "cbam"
    recipe: Recipe | None = None
    network: str = "smallcnn"
    channels: tuple[int, ...] = (32, 64, 128)
    convs: tuple[int, ...] | None = None
    depth: int = 20
    width: int = 16
    reduction: int = 16
    kernel_size: int = OF_CBAM["kernel_size"]
    order: str = OF_CBAM["order"]
    channel_pools: tuple[str, ...] = OF_CBAM["channel_pools"]
    spatial_pools: tuple[str, ...] = OF_CBAM["spatial_pools"]
    start: str = OF_CBAM["start"]
    images: int | None = None
    validation: int = 0
    seed: int = 0
    data_root: str | None = None
    note: str = ""

    def __post_init__(self):
        check_option(self.data, "data", RECIPES)
        check_option(self.attention, "attention", (None, *ATTENTIONS))
        check_option(self.network, "network", NETWORKS)
        if self._of_cbam() != OF_CBAM and self.attention != "cbam":
            raise ValueError(f"{', '.join(OF_CBAM)} are choices of CBAM, but attention is {self.attention!r}")
        of_dialect = self._of_cbam().keys() - {"kernel_size", "start"}
        get_dialect(**{name: getattr(self, name) for name in of_dialect})
        check_kernel_size(self.kernel_size)
        check_option(self.start, "start", STARTS)
        if self.recipe is None:
            object.__setattr__(self, "recipe", RECIPES[self.data])
        if not 1 <= len(self.channels) <= 6:
            raise ValueError(
                f"channels are {self.channels}, expected 1 to 6 stages: each halves 32×32 pixels once more"
            )
        for name, least in (("seed", 0), ("validation", 0), ("reduction", 1), ("images", 1)):
            if getattr(self, name) is not None:
                check_count(getattr(self, name), name, least)
        for width in self.channels:
            check_count(width, "channels", 1)
        if self.convs is not None and len(self.convs) != len(self.channels):
            raise ValueError(f"convs are {self.convs}, expected as many numbers as channels, {self.channels}")

    def _of_cbam(self):
        return {name: getattr(self, name) for name in OF_CBAM}

    def make_network(self, classes, rng):
        """Return the network that the settings describe.

        Parameters
        ----------
        classes : int
            Number of classes.
        rng : numpy.random.Generator
            Draws the weights.

        Returns
        -------
        Classifier
            `SmallCNN` or `ResNet`.
        """
        chosen = {"classes": classes, "rng": rng, "reduction": self.reduction}
        if self.attention == "cbam":
            chosen |= self._of_cbam()
        if self.network == "resnet":
            return ResNet(self.depth, self.attention, width=self.width, **chosen)
        return SmallCNN(self.attention, channels=self.channels, convs=self.convs or 1, **chosen)

    def changed(self, **changes):
        """Return other settings; `changes` may name fields of the settings and of their recipe."""
        of_recipe = {f.name for f in fields(Recipe)} & changes.keys()
        recipe = replace(self.recipe, **{name: changes.pop(name) for name in of_recipe})
        return replace(self, recipe=recipe, **changes)


def read_settings(out):
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


def load_model(out):
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
        model = settings.make_network(len(mine["head.b"]), np.random.default_rng(settings.seed))
        model.load_state_dict(mine)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{_checkpoint(out)} does not hold the network that its settings name") from error
    return model


def _checkpoint(out):
    path = Path(out)
    return path if path.suffix == ".npz" else path / CHECKPOINT


def _open(out):
    path = _checkpoint(out)
    arrays, metadata = load_checkpoint(path)
    try:
        kept = dict(metadata["settings"])
        kept = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
        kept["recipe"] = Recipe(**kept["recipe"])
        return arrays, Settings(**kept)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} has no settings of a run that can be understood ({error!r})") from error


def load_data(settings):
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


def prepare(settings, out, *, resume=False):
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
    model.normalise.fit(train.images)
    return Run(settings, out, resume, model, train, validation, test, order)


def _check_same(settings, kept, out):
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

    def finish(self, *, command=None, save_every=30.0, progress=True):
        """Train to the end, look at the test images once, and write the result.

        Parameters
        ----------
        command : str, optional
            What was typed, to be kept with the result.
        save_every : float
            Seconds between checkpoints inside an epoch.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        dict
            What `result.json` holds. A run that was finished before gives its result again.

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
        path = self.out / RESULT
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
        result = self._result(history, evaluate(self.model, self.test), command)
        write_json(path, result)
        return result

    def _result(self, history, score, command):
        settings = asdict(self.settings)
        del settings["data_root"], settings["note"]  # a place on this machine; the note stands for itself
        seconds, last = sum(line["seconds"] for line in history), history[-1]
        batches = self.settings.recipe.steps(len(self.train)) * len(history)
        return {
            "command": command,
            "note": self.settings.note,
            "test_accuracy": score.accuracy,
            "test_loss": score.loss,
            "test_images": len(self.test),
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
