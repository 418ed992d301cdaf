"""What makes a run: the data, the network, the recipe, the seed."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar

import numpy as np

from ..cbam import ORDERS, get_dialect
from ..cbam.dialect import STARTS
from ..cbam.params import check_kernel_size
from ..cbam.pools import POOLS
from ..nn import Classifier, ResNet, SmallCNN, WhitenedCNN
from ..nn.layers import CONV_STARTS
from ..nn.models import ATTENTIONS
from ..nn.whitened import ACTIVATIONS
from ..nn.whitening import FILTERS
from .options import Option, Range, check_effect, check_options, documented, option, options_of, without_effect
from .recipe import WHITENED, WITH_ATTENTION, Recipe

RECIPES = {
    "shapes": Recipe(epochs=6, batch_size=48, lr=0.07, augment="none"),
    "cifar10": Recipe(epochs=12, batch_size=128, lr=0.1, augment="crop+flip"),
}
"""Recipes that work, by data set."""

SHORT_RECIPE = Recipe(
    epochs=2,
    batch_size=16,
    lr=0.4,
    momentum=0.85,
    label_smoothing=0.0,
    augment="none",
    head_factor=4.0,
    attention_factor=0.003,
)
"""For shapes in fewer epochs than usual: more steps, and an attention that waits for features to attend to."""

WHITENED_RECIPE = Recipe(
    epochs=8,
    batch_size=2000,
    lr=0.24,
    optimiser="muon",
    schedule="linear",
    momentum=0.85,
    weight_decay=0.004,
    label_smoothing=0.2,
    augment="shift+alternate",
)
"""The public recipe of the whitened network, for CIFAR-10: https://github.com/KellerJordan/cifar10-airbench."""


def usual_recipe(data: str, network: str = "smallcnn", epochs: int | None = None) -> Recipe:
    """Return the recipe of a data set, a network and perhaps a number of epochs."""
    if network == "whitened":
        usual = WHITENED_RECIPE
    elif data == "shapes" and epochs is not None and epochs < RECIPES["shapes"].epochs:
        usual = SHORT_RECIPE
    else:
        usual = RECIPES[data]
    return replace(usual, epochs=usual.epochs if epochs is None else epochs)


NETWORKS = ("smallcnn", "resnet", "whitened")
SMALLCNN, RESNET = {"network": ("smallcnn",)}, {"network": ("resnet",)}
CONV_START = {"smallcnn": "he", "whitened": "dirac-uniform"}  # how convolutions start where nothing else is chosen
WITH_CHANNEL, WITH_SPATIAL = (
    {"order": tuple(order for order, names in ORDERS.items() if name in names)} for name in ("channel", "spatial")
)
WITH_MLP = {"attention": tuple(name for name in ATTENTIONS if name != "spatial")} | WITH_CHANNEL
CBAM = {"attention": ("cbam",)}
Made = TypeVar("Made", bound="Settings | Recipe")
OF_WHITENED = ("widths", "after", "filters", "activation")  # what may be chosen of it
OF_CBAM = ("kernel_size", "order", "channel_pools", "spatial_pools")  # and of CBAM


