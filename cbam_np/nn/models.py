"""Networks: images in, probabilities out."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..ops import softmax
from ..ops.checks import check_option, unmasked
from .containers import Residual, Sequential
from .layer import Layer
from .layers import CBAM, CONV_STARTS, SE, BatchNorm2d, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Normalise, ReLU
from .pieces import InPieces

ATTENTIONS: dict[str, Callable[..., Layer]] = {
    "se": SE,
    "cbam": CBAM,
    "channel": partial(CBAM, order="channel"),
    "spatial": partial(CBAM, order="spatial"),
}


def as_images(images: ArrayLike) -> np.ndarray:
    """Return `images` as an array; a ValueError says so unless they are uint8, (N, 3, H, W), and at least one."""
    images = unmasked(images, "images")
    if images.dtype != np.uint8:
        raise ValueError(
            f"images are {images.dtype}, expected uint8 with values 0 to 255: the network normalises them by itself"
        )
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images have shape {images.shape}, expected (N, 3, H, W): one image is images[None]")
    if images.size == 0:
        raise ValueError(f"images are empty, shape {images.shape}: pass at least one")
    return images


class Classifier(Sequential):
    """A network whose first layer normalises images and whose last gives one score per class."""

    def fit_inputs(self, images: np.ndarray) -> None:
        """Take from training images, uint8 (N, 3, H, W), what the first layer needs to know of them."""
        self.parts["normalise"].fit(images)

    def predict(self, images: ArrayLike, batch_size: int = 128) -> np.ndarray:
        """Return the probability of each class for each image.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 3, H, W)
            Colour images with values 0 to 255; the network normalises them by itself.
        batch_size : int
            How many are computed at once.

        Returns
        -------
        ndarray, shape (N, classes)
            Probabilities p, each row adding to 1.

        Raises
        ------
        ValueError
            If the images are not uint8 of shape (N, 3, H, W).
        """
        images = as_images(images)
        batches = range(0, len(images), batch_size)
        pieces = InPieces(self)
        return np.concatenate([softmax(pieces.forward(images[at : at + batch_size])) for at in batches])


class SmallCNN(Classifier):
    """A few stages of convolution, batch normalisation, ReLU and attention, with pooling between them.

    An image of 32×32 pixels becomes 32 maps of 32×32, 64 of 16×16, 128 of 8×8, then 128 averages and one
    score per class.

    Parameters
    ----------
    attention : {None, "se", "cbam", "channel", "spatial"}
        What follows each stage's last ReLU.
    rng : numpy.random.Generator
        Draws the weights, the attention's last, so that networks with and without it start from the same rest.
    classes : int
        Number of classes.
    channels : tuple of int
        Channels of the stages.
    convs : int or tuple of int
        Convolutions per stage, each with its batch normalisation and ReLU.
    conv_start : {"he", "dirac"}
        How the convolutions but the first start: drawn at random, or so that they pass on what they are given, as
        far as there are channels for it. A deep network learns faster from there.
    reduction : int
        r of the attention.
    dtype : dtype
        float32 to train, float64 to check.
    **options
        For the attention: `kernel_size`, `start` and any field of `cbam_np.Dialect`.

    Raises
    ------
    ValueError
        If `attention` or `conv_start` is unknown, or `convs` are not as many as `channels`.

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> model = cbam_np.SmallCNN(attention="cbam", rng=np.random.default_rng(0))
    >>> model.predict(np.zeros((2, 3, 32, 32), np.uint8)).shape
    (2, 10)
    """

    def __init__(
        self,
        attention: str | None = None,
        *,
        rng: np.random.Generator,
        classes: int = 10,
        channels: Sequence[int] = (32, 64, 128),
        convs: int | Sequence[int] = 1,
        conv_start: str = "he",
        reduction: int = 16,
        dtype: DTypeLike = np.float32,
        **options: Any,
    ) -> None:
        check_option(attention, "attention", (None, *ATTENTIONS))
        check_option(conv_start, "conv_start", CONV_STARTS)
        convs = (convs,) * len(channels) if isinstance(convs, int) else convs
        if len(convs) != len(channels) or min(convs) < 1:
            raise ValueError(f"convs are {convs}, expected a number, 1 or more, for each of the stages {channels}")
        stages: dict[str, dict[str, Layer]] = {}
        inputs = 3
        for number, (width, depth) in enumerate(zip(channels, convs, strict=True), start=1):
            stage = stages[f"stage{number}"] = {}
            for which in ("", *range(2, depth + 1)):
                start = "he" if number == 1 and not stage else conv_start
                stage[f"conv{which}"] = Conv2d(inputs, width, rng=rng, dtype=dtype, start=start)
                stage |= {f"bn{which}": BatchNorm2d(width, dtype=dtype), f"relu{which}": ReLU()}
                inputs = width
        head = Linear(inputs, classes, rng=rng, dtype=dtype)
        parts: dict[str, Layer] = {"normalise": Normalise(dtype=dtype)}
        for number, (width, (name, stage)) in enumerate(zip(channels, stages.items(), strict=True)):
            if number:
                parts[f"pool{number}"] = MaxPool2d(2)
            stage |= make_attention(attention, width, reduction, rng=rng, dtype=dtype, **options)
            parts[name] = Sequential(**stage)
        super().__init__(**parts, average=GlobalAvgPool(), head=head)


def make_attention(name: str | None, width: int, reduction: int, **options: Any) -> dict[str, Layer]:
    """Return the attention as what is added to a stage or a branch: nothing where `name` is None."""
    return {} if name is None else {"attention": ATTENTIONS[name](width, reduction, **options)}


def make_branch(
    convs: Sequence[tuple[int, int, int, int]], *, rng: np.random.Generator, dtype: DTypeLike
) -> dict[str, Layer]:
    """Return the parts of a branch: convolutions (inputs, outputs, side, stride), normalised, with ReLU between."""
    parts: dict[str, Layer] = {}
    for number, (inputs, outputs, side, stride) in enumerate(convs, start=1):
        if parts:
            parts[f"relu{number - 1}"] = ReLU()
        parts[f"conv{number}"] = Conv2d(inputs, outputs, side, stride, rng=rng, dtype=dtype)
        parts[f"bn{number}"] = BatchNorm2d(outputs, dtype=dtype)
    return parts


def make_shortcut(
    inputs: int, outputs: int, stride: int, *, rng: np.random.Generator, dtype: DTypeLike
) -> Layer | None:
    """Return what brings x to the branch's shape, or None where it has that shape."""
    if inputs == outputs and stride == 1:
        return None
    conv = Conv2d(inputs, outputs, 1, stride, rng=rng, dtype=dtype)
    return Sequential(conv=conv, bn=BatchNorm2d(outputs, dtype=dtype))


