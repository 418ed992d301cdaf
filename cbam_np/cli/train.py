"""`cbam-np train`."""

import argparse
import shlex
from collections.abc import Iterable
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any

from ..train.options import Option, Range, takes_many
from ..train.recipe import Recipe
from ..train.settings import RECIPES, Settings, every_option, usual_recipe
from . import pictures
from .arguments import a_folder, number, path
from .errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from ..train.run import Run
    from ..viz import Figure

NONE = "none"  # how --attention spells None
NEAR_CHANCE = 1.5  # times the accuracy of a guess
ALWAYS = ("data", "attention", "epochs", "seed")  # in the command that makes a run again, usual or not


def flag_of(name: str) -> str:
    """Return how the command line spells an option."""
    return "--" + name.replace("_", "-")


def declare_settings(parser: argparse.ArgumentParser, left_out: Iterable[str] = ()) -> None:
    """Declare the options of a run; where one is not given, it is absent."""
    for name, told in every_option().items():
        if name not in left_out:
            parser.add_argument(flag_of(name), default=argparse.SUPPRESS, **_about(name, told))


def _about(name: str, told: Option) -> dict[str, Any]:
    """Return what argparse needs to know about an option."""
    cls = Recipe if name in {f.name for f in fields(Recipe)} else Settings
    about: dict[str, Any] = {"help": f"{told.help}; default: {_usual(name, told)}"}
    if isinstance(told.allowed, Range):
        about["type"] = number(told.allowed)
    elif told.allowed is not None:
        about["choices"] = [NONE if choice is None else choice for choice in told.allowed]
    elif name == "data_root":
        about["type"] = lambda text: str(path(text))
    if told.metavar:
        about["metavar"] = told.metavar
    return about | ({"nargs": "+"} if takes_many(cls, name) else {})


def _usual(name: str, told: Option) -> str:
    """Say what happens where an option is not given."""
    if told.usual:
        return told.usual
    for f in fields(Settings):
        if f.name == name and f.default is not MISSING:
            return _spelled(f.default)
    values = {data: getattr(recipe, name) for data, recipe in RECIPES.items()}
    if len(set(values.values())) == 1:
        return str(next(iter(values.values())))
    return ", ".join(f"{value} for {data}" for data, value in values.items())


def _spelled(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else NONE if value is None else str(value)


def settings_of(given: dict[str, Any], settings: Settings | None = None) -> Settings:
    """Return settings with what was given on the command line."""
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    if given.get("attention") == NONE:
        given["attention"] = None
    if settings is None:
        settings = Settings(**{name: given[name] for name in ("data", "network") if name in given})
        recipe = usual_recipe(settings.data, settings.network, given.get("epochs"))
        settings = settings.changed(recipe=recipe)
    return settings.changed(**given)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the settings of a run, and where it is kept."""
    declare_settings(parser)
    parser.add_argument(
        "--out",
        type=a_folder(),
        required=True,
        metavar="DIR",
        help="folder for checkpoint, history, result and picture",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in DIR, with its settings; no other option is needed"
    )
    parser.epilog = (
        "Fewer epochs of shapes than usual have a recipe of their own, with more steps and a slow attention. Ctrl-C "
        "saves and stops. A run that was stopped, even by a power cut, goes on with --resume --out DIR and ends with "
        "the same weights, to the last bit."
    )


def run(command: str, out: "Path", resume: bool, **given: Any) -> None:
    """Train, say what came of it, and draw where the attention looks."""
    from ..train.run import RESULT, prepare, read_settings
    from ..train.state import CHECKPOINT, HISTORY, CheckpointError, Diverged

    try:
        try:
            settings = settings_of(given, read_settings(out) if resume else None)
            run = prepare(settings, out, resume=resume)
        except ValueError as error:  # the settings or the data are to blame; later on it would be the program
            raise UserError(error) from error
        try:
            result = run.finish(command=_typed(run.settings))
        except (Diverged, CheckpointError) as error:
            raise UserError(error) from error
    except KeyboardInterrupt as stopped:
        kept = "stopped; nothing was saved yet"
        if (out / CHECKPOINT).is_file():
            kept = f"saved in {out}; go on with: {command} --resume --out {shlex.quote(str(out))}"
        raise KeyboardInterrupt(kept) from stopped
    epochs = result["epochs"]
    print(
        f"Test accuracy {result['test_accuracy']:.1%} on {result['test_images']} images after {epochs} "
        f"epoch{'s' * (epochs != 1)}, at {result['images_per_second']:.0f} training images per second."
    )
    if result["test_accuracy"] < NEAR_CHANCE / len(run.test.classes):
        print(
            f"That is near chance for {len(run.test.classes)} classes: {epochs} epoch{'s' * (epochs != 1)} may be too "
            "short for the network to begin to learn. Give it more with --epochs."
        )
    picture = out / "attention.png"
    drawn = settings.attention in ("cbam", "channel", "spatial") and pictures.save_if_possible(
        lambda: _where_it_looks(run), picture
    )
    print(f"{out} holds {CHECKPOINT}, {HISTORY} and {RESULT}{f'; {picture} shows where it looks' if drawn else ''}.")


def _typed(settings: Settings) -> str:
    """Return the command that makes this run again; where the data lie is left to the machine."""
    words = ["cbam-np", "train"]
    recipe = usual_recipe(settings.data, settings.network, settings.recipe.epochs)
    default = Settings(data=settings.data, network=settings.network, recipe=recipe)
    ours, usual = ({**asdict(s), **asdict(s.recipe)} for s in (settings, default))
    usual["network"] = Settings.network  # which has to be named where it is another
    for name in every_option():
        if name in ALWAYS or (ours[name] != usual[name] and name != "data_root"):
            values = ours[name] if isinstance(ours[name], tuple | list) else [ours[name]]
            words += [flag_of(name), *map(_spelled, values)]
    return shlex.join(words)


def _where_it_looks(run: "Run") -> "Figure":
    """Draw where the attention looks on four test images."""
    from .. import viz

    return viz.attention_figure(run.model, run.test.images[:4], run.test.labels[:4], run.test.classes)
