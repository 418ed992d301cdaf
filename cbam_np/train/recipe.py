"""How to train: a recipe, and what may be done to the training images."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..nn import SCHEDULES
from ..ops.checks import check_option
from .augment import crop_and_flip, cutout

AUGMENTATIONS = {
    "none": lambda images, rng: images,
    "flip": partial(crop_and_flip, padding=0),
    "crop+flip": crop_and_flip,
    "shift+flip": partial(crop_and_flip, padding=2, border="reflect"),
}


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Parameters
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
    augment : {"none", "flip", "crop+flip", "shift+flip"}
        What is done to the training images: nothing; mirrored; also shifted by up to 4 pixels, with black where nothing
        is known; or by up to 2, with a mirrored border.
    cutout : int
        Side of the square that is covered in each training image, see `cutout`; 0 for none.

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
    cutout: int = 0

    def __post_init__(self):
        for name, least in (("epochs", 1), ("batch_size", 2), ("cutout", 0)):
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

    def augmented(self, images, rng):
        """Return a batch of training images with what the recipe does to them."""
        images = AUGMENTATIONS[self.augment](images, rng=rng)
        return cutout(images, self.cutout, rng=rng) if self.cutout else images

    def steps(self, count):
        """Return the steps of an epoch over `count` images; raise a ValueError where they do not fill a batch."""
        if count < self.batch_size:
            raise ValueError(f"{count} training images do not fill a batch of {self.batch_size}: make batches smaller")
        return count // self.batch_size


def check_count(value, name, least):
    """Raise a ValueError unless `value` is a whole number, at least `least`."""
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value}, expected a whole number, {least} or more")
