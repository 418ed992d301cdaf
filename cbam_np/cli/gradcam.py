"""`cbam-np gradcam`."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..data import CLASSES
from . import pictures
from .arguments import a_file, path, whole
from .errors import UserError

if TYPE_CHECKING:
    from ..data import LabelledImages
    from ..nn import Classifier
    from ..train.settings import Settings

USUAL = {data: (f"smallcnn-plain-{data}", f"smallcnn-cbam-{data}") for data in ("cifar10", "shapes")}
SIDE, SHORTER = 224, 256  # what ImageNet's networks are tested on: the shorter edge brought to 256, then the middle


class Shown(NamedTuple):
    """The networks by name, what they look at, and which class of each image is explained."""

    models: "Mapping[str, Classifier]"
    images: np.ndarray
    labels: np.ndarray
    classes: list[str]
    kinds: list[str] | None = None


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare which networks look, and at what."""
    of = parser.add_mutually_exclusive_group()
    of.add_argument(
        "--networks",
        nargs="+",
        metavar="NAME",
        help="trained networks that come with the package, or folders of runs; default: " + " ".join(USUAL["cifar10"]),
    )
    of.add_argument(
        "--weights",
        type=a_file(),
        nargs="+",
        metavar="FILE",
        help="weights of ResNets for ImageNet instead, .npz or .safetensors, with PyTorch's names; needs --image",
    )
    parser.add_argument(
        "--data", choices=list(CLASSES), help="data set of the test images; default: the one that the networks know"
    )
    parser.add_argument("--data-root", type=path, metavar="DIR", help="where CIFAR-10 is, as in train")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--numbers", type=whole(0, 10**9), nargs="+", metavar="N", help="which test images, counted from 0"
    )
    chosen.add_argument("--image", type=a_file(), metavar="FILE", help="a picture of your own instead; needs --class")
    parser.add_argument(
        "--class",
        dest="target",
        metavar="NAME",
        help="class to explain, with --weights its number, counted from 0; default: the right one",
    )
    parser.add_argument("--layer", metavar="NAME", help="layer whose maps are weighted; default: the last maps")
    parser.add_argument("--out", type=a_file(": {}/picture.png"), required=True, metavar="PNG", help="the picture")
    parser.epilog = (
        "Without --numbers and --image the images are chosen by rule: the first three that all networks get right, the "
        "three for whose class the last network gains most over the first, and the three where it loses most."
    )


def run(
    command: str,
    networks: list[str] | None,
    weights: list[Path] | None,
    data: str | None,
    data_root: Path | None,
    numbers: list[int] | None,
    image: Path | None,
    target: str | None,
    layer: str | None,
    out: Path,
) -> None:
    """Draw what each network says, and where it found it."""
    from .. import viz
    from ..explain import grad_cam

    pictures.check_place(out)
    try:
        if weights:
            shown = _of_imagenet(weights, image, target)
        else:
            shown = _of_data(networks, data, data_root, numbers, image, target)
        looked = {
            name: (model.predict(shown.images), grad_cam(model, shown.images, shown.labels, layer))
            for name, model in shown.models.items()
        }
    except (ValueError, ImportError) as error:
        raise UserError(error) from error
    pictures.save(viz.results_slide(shown.images, shown.labels, shown.classes, looked, shown.kinds), out)
    print(f"{out} shows {len(shown.images)} image{'s' * (len(shown.images) > 1)}.")
    if weights:
        for name, (p, _) in looked.items():
            best = ", ".join(f"{c} ({p[0, c]:.2f})" for c in np.argsort(-p[0])[:5])
            right = shown.labels[0]
            print(f"{name}: P = {p[0, right]:.2f} for {shown.classes[right]}; most probable: {best}")


def _of_imagenet(weights: list[Path], image: Path | None, target: str | None) -> Shown:
    """Return what is shown where files of weights are given."""
    from .. import viz
    from ..nn import ImageNetResNet

    if image is None or target is None:
        raise UserError("--weights needs a picture and a class: add --image FILE and --class NUMBER")
    models = {name: ImageNetResNet.from_file(file) for name, file in _named(weights).items()}
    count = min(len(model.fc.params["b"]) for model in models.values())
    if not target.isdecimal() or int(target) >= count:
        raise UserError(f"--class is {target!r}, expected a number from 0 to {count - 1}")
    images = viz.read_picture(image, SIDE, SHORTER)[None]
    return Shown(models, images, np.array([int(target)]), [f"class {number}" for number in range(count)])