@documented
@dataclass(frozen=True)
class Settings:
    """What makes a run.

    Runs with equal seeds see the same images in the same order, whatever the attention. Where no recipe is given, it
    is that of the data set in `RECIPES`; the whitened network has its own. A ValueError says which value is out of
    range or has no effect.
    """

    data: str = option(
        "shapes",
        "data set: shapes are drawn by program; cifar10 is looked for, and otherwise downloaded, 170 MB",
        RECIPES,
    )
    attention: str | None = option("cbam", "what follows each stage of the network", (None, *ATTENTIONS))
    recipe: Recipe = None  # type: ignore[assignment]  # never None once it is made, see __post_init__
    network: str = option(
        "smallcnn", "SmallCNN, ResNet, or the network of the fastest public recipe, which begins by whitening", NETWORKS
    )
    channels: tuple[int, ...] = option(
        (32, 64, 128), "channels of each stage of SmallCNN", Range(int, 1, 1024), metavar="C", only=SMALLCNN
    )
    convs: tuple[int, ...] | None = option(
        None,
        "convolutions of each stage of SmallCNN",
        Range(int, 1, 16),
        metavar="N",
        usual="1 each",
        only=SMALLCNN,
    )
    conv_start: str | None = option(
        None,
        "how the convolutions start, SmallCNN's first one apart: drawn at random, or passing on their input",
        CONV_STARTS,
        usual="he; dirac-uniform in the whitened network",
        only={"network": tuple(CONV_START)},
    )
    depth: int = option(
        20, "layers with weights of a ResNet: 8, 14, 20, …", Range(int, 8, 302), metavar="N", only=RESNET
    )
    width: int = option(16, "channels of a ResNet's first stage", Range(int, 1, 256), metavar="C", only=RESNET)
    widths: tuple[int, ...] = option(
        (64, 256, 256),
        "channels of each group of the whitened network",
        Range(int, 1, 1024),
        metavar="C",
        only=WHITENED,
    )
    filters: str = option(
        "whitening",
        "the whitened network's fixed first filters: those that whiten its images, or as many at random",
        FILTERS,
        only=WHITENED,
    )
    activation: str = option("gelu", "what follows the whitened network's normalisations", ACTIVATIONS, only=WHITENED)
    after: tuple[int, ...] = option(
        (1, 2, 3),
        "groups of the whitened network that the attention ends",
        Range(int, 1, 3),
        metavar="GROUP",
        only=WHITENED | WITH_ATTENTION,
    )
    reduction: int = option(
        16, "the attention's MLP has C // R hidden units", Range(int, 1, 1024), metavar="R", only=WITH_MLP
    )
    start: str = option(
        "zero",
        "how the attention's weights start: so that all its maps are 1/2, or drawn like the others",
        STARTS,
        only=WITH_ATTENTION,
    )
    kernel_size: int = option(7, "side of CBAM's convolution", Range(int, 1, 63), metavar="K", only=CBAM | WITH_SPATIAL)
    order: str = option("channel-spatial", "order of CBAM's two attentions", ORDERS, only=CBAM)
    channel_pools: tuple[str, ...] = option(("avg", "max"), "what CBAM's MLP is given", POOLS, only=CBAM | WITH_CHANNEL)
    spatial_pools: tuple[str, ...] = option(
        ("avg", "max"), "what CBAM's convolution is given", POOLS, only=CBAM | WITH_SPATIAL
    )
    images: int | None = option(
        None,
        "train on the first N images only",
        Range(int, 1),
        metavar="N",
        usual="all, 5000 shapes or 50000 of cifar10",
    )
    validation: int = option(
        0,
        "hold back the last N training images, and score the network on them after every epoch",
        Range(int, 0),
        metavar="N",
    )
    seed: int = option(
        0,
        "seed of the first weights, the order of the images and their augmentation",
        Range(int, 0, 2**63 - 1),
        metavar="N",
    )
    data_root: str | None = option(
        None,
        "where CIFAR-10 is",
        metavar="DIR",
        usual="$CBAM_NP_DATA, then the user's cache, then a download",
    )
    note: str = option("", "a note to keep with the result", metavar="TEXT", usual="none")

    def __post_init__(self) -> None:
        if self.recipe is None and self.data in RECIPES:
            object.__setattr__(self, "recipe", usual_recipe(self.data, self.network))
        check_options(self)
        if not isinstance(self.recipe, Recipe):
            raise ValueError(f"recipe is {self.recipe!r}, expected a Recipe, as in Recipe(epochs=3)")
        check_kernel_size(self.kernel_size)
        get_dialect(order=self.order, channel_pools=self.channel_pools, spatial_pools=self.spatial_pools)
        if len(self.channels) > 6:
            raise ValueError(
                f"channels are {self.channels}, expected 1 to 6 stages: each halves 32×32 pixels once more"
            )
        if len(self.widths) != 3:
            raise ValueError(f"widths are {self.widths}, expected those of three groups")
        if self.convs is not None and len(self.convs) != len(self.channels):
            raise ValueError(f"convs are {self.convs}, expected as many numbers as channels, {self.channels}")

    def make_network(self, classes: int, rng: np.random.Generator) -> Classifier:
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
            `SmallCNN`, `ResNet` or `WhitenedCNN`.
        """
        chosen: dict[str, Any] = {"classes": classes, "rng": rng, "reduction": self.reduction, "start": self.start}
        if self.attention == "cbam":
            chosen |= {name: getattr(self, name) for name in OF_CBAM}
        if self.network == "resnet":
            return ResNet(self.depth, self.attention, width=self.width, **chosen)
        if self.network == "whitened":
            chosen |= {name: getattr(self, name) for name in OF_WHITENED}
            return WhitenedCNN(self.attention, conv_start=self.conv_start or CONV_START["whitened"], **chosen)
        chosen |= {"channels": self.channels, "convs": self.convs or 1}
        chosen |= {"conv_start": self.conv_start or CONV_START["smallcnn"]}
        return SmallCNN(self.attention, **chosen)

    def spelled_out(self) -> Self:
        """Return the same settings, with the network's usual start of the convolutions where none is chosen."""
        return replace(self, conv_start=self.conv_start or CONV_START.get(self.network))

    def changed(self, **changes: Any) -> Self:
        """Return other settings.

        Parameters
        ----------
        **changes
            Options of the settings, and of their recipe. What has no effect any more after them goes back to its
            default: without attention there is no kernel size. A ValueError names a change that has no effect.
        """
        of_recipe = {name: changes.pop(name) for name in options_of(Recipe).keys() & changes.keys()}
        changes["recipe"] = _replaced(changes.pop("recipe", self.recipe), of_recipe)
        changed = _replaced(self, changes)
        check_effect(Recipe, of_recipe, vars(changed) | vars(changed.recipe))
        return changed


def _replaced(of: "Made", changes: dict[str, Any]) -> "Made":
    """Return a dataclass with changes, and with the default of what has no effect after them."""
    idle = set(without_effect(type(of), vars(of) | changes)) - changes.keys()
    defaults: dict[str, Any] = {f.name: f.default for f in fields(of)}
    return replace(of, **{name: defaults[name] for name in idle}, **changes)


def every_option() -> dict[str, Option]:
    """Return the options of settings and of their recipe, by name."""
    return options_of(Settings) | options_of(Recipe)


def read_kept(kept: dict[str, Any]) -> Settings:
    """Return settings that were kept as JSON; options without effect, once accepted, are left out."""
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    kept["recipe"] = Recipe(**kept["recipe"])
    idle = without_effect(Settings, kept)
    return Settings(**{name: value for name, value in kept.items() if name not in idle})