def make_block(branch: dict[str, Layer], shortcut: Layer | None) -> Layer:
    """Return ReLU(branch(x) + shortcut(x))."""
    return Sequential(residual=Residual(Sequential(**branch), shortcut), relu=ReLU())


class ResNet(Classifier):
    """Residual network for images of 32×32 pixels (He et al., CVPR 2016, section 4.2).

    A 3×3 convolution, then three stages of (depth - 2) / 6 blocks, of `width`, 2 `width` and 4 `width` channels, the
    second and third begun with stride 2. A block is branch(x) + shortcut(x) with two 3×3 convolutions on the branch;
    the attention comes after the branch's last batch normalisation, before the addition (Woo et al., Figure 3).

    Parameters
    ----------
    depth : int
        8, 14, 20, …: layers with weights.
    attention : {None, "se", "cbam", "channel", "spatial"}
        What ends each branch.
    rng : numpy.random.Generator
        Draws the weights, the attention's last, so that networks with and without it start from the same rest.
    width : int
        Channels of the first stage.
    classes, reduction, dtype, **options
        As in `SmallCNN`.

    Raises
    ------
    ValueError
        If no such network has that depth, or `attention` is unknown.

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> model = cbam_np.ResNet(depth=8, attention="cbam", rng=np.random.default_rng(0))
    >>> model.predict(np.zeros((2, 3, 32, 32), np.uint8)).shape
    (2, 10)
    """

    def __init__(
        self,
        depth: int = 20,
        attention: str | None = None,
        *,
        rng: np.random.Generator,
        width: int = 16,
        classes: int = 10,
        reduction: int = 16,
        dtype: DTypeLike = np.float32,
        **options: Any,
    ) -> None:
        check_option(attention, "attention", (None, *ATTENTIONS))
        blocks, rest = divmod(depth - 2, 6)
        if blocks < 1 or rest:
            raise ValueError(f"depth is {depth}, expected 6n + 2: 8, 14, 20, 26, 32, 44, 56, …")
        of: dict[str, Any] = {"rng": rng, "dtype": dtype}
        parts: dict[str, Layer] = {
            "normalise": Normalise(dtype=dtype),
            "stem": Sequential(conv=Conv2d(3, width, **of), bn=BatchNorm2d(width, dtype=dtype), relu=ReLU()),
        }
        branches, inputs = [], width
        for stage in range(3):
            outputs = width * 2**stage
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                branch = make_branch([(inputs, outputs, 3, stride), (outputs, outputs, 3, 1)], **of)
                shortcut = make_shortcut(inputs, outputs, stride, **of)
                branches.append((f"stage{stage + 1}_{block + 1}", outputs, branch, shortcut))
                inputs = outputs
        head = Linear(inputs, classes, **of)
        for name, outputs, branch, shortcut in branches:
            branch |= make_attention(attention, outputs, reduction, **of, **options)
            parts[name] = make_block(branch, shortcut)
        super().__init__(**parts, average=GlobalAvgPool(), head=head)
