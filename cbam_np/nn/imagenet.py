"""The paper's ResNets for ImageNet, with the parameters' names that they have in PyTorch."""

from os import PathLike
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import DTypeLike

from ..ops.checks import check_option
from .containers import Sequential
from .layer import Layer
from .layers import CBAM, BatchNorm2d, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Normalise, ReLU
from .models import Classifier, make_block, make_branch, make_shortcut
from .weight_files import WeightsError, in_groups, read_weights, without_prefix

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
BOTTLENECK = 50  # from this depth on
PARTS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's training images with values from 0 to 1, as everybody uses them."""

TORCH = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
TORCH_CBAM = {
    "W0": "ChannelGate.mlp.1.weight",
    "b0": "ChannelGate.mlp.1.bias",
    "W1": "ChannelGate.mlp.3.weight",
    "b1": "ChannelGate.mlp.3.bias",
    "W7": "SpatialGate.spatial.conv.weight",
    **{name: f"SpatialGate.spatial.bn.{TORCH[name]}" for name in ("gamma", "beta", "mean", "var")},
}
"""Our names of parameters and theirs, those of torchvision and of the authors' code."""


class Architecture(TypedDict):
    """What tells one such network from another."""

    depth: int
    attention: str | None
    classes: int


class ImageNetResNet(Classifier):
    """Residual network for ImageNet, with CBAM or without (He et al., CVPR 2016; Woo et al., section 4.1).

    A 7×7 convolution and a 3×3 max pool, each with stride 2, then four stages of blocks, the last three begun with
    stride 2; a picture of 224×224 ends as maps of 7×7. From depth 50 on a block is a bottleneck, of a 1×1, a 3×3,
    which has the stride, and a 1×1 convolution. CBAM comes after the branch's last batch normalisation, before the
    addition, in the dialect of the authors' code.

    Parameters
    ----------
    depth : {18, 34, 50, 101}
        Layers with weights.
    attention : {None, "cbam"}
        What ends each branch.
    rng : numpy.random.Generator
        Draws the weights.
    classes : int
        Number of classes.
    reduction : int
        r of CBAM.
    dtype : dtype
        float32 to use, float64 to check.
    **options
        For CBAM: `kernel_size`, `start`, `dialect` and any field of `cbam_np.Dialect`.

    Raises
    ------
    ValueError
        If no such network has that depth, or `attention` is unknown.

    Notes
    -----
    Source: Jongchan/attention-module, MODELS/model_resnet.py; without attention it is torchvision's arrangement.

    Examples
    --------
    >>> import numpy as np, cbam_np
    >>> model = cbam_np.ImageNetResNet(18, rng=np.random.default_rng(0), classes=5)
    >>> list(model.state_dict())[0]
    'conv1.weight'
    """

    def __init__(
        self,
        depth: int = 50,
        attention: str | None = None,
        *,
        rng: np.random.Generator,
        classes: int = 1000,
        reduction: int = 16,
        dtype: DTypeLike = np.float32,
        **options: Any,
    ) -> None:
        check_option(depth, "depth", BLOCKS)
        check_option(attention, "attention", (None, "cbam"))
        of: dict[str, Any] = {"rng": rng, "dtype": dtype}
        options = {"dialect": "official", "start": "official"} | options
        bottleneck = depth >= BOTTLENECK
        parts: dict[str, Layer] = {
            "normalise": Normalise(dtype=dtype),
            "conv1": Conv2d(3, 64, 7, 2, **of),
            "bn1": BatchNorm2d(64, dtype=dtype),
            "relu": ReLU(),
            "maxpool": MaxPool2d(3, 2, padding=1),
        }
        parts["normalise"].state["mean"][:] = 255 * np.array(MEAN)
        parts["normalise"].state["std"][:] = 255 * np.array(STD)
        inputs = 64
        for stage, count in enumerate(BLOCKS[depth]):
            width, blocks = 64 * 2**stage, {}
            outputs = 4 * width if bottleneck else width
            for block in range(count):
                stride = 2 if stage and not block else 1
                if bottleneck:
                    convs = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
                else:
                    convs = [(inputs, width, 3, stride), (width, outputs, 3, 1)]
                branch = make_branch(convs, **of)
                if attention:
                    branch["cbam"] = CBAM(outputs, reduction, **of, **options)
                blocks[str(block)] = make_block(branch, make_shortcut(inputs, outputs, stride, **of))
                inputs = outputs
            parts[f"layer{stage + 1}"] = Sequential(**blocks)
        super().__init__(**parts, avgpool=GlobalAvgPool(), fc=Linear(inputs, classes, **of))

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return parameters and running averages by PyTorch's names, not copied."""
        named = {_torch_name(name): array for name, array in super().state_dict().items()}
        return {name: array for name, array in named.items() if not name.startswith("normalise.")}

    def load_state_dict(self, source: dict[str, np.ndarray] | str | PathLike[str]) -> None:
        """Copy arrays with PyTorch's names into the network.

        Counts of batches are left out, and what all names begin with, such as `module.`, which PyTorch's DataParallel
        adds, `_orig_mod.`, `model.` or `backbone.`.

        Parameters
        ----------
        source : Path, str or dict of str to ndarray
            A `.npz` or `.safetensors` file, or what `state_dict` returned.

        Raises
        ------
        WeightsError
            If the file is damaged, of another kind or pickled; if names are missing or unexpected, or a shape, a
            dtype or a number cannot be used, all of which are listed. Nothing has been changed then.
        FileNotFoundError
            If there is no such file.
        """
        self._load(_read(source), f"{source} does not fit: " if isinstance(source, str | PathLike) else "")

    def _load(self, arrays: dict[str, np.ndarray], begin: str) -> None:
        """Copy arrays; `begin` is how an error begins."""
        try:
            super().load_state_dict(arrays)
        except ValueError as error:
            raise WeightsError(f"{begin}{error}. {_advice(arrays, self)}") from error

    @classmethod
    def from_file(cls, path: str | PathLike[str], dtype: DTypeLike = np.float32) -> Self:
        """Make the network that a file's names tell of, with its weights.

        Parameters
        ----------
        path : Path or str
            As in `load_state_dict`.
        dtype : dtype
            As in the class.

        Returns
        -------
        ImageNetResNet
            Ready for `predict`.

        Raises
        ------
        WeightsError
            If the names are not those of such a network, and as in `load_state_dict`.
        FileNotFoundError
            If there is no such file.
        """
        arrays = _read(path)
        found = _architecture(arrays)
        if found is None:
            raise WeightsError(
                f"{path} holds {len(arrays)} arrays ({in_groups(arrays)}), not those of a ResNet of depth "
                f"{', '.join(map(str, BLOCKS))} with the names of torchvision or of CBAM's authors: give such a file"
            )
        model = cls(**found, rng=np.random.default_rng(0), dtype=dtype)
        model._load(arrays, f"{path} does not fit: ")
        return model


