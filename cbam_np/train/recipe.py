"""How to train: a recipe, and what may be done to the training images."""

from dataclasses import MISSING, dataclass
from functools import partial
from typing import Protocol

import numpy as np

from ..nn import SCHEDULES
from ..nn.models import ATTENTIONS
from .augment import crop_and_flip, cutout
from .options import Range, check_options, documented, option


class Augmentation(Protocol):
    """Returns new images, uint8 (N, C, H, W), made from a batch of them."""

    def __call__(self, images: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Return new images."""


def unchanged(images: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return the images as they are."""
    return images


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": unchanged,
    "flip": partial(crop_and_flip, padding=0),
    "crop+flip": crop_and_flip,
    "shift+flip": partial(crop_and_flip, padding=2, border="reflect"),
    "shift+alternate": partial(crop_and_flip, padding=2, border="reflect", flip=False),
    "shift4+alternate": partial(crop_and_flip, padding=4, border="reflect", flip=False),
}
SGD, MUON = {"optimiser": ("sgd",)}, {"optimiser": ("muon",)}
WHITENED, WITH_ATTENTION = {"network": ("whitened",)}, {"attention": tuple(ATTENTIONS)}


@documented
@dataclass(frozen=True)
class Recipe:
    """How to train.

    A batch that is not full is left out; as the order is drawn anew, it holds other images in every epoch. SGD has
    Nesterov momentum, and its weight decay acts on weights only, not on biases and normalisations. With Muon, whose
    recipe gives its rates for a loss that is summed over the batch, weight decay is what a step at the peak takes off
    of everything but the kernels.
    A ValueError says which value is out of range.
    """

    epochs: int = option(MISSING, "passes over the training images", Range(int, 1, 10_000), metavar="N")
    batch_size: int = option(128, "images per step", Range(int, 2, 10_000), metavar="N")
    lr: float = option(0.1, "learning rate at its peak", Range(float, 0, ends="()"), metavar="RATE")
    optimiser: str = option(
        "sgd",
        "what moves the weights: SGD with momentum, or Muon for the convolutions' kernels and SGD for the rest",
        ("sgd", "muon"),
    )
    schedule: str = option("one-cycle", "how the learning rate runs from the first step to the last", SCHEDULES)
    momentum: float = option(0.9, "momentum of SGD", Range(float, 0, 1, "[)"), metavar="MU")
    weight_decay: float = option(5e-4, "pull of the weights towards 0", Range(float, 0), metavar="LAMBDA")
    label_smoothing: float = option(
        0.1, "share of the target spread evenly over all classes", Range(float, 0, 1, "[)"), metavar="EPS"
    )
    augment: str = option(
        "crop+flip",
        "what is done at random to a training image: nothing; mirrored left to right; also shifted by up to 4 pixels, "
        "padded with black; or by up to 2, with a mirrored border; or shifted like that, by up to 2 or 4, and mirrored "
        "in every second epoch, half of the images in the odd ones",
        AUGMENTATIONS,
    )
    cutout: int = option(
        0,
        "side of a square that is covered with grey in each training image; 0 for none",
        Range(int, 0, 64),
        metavar="PIXELS",
    )

    head_factor: float = option(
        1.0, "learning rate of the last layer, as a multiple of --lr", Range(float, 0), metavar="FACTOR", only=SGD
    )
    attention_factor: float = option(
        1.0,
        "learning rate of the attention's weights, as a multiple of --lr",
        Range(float, 0),
        metavar="FACTOR",
        only=SGD | WITH_ATTENTION,
    )
    vector_factor: float = option(
        1.0,
        "learning rate of biases and of normalisations' scales and shifts, as a multiple of --lr",
        Range(float, 0),
        metavar="FACTOR",
        only=SGD,
    )
    muon_momentum: float = option(0.6, "momentum of Muon", Range(float, 0, 1, "[)"), metavar="MU", only=MUON)
    vector_lr: float = option(
        0.053, "learning rate of biases and shifts beside Muon", Range(float, 0), metavar="RATE", only=MUON
    )
    head_lr: float = option(
        0.67, "learning rate of the last layer beside Muon", Range(float, 0), metavar="RATE", only=MUON
    )
    attention_lr: float = option(
        0.001,
        "learning rate of the attention's weights beside Muon",
        Range(float, 0),
        metavar="RATE",
        only=MUON | WITH_ATTENTION,
    )
    input_epochs: int = option(
        3,
        "epochs over which the learning rate of the whitening filters' biases falls to 0, beside Muon",
        Range(int, 1, 10_000),
        metavar="N",
        only=MUON | WHITENED,
    )

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def alternates(self) -> bool:
        """Whether an image is mirrored in every second epoch."""
        return self.augment.endswith("+alternate")

    def augmented(self, images: np.ndarray, rng: np.random.Generator, mirrored: np.ndarray | None = None) -> np.ndarray:
        """Return a batch of training images with what the recipe does to them; `mirrored` tells which are mirrored."""
        images = AUGMENTATIONS[self.augment](images, rng=rng)
        if mirrored is not None:
            images[mirrored] = images[mirrored, :, :, ::-1]
        return cutout(images, self.cutout, rng=rng) if self.cutout else images

    def steps(self, count: int) -> int:
        """Return the steps of an epoch over `count` images; raise a ValueError where they do not fill a batch."""
        if count < self.batch_size:
            raise ValueError(f"{count} training images do not fill a batch of {self.batch_size}: make batches smaller")
        return count // self.batch_size
