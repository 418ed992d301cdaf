"""`cbam-np train`."""

import argparse
import shlex
from dataclasses import asdict
from pathlib import Path

from .errors import UserError

NONE = "none"  # how --attention spells None


def _train_options():
    """Return the options of `train` that are settings of a run: flag -> what argparse needs to know."""
    from ..cbam.dialect import ORDERS, STARTS
    from ..cbam.pools import POOLS
    from ..nn import SCHEDULES
    from ..nn.layers import CONV_STARTS
    from ..nn.models import ATTENTIONS
    from ..train.recipe import AUGMENTATIONS
    from ..train.settings import NETWORKS, RECIPES, Settings

    def default(name):
        values = {data: getattr(recipe, name) for data, recipe in RECIPES.items()}
        if len(set(values.values())) == 1:
            return f"; default: {values.popitem()[1]}"
        return "; default: " + ", ".join(f"{value} for {data}" for data, value in values.items())

    usual = Settings()
    return {
        "--data": {
            "choices": list(RECIPES),
            "help": f"data set: shapes are drawn by program, cifar10 is looked for and else downloaded, 170 MB; "
            f"default: {usual.data}",
        },
        "--attention": {
            "choices": [NONE, *ATTENTIONS],
            "help": f"what follows each stage of the network; default: {usual.attention}",
        },
        "--epochs": {"type": int, "metavar": "N", "help": f"passes over the training images{default('epochs')}"},
        "--batch-size": {"type": int, "metavar": "N", "help": f"images a step{default('batch_size')}"},
        "--lr": {"type": float, "metavar": "RATE", "help": f"learning rate at its peak{default('lr')}"},
        "--schedule": {
            "choices": list(SCHEDULES),
            "help": f"how the learning rate runs from the first step to the last{default('schedule')}",
        },
        "--augment": {
            "choices": list(AUGMENTATIONS),
            "help": "what is done at random to a training image: nothing; mirrored left to right; also shifted by up "
            f"to 4 pixels, black where nothing is known; or by up to 2, with a mirrored border{default('augment')}",
        },
        "--cutout": {
            "type": int,
            "metavar": "PIXELS",
            "help": f"side of a square that is covered in each training image{default('cutout')}",
        },
        "--label-smoothing": {
            "type": float,
            "metavar": "EPS",
            "help": f"probability that the target gives away to all classes alike, 0 to 1{default('label_smoothing')}",
        },
        "--weight-decay": {
            "type": float,
            "metavar": "LAMBDA",
            "help": f"pull of the weights towards 0{default('weight_decay')}",
        },
        "--network": {
            "choices": list(NETWORKS),
            "help": f"SmallCNN or ResNet; default: {usual.network}",
        },
        "--depth": {
            "type": int,
            "metavar": "N",
            "help": f"layers with weights of a ResNet: 8, 14, 20, …; default: {usual.depth}",
        },
        "--width": {"type": int, "metavar": "C", "help": f"channels of a ResNet's first stage; default: {usual.width}"},
        "--channels": {
            "type": int,
            "nargs": "+",
            "metavar": "C",
            "help": f"channels of each stage of SmallCNN; default: {' '.join(map(str, usual.channels))}",
        },
        "--convs": {
            "type": int,
            "nargs": "+",
            "metavar": "N",
            "help": "convolutions of each stage of SmallCNN; default: 1 each",
        },
        "--conv-start": {
            "choices": list(CONV_STARTS),
            "help": "how SmallCNN's convolutions but the first start: drawn, or passing on what they are given; "
            f"default: {usual.conv_start}",
        },
        "--reduction": {
            "type": int,
            "metavar": "R",
            "help": f"the attention's MLP has C // R hidden units; default: {usual.reduction}",
        },
        "--kernel-size": {
            "type": int,
            "metavar": "K",
            "help": f"side of CBAM's convolution; default: {usual.kernel_size}",
        },
        "--order": {"choices": list(ORDERS), "help": f"of CBAM's two attentions; default: {usual.order}"},
        "--channel-pools": {
            "choices": list(POOLS),
            "nargs": "+",
            "help": f"what CBAM's MLP is given; default: {' '.join(usual.channel_pools)}",
        },
        "--spatial-pools": {
            "choices": list(POOLS),
            "nargs": "+",
            "help": f"what CBAM's convolution is given; default: {' '.join(usual.spatial_pools)}",
        },
        "--start": {
            "choices": list(STARTS),
            "help": "how the attention's weights start: so that all its maps are 1/2, or drawn like the others; "
            f"default: {usual.start}",
        },
        "--images": {
            "type": int,
            "metavar": "N",
            "help": "train on the first N images only; default: all, 5000 shapes or 50000 of cifar10",
        },
        "--validation": {
            "type": int,
            "metavar": "N",
            "help": "hold back the last N training images and score the network on them after every epoch; "
            f"default: {usual.validation}",
        },
        "--seed": {
            "type": int,
            "metavar": "N",
            "help": f"of the first weights, the order of the images and their augmentation; default: {usual.seed}",
        },
        "--data-root": {
            "metavar": "DIR",
            "help": "where CIFAR-10 lies; default: $CBAM_NP_DATA, then the user's cache, then a download",
        },
        "--note": {"metavar": "TEXT", "help": "anything to be kept with the result"},
    }