def _torch_name(name: str) -> str:
    """Return PyTorch's name of one of our parameters."""
    *path, last = name.replace("residual.branch.", "").replace("residual.shortcut", "downsample").split(".")
    if "downsample" in path:
        path[-1] = {"conv": "0", "bn": "1"}[path[-1]]
    return ".".join([*path, (TORCH_CBAM if path[-1] == "cbam" else TORCH).get(last, last)])


def _read(source: dict[str, np.ndarray] | str | PathLike[str]) -> dict[str, np.ndarray]:
    """Return arrays by their bare names."""
    arrays = read_weights(source) if isinstance(source, str | PathLike) else source
    return without_prefix({n: a for n, a in arrays.items() if not n.endswith("num_batches_tracked")}, PARTS)


def _architecture(arrays: dict[str, np.ndarray]) -> Architecture | None:
    """Return the `depth`, `attention` and `classes` that the names tell of, or None if they tell of none."""
    paths = {tuple(name.split(".")[:2]) for name in arrays}  # ("layer1", "0"), …
    blocks = tuple(sum(path[0] == f"layer{stage}" for path in paths) for stage in (1, 2, 3, 4))
    bottleneck = "layer1.0.conv3.weight" in arrays
    fits = [depth for depth in BLOCKS if BLOCKS[depth] == blocks and (depth >= BOTTLENECK) == bottleneck]
    if not fits or np.ndim(arrays.get("fc.weight", 0)) != 2:
        return None
    attention = "cbam" if any(".cbam." in name for name in arrays) else None
    return {"depth": fits[0], "attention": attention, "classes": len(arrays["fc.weight"])}


def _advice(arrays: dict[str, np.ndarray], model: ImageNetResNet) -> str:
    """Say what the arrays are where their names tell, and what to do."""
    theirs, own = _architecture(arrays), _architecture(model.state_dict())
    if theirs is not None and theirs != own and _fits(arrays, theirs):
        said = ", ".join(f"{name}={value!r}" for name, value in theirs.items())
        return f"They are those of ImageNetResNet({said}): make that one"
    known = sum(name in model.state_dict() for name in arrays)
    if known < len(arrays) / 2:
        return f"{known} of {len(arrays)} names are those of this network, so it is another one's file"
    return "Save them as floats, from the network that they are meant for, whole and not diverged"


def _fits(arrays: dict[str, np.ndarray], architecture: Architecture) -> bool:
    """Tell whether all names and shapes are those of an architecture."""
    other = ImageNetResNet(**architecture, rng=np.random.default_rng(0)).state_dict()
    return {n: np.shape(a) for n, a in arrays.items()} == {n: np.shape(a) for n, a in other.items()}
