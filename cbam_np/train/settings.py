"""What makes a run: the data, the network, the recipe, the seed."""

from dataclasses import dataclass, fields, replace

from ..cbam import get_dialect
from ..cbam.dialect import STARTS
from ..cbam.params import check_kernel_size
from ..nn import ResNet, SmallCNN
from ..nn.layers import CONV_STARTS
from ..nn.models import ATTENTIONS
from ..ops.checks import check_option
from .recipe import Recipe, check_count

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
}
"""What may be chosen of CBAM, and the paper's choice."""


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
    conv_start : {"he", "dirac"}
        As in `SmallCNN`.
    depth, width : int
        As in `ResNet`.
    reduction : int
        r of the attention.
    start : {"zero", "he", "pytorch", "official"}
        Of the attention, as in `init_cbam`.
    kernel_size, order, channel_pools, spatial_pools
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
    conv_start: str = "he"
    depth: int = 20
    width: int = 16
    reduction: int = 16
    start: str = "zero"
    kernel_size: int = OF_CBAM["kernel_size"]
    order: str = OF_CBAM["order"]
    channel_pools: tuple[str, ...] = OF_CBAM["channel_pools"]
    spatial_pools: tuple[str, ...] = OF_CBAM["spatial_pools"]
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
        of_dialect = self._of_cbam().keys() - {"kernel_size"}
        get_dialect(**{name: getattr(self, name) for name in of_dialect})
        check_kernel_size(self.kernel_size)
        check_option(self.start, "start", STARTS)
        check_option(self.conv_start, "conv_start", CONV_STARTS)
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
        chosen = {"classes": classes, "rng": rng, "reduction": self.reduction, "start": self.start}
        if self.attention == "cbam":
            chosen |= self._of_cbam()
        if self.network == "resnet":
            return ResNet(self.depth, self.attention, width=self.width, **chosen)
        chosen |= {"channels": self.channels, "convs": self.convs or 1, "conv_start": self.conv_start}
        return SmallCNN(self.attention, **chosen)

    def changed(self, **changes):
        """Return other settings; `changes` may name fields of the settings and of their recipe."""
        of_recipe = {f.name for f in fields(Recipe)} & changes.keys()
        recipe = replace(self.recipe, **{name: changes.pop(name) for name in of_recipe})
        return replace(self, recipe=recipe, **changes)
