"""Images with their labels: what every data set here hands to the training loop.

The pixels stay bytes, as they lie on disk. Turning them into normalised floats is the model's
business, so that a picture shown to a person and a picture shown to a network are the same array.
"""

from dataclasses import dataclass

import numpy as np

from ..ops.checks import check_shape, unmasked


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LabelledImages:
    """Images, the class of each, the names of the classes, and where the object is, if known.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, 3, H, W)
        Red, green and blue, 0 to 255.
    labels : ndarray of int64, shape (N,)
        Index into `classes`; int32, which is what a browser's Python counts in, is converted.
    classes : tuple of str
        The names of the classes.
    masks : ndarray of bool, shape (N, H, W), or None
        True on the pixels of the object that gives an image its label.

    Raises
    ------
    TypeError
        If an array has another dtype.
    ValueError
        If shapes do not fit together, or a label has no class.

    Examples
    --------
    >>> import numpy as np
    >>> red = np.zeros((2, 3, 4, 4), np.uint8)
    >>> red[:, 0] = 255
    >>> LabelledImages(red, np.array([0, 0]), ("red", "blue"))
    <LabelledImages: 2 of 4×4, 2 classes, no masks>
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    masks: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together, and say which and why."""
        _check_dtype(self.images, "images", np.uint8, "pixels are whole numbers from 0 to 255")
        if isinstance(self.labels, np.ndarray) and self.labels.dtype == np.int32:
            object.__setattr__(self, "labels", self.labels.astype(np.int64))
        _check_dtype(self.labels, "labels", np.int64, "convert it with np.asarray(labels, np.int64)")
        if self.images.ndim != 4 or self.images.shape[1] != 3:
            raise ValueError(
                f"images have shape {self.images.shape}, expected (N, 3, H, W): for pictures stored "
                "as (N, H, W, 3) pass images.transpose(0, 3, 1, 2), for a single one images[None]"
            )
        check_shape(self.labels, "labels", (len(self),), "one for each image")
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if wrong.size:
            raise ValueError(
                f"labels[{wrong[0]}] is {self.labels[wrong[0]]}, expected 0 to "
                f"{len(self.classes) - 1}: there are {len(self.classes)} classes, counted from 0"
            )
        if self.masks is not None:
            _check_dtype(self.masks, "masks", np.bool_, "True on the object, False elsewhere")
            size = self.images.shape[2:]
            check_shape(self.masks, "masks", (len(self), *size), "one for each image, of its height and width")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __repr__(self) -> str:
        """Say how many there are and of what, without printing the arrays."""
        height, width = self.images.shape[2:]
        masks = "no masks" if self.masks is None else "with masks"
        return f"<LabelledImages: {len(self)} of {height}×{width}, {len(self.classes)} classes, {masks}>"

    def subset(self, index: slice | list[int] | np.ndarray) -> "LabelledImages":
        """Choose some of the images, with their labels and masks.

        Parameters
        ----------
        index : slice or array_like, shape (K,) of int or (N,) of bool
            Which images; a slice gives views, an array gives copies.

        Returns
        -------
        LabelledImages
            The chosen images, in the order of `index`.

        Raises
        ------
        TypeError
            If `index` is a single number.
        """
        if isinstance(index, int | np.integer):
            raise TypeError(
                f"index is the number {index}, expected a slice or an array: for a single image write subset([{index}])"
            )
        masks = None if self.masks is None else self.masks[index]
        return LabelledImages(self.images[index], self.labels[index], self.classes, masks)

    def split(self, count: int) -> "tuple[LabelledImages, LabelledImages]":
        """Hold the last images back, to validate or to test on.

        Parameters
        ----------
        count : int
            How many to hold back, 0 to N.

        Returns
        -------
        rest, held : LabelledImages
            The first N - count images and the last count, as views.

        Raises
        ------
        ValueError
            If there are not as many.
        """
        if not 0 <= count <= len(self):
            raise ValueError(f"count is {count}, expected 0 to {len(self)}: there are no more images")
        first = len(self) - count
        return self.subset(slice(first)), self.subset(slice(first, None))


def _check_dtype(array: object, name: str, dtype: type, hint: str) -> None:
    """Raise a TypeError unless `array` is an array of `dtype`."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        came = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
        raise TypeError(f"{name} is {came}, expected an array of {np.dtype(dtype)}: {hint}")
    unmasked(array, name)