def _of_data(
    networks: list[str] | None,
    data: str | None,
    data_root: Path | None,
    numbers: list[int] | None,
    image: Path | None,
    target: str | None,
) -> Shown:
    """Return what is shown where the networks know the classes of a data set."""
    from .. import viz

    named = _named(networks or USUAL[data or "cifar10"])
    settings = {name: _settings(network) for name, network in named.items()}
    data = _data_set(settings, data)
    classes, kinds = list(CLASSES[data]), None
    if target is not None and target not in classes:
        raise UserError(f"--class is {target!r}, expected one of {', '.join(classes)}")
    if image is not None and target is None:
        raise UserError(f"{image} has no label: say with --class what to look for, {', '.join(classes)}")
    models = {name: _network(network) for name, network in named.items()}
    if image is not None:
        images = viz.read_picture(image, 32)[None]  # what these networks have learned from
    else:
        test = _test_images(data, data_root)
        if numbers is None:
            numbers, kinds = _chosen(models, test)
        if max(numbers) >= len(test):
            raise UserError(
                f"--numbers are {' '.join(map(str, numbers))}, expected 0 to {len(test) - 1}: there are {len(test)} "
                "test images"
            )
        images, labels = test.images[numbers], test.labels[numbers]
    if target is not None:
        labels = np.full(len(images), classes.index(target))
    return Shown(models, images, labels, classes, kinds)


def _named(places: "list[str] | tuple[str, ...] | list[Path]") -> dict[str, str]:
    """Return places by short names: the last part of each path, and more of it where two end alike."""
    given = [str(place) for place in places]
    if len(set(given)) < len(given):
        raise UserError("a network is given twice: leave one out")
    for length in range(1, 1 + max(len(Path(place).parts) for place in given)):
        short = [str(Path(*parts[:-1], Path(parts[-1]).stem)) for parts in (Path(p).parts[-length:] for p in given)]
        if len(set(short)) == len(short):
            return dict(zip(short, given, strict=True))
    return dict(zip(given, given, strict=True))


def _data_set(settings: "dict[str, Settings]", asked: str | None) -> str:
    """Return the data set that the networks know; raise a UserError where they, or what was asked for, differ."""
    known = {name: one.data for name, one in settings.items()}
    wanted = asked or next(iter(known.values()))
    for name, data in known.items():
        if data != wanted:
            raise UserError(
                f"{name} was trained on {data}, and does not know the classes of {wanted}: choose other networks"
                + (f", or --data {data}" if asked and len(set(known.values())) == 1 else "")
            )
    return wanted


def _chosen(models: "dict[str, Classifier]", test: "LabelledImages") -> tuple[list[int], list[str]]:
    """Return the numbers of the images that the rule chooses, and why each."""
    from ..explain import choose

    p = [model.predict(test.images) for model in models.values()]
    groups = choose(p[0], p[-1], test.labels, 3)
    numbers = [int(number) for found in groups.values() for number in found]
    if not numbers:
        raise UserError("the networks get no test image right: choose images with --numbers")
    return numbers, [kind for kind, found in groups.items() for _ in found]


def _place(name: str) -> Path:
    """Return where a network is: one that comes with the package, a folder of a run, or a file."""
    from ..train.pretrained import WEIGHTS, pretrained_names

    if name in pretrained_names():
        return WEIGHTS / f"{name}.npz"
    place = path(name)
    if not os.path.exists(place):
        raise UserError(
            f"there is no trained network {name!r}, expected one of {', '.join(pretrained_names())}, "
            "or the folder of a run"
        )
    return place


def _settings(name: str) -> "Settings":
    """Return how the network of a name, or of a folder, was trained."""
    from ..train.run import read_settings

    return read_settings(_place(name))


def _network(name: str) -> "Classifier":
    """Return the network of a name, or of a folder."""
    from ..train import load_model

    return load_model(_place(name))


def _test_images(data: str, root: Path | None) -> "LabelledImages":
    from ..train.run import load_data
    from ..train.settings import Settings

    return load_data(Settings(data=data, data_root=None if root is None else str(root)))[2]