def declare_settings(parser, left_out=()):
    """Declare the settings of a run; where one is not given, it is absent."""
    for flag, told in _train_options().items():
        if flag not in left_out:
            parser.add_argument(flag, default=argparse.SUPPRESS, **told)


def settings_of(given, settings=None):
    """Return settings with what was given on the command line."""
    from ..train.settings import Settings

    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    if given.get("attention") == NONE:
        given["attention"] = None
    return (settings or Settings(data=given.get("data", Settings.data))).changed(**given)


def declare(parser):
    """Declare the settings of a run, and where it is kept."""
    declare_settings(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint, history, result and picture"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in DIR, with its settings; no other option is needed"
    )
    parser.epilog = (
        "Ctrl-C saves and stops. A run that was stopped, even by a power cut, goes on with --resume --out DIR and ends "
        "with the same weights, to the last bit."
    )


def run(command, out, resume, **given):
    """Train, say what came of it, and draw where the attention looks."""
    from ..train.checkpoint import CheckpointError
    from ..train.run import RESULT, prepare, read_settings
    from ..train.state import CHECKPOINT, HISTORY, Diverged

    on = f"{command} --resume --out {shlex.quote(str(out))}"
    try:
        try:
            settings = settings_of(given, read_settings(out) if resume else None)
            run = prepare(settings, out, resume=resume)
        except (ValueError, OSError) as error:  # what the settings, the folder or the data are to blame for
            raise UserError(error) from error
        try:
            result = run.finish(command=_typed(run.settings))
            picture = _write_pictures(run.model, run.test, out) if run.settings.attention == "cbam" else None
        except (CheckpointError, Diverged, OSError) as error:
            raise UserError(error) from error
    except KeyboardInterrupt as stopped:
        kept = f"saved in {out}; go on with: {on}" if (out / CHECKPOINT).is_file() else "stopped; nothing was saved yet"
        raise KeyboardInterrupt(kept) from stopped
    print(
        f"Test accuracy {result['test_accuracy']:.1%} on {result['test_images']} images after {result['epochs']} "
        f"epochs, at {result['images_per_second']:.0f} training images per second."
    )
    print(
        f"{out} holds {CHECKPOINT}, {HISTORY} and {RESULT}" + (f"; {picture} shows where it looks." if picture else ".")
    )


def _typed(settings):
    """Return the command that makes this run again; where the data lie is left to the machine."""
    from ..train.settings import Settings

    usual, words = Settings(data=settings.data), ["cbam-np", "train"]
    own, default = ({**asdict(s), **asdict(s.recipe)} for s in (settings, usual))
    for flag in _train_options():
        name = flag.removeprefix("--").replace("-", "_")
        if name in ("data", "attention", "epochs", "seed") or (own[name] != default[name] and name != "data_root"):
            values = own[name] if isinstance(own[name], tuple | list) else [own[name]]
            words += [flag, *(NONE if value is None else str(value) for value in values)]
    return shlex.join(words)


def _write_pictures(model, test, out):
    """Draw where the attention looks on four test images; return the picture's path."""
    from .. import viz

    figure = viz.attention_figure(model, test.images[:4], test.labels[:4], test.classes)
    path = out / "attention.png"
    figure.savefig(path, dpi=150)
    return path
