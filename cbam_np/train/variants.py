"""What can be compared: for each comparison its variants, as changes to the settings that all runs share."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops.checks import check_option
from .options import without_effect
from .settings import Settings

Changes = dict[str, Any]


def wider(settings: Settings) -> Changes:
    """Return the changes to a network without attention that give it at least as many parameters as CBAM has.

    The last stage of `SmallCNN` becomes wider; of `ResNet`, whose stages belong together, all of them.
    """
    wanted = _parameters(settings.changed(attention="cbam"))
    plain = settings.changed(attention=None)
    while _parameters(plain) < wanted:
        width = _one_wider(plain)
        plain = plain.changed(**width)
    return {"attention": None, **width}


def _one_wider(settings: Settings) -> Changes:
    """Return the change to a network that is wider by one channel: in its last stage, or in all where it must be."""
    if settings.network == "resnet":
        return {"width": settings.width + 1}
    name = "widths" if settings.network == "whitened" else "channels"
    *others, last = getattr(settings, name)
    return {name: (*others, last + 1)}


def _parameters(settings: Settings) -> int:
    network = settings.make_network(10, np.random.default_rng(0))
    return sum(array.size for array in network.params.values())


def half_the_rate(settings: Settings) -> Changes:
    """Return the change to half the learning rate."""
    return {"lr": settings.recipe.lr / 2}


def twice_the_rate(settings: Settings) -> Changes:
    """Return the change to twice the learning rate."""
    return {"lr": settings.recipe.lr * 2}


def sgd_alone(settings: Settings) -> Changes:
    """Return the change from Muon to SGD for the kernels, too; head and vectors keep their rates."""
    of, lr = settings.recipe, SGD_LR
    factors = {"head_factor": of.head_lr * of.batch_size / lr, "vector_factor": of.vector_lr * of.batch_size / lr}
    return {"optimiser": "sgd", "lr": lr, "weight_decay": SGD_DECAY, **factors}


SGD_LR, SGD_DECAY = 3.0, 5e-4  # chosen on validation images: results/whitened-choices
CBAM: Changes = {"attention": "cbam"}
NONE: Changes = {"attention": None}

VARIANTS: dict[str, dict[str, Changes | Callable[[Settings], Changes]]] = {
    "attention": {
        "none": NONE,
        "SE": {"attention": "se"},
        "CBAM": CBAM,
        "wider, no attention": wider,
    },
    "cbam": {"none": NONE, "CBAM": CBAM},
    "channel-pools": {  # paper, Table 1
        "avg & max": CBAM | {"order": "channel"},
        "avg": CBAM | {"order": "channel", "channel_pools": ("avg",)},
        "max": CBAM | {"order": "channel", "channel_pools": ("max",)},
    },
    "spatial": {  # paper, Table 2, without the learned 1×1 convolution
        "avg & max, 7×7": CBAM,
        "avg & max, 3×3": CBAM | {"kernel_size": 3},
        "avg, 7×7": CBAM | {"spatial_pools": ("avg",)},
        "max, 7×7": CBAM | {"spatial_pools": ("max",)},
        "channel only": CBAM | {"order": "channel"},
    },
    "order": {  # paper, Table 3
        "channel, then spatial": CBAM,
        "spatial, then channel": CBAM | {"order": "spatial-channel"},
        "side by side": CBAM | {"order": "parallel"},
        "channel only": CBAM | {"order": "channel"},
        "spatial only": CBAM | {"order": "spatial"},
    },
    "start": {  # which the paper leaves out, and the official code does in another way
        "all maps 1/2": CBAM,
        "He": CBAM | {"start": "he"},
        "none": NONE,
    },
    "recipe": {  # what each choice contributes to a recipe that makes all of these
        "as it is": {},
        "convolutions drawn": {"conv_start": "he"},
        "one cycle with a cosine": {"schedule": "one-cycle"},
        "shift by 4, black border": {"augment": "crop+flip"},
        "flip without shift": {"augment": "flip"},
        "no augmentation": {"augment": "none"},
        "cutout 8×8": {"cutout": 8},
        "no label smoothing": {"label_smoothing": 0.0},
        "no weight decay": {"weight_decay": 0.0},
        "half the learning rate": half_the_rate,
        "twice the learning rate": twice_the_rate,
    },
    "public-recipe": {  # what each choice contributes to the recipe of the whitened network
        "as it is": {},
        "SGD instead of Muon": sgd_alone,
        "kernels drawn": {"conv_start": "he"},
        "first filters drawn": {"filters": "drawn"},
        "ReLU instead of GELU": {"activation": "relu"},
        "mirrored at random": {"augment": "shift+flip"},
        "no shift": {"augment": "flip"},
        "no label smoothing": {"label_smoothing": 0.0},
    },
    "reduction": {  # which the paper leaves out
        "r = 16": CBAM | {"reduction": 16},
        "r = 2": CBAM | {"reduction": 2},
        "r = 4": CBAM | {"reduction": 4},
        "r = 8": CBAM | {"reduction": 8},
        "r = 32": CBAM | {"reduction": 32},
    },
}
"""What can be compared: by name, the variants, as changes to the settings. The first one is the baseline."""


def variants_of(what: str, settings: Settings) -> dict[str, Settings]:
    """Return the settings of each variant of a comparison.

    A variant that changes nothing, because the settings are like that anyway, is left out: it would only train the
    same network again. So is one that changes what this network does not have.

    Parameters
    ----------
    what : str
        A name in `VARIANTS`.
    settings : Settings
        What all variants have in common. Its attention and seed are not used.

    Returns
    -------
    dict of str to Settings
        By the variant's name, the baseline first.

    Raises
    ------
    ValueError
        If `what` is unknown, a setting does not fit, or an option is set that the comparison itself varies.
    """
    check_option(what, "what", VARIANTS)
    if what == "public-recipe" and settings.network != "whitened":
        raise ValueError(
            f"the public recipe is that of the whitened network, not of {settings.network}: set network to whitened"
        )
    if "recipe" not in what:
        _check_not_compared(what, settings)
    if what == "public-recipe" and settings.recipe.optimiser != "muon":
        raise ValueError(
            f"optimiser is {settings.recipe.optimiser}, but the public recipe has muon, and a variant of "
            f"{what!r} replaces it: leave optimiser out"
        )
    found: dict[str, Settings] = {}
    for name, described in VARIANTS[what].items():
        changes = described(settings) if callable(described) else described
        if changes.keys() & without_effect(Settings, vars(settings) | changes):
            continue  # a choice that this network does not have
        variant = settings.changed(**changes)
        if variant.spelled_out() not in [other.spelled_out() for other in found.values()]:
            found[name] = variant
    return found


def _check_not_compared(what: str, settings: Settings) -> None:
    """Raise a ValueError where the settings choose what the variants differ in: their names would not be true."""
    compared = {name for changes in VARIANTS[what].values() if isinstance(changes, dict) for name in changes}
    usual = Settings()
    for name in sorted(compared - {"attention"}):
        if getattr(settings, name) != getattr(usual, name):
            raise ValueError(
                f"{name} is {getattr(settings, name)}, but the variants of {what!r} choose it themselves: "
                f"leave {name} out"
            )
