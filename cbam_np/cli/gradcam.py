"""`cbam-np gradcam`."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import UserError

USUAL = ("smallcnn-plain-cifar10", "smallcnn-cbam-cifar10")
SIDE, SHORTER = 224, 256  # what ImageNet's networks are tested on: the shorter edge brought to 256, then the middle


class Shown(NamedTuple):
    """The networks by name, what they look at, and which class of each image is explained."""

    models: dict
    images: np.ndarray
    labels: np.ndarray
    classes: list
    kinds: list | None = None


def declare(parser):
    """Declare which networks look, and at what."""
    of = parser.add_mutually_exclusive_group()
    of.add_argument(
        "--networks",
        nargs="+",
        default=USUAL,
        metavar="NAME",
        help="trained networks that come with the package, or folders of runs; default: " + " ".join(USUAL),
    )
    of.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="weights of ResNets for ImageNet instead, .npz or .safetensors, with PyTorch's names; needs --image",
    )
    parser.add_argument("--data", choices=("cifar10", "shapes"), help="data set of the test images; default: cifar10")
    parser.add_argument("--data-root", metavar="DIR", help="where CIFAR-10 lies, as in train")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--numbers", type=int, nargs="+", metavar="N", help="which test images, counted from 0")
    chosen.add_argument("--image", type=Path, metavar="FILE", help="a picture of your own instead; needs --class")
    parser.add_argument(
        "--class",
        dest="target",
        metavar="NAME",
        help="class to explain, with --weights its number, counted from 0; default: the right one",
    )
    parser.add_argument("--layer", metavar="NAME", help="layer whose maps are weighted; default: the last maps")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG", help="the picture")
    parser.epilog = (
        "Without --numbers and --image the images are chosen by rule: the first three that all networks get right, the "
        "three for whose class the last network gains most over the first, and the three where it loses most."
    )


def run(command, networks, weights, data, data_root, numbers, image, target, layer, out):
    """Draw what each network says, and where it found it."""
    from .. import viz
    from ..explain import grad_cam
    from ..train.checkpoint import CheckpointError

    try:
        if weights:
            models, images, labels, classes, kinds = _of_imagenet(weights, image, target)
        else:
            models, images, labels, classes, kinds = _of_data(networks, data, data_root, numbers, image, target)
        looked = {
            name: (model.predict(images), grad_cam(model, images, labels, layer)) for name, model in models.items()
        }
        viz.results_slide(images, labels, classes, looked, kinds).savefig(out, dpi=150)
    except (ValueError, OSError, ImportError, CheckpointError) as error:
        raise UserError(error) from error
    print(f"{out} shows {len(images)} image{'s' * (len(images) > 1)}.")
    if weights:
        for name, (p, _) in looked.items():
            best = ", ".join(f"{c} ({p[0, c]:.2f})" for c in np.argsort(-p[0])[:5])
            print(f"{name}: P = {p[0, labels[0]]:.2f} for {classes[labels[0]]}; most probable: {best}")


def _of_imagenet(weights, image, target):
    """Return what is shown where files of weights are given."""
    from .. import viz
    from ..nn import ImageNetResNet

    if image is None or target is None:
        raise UserError("--weights needs a picture and a class: add --image FILE and --class NUMBER")
    if len({path.stem for path in weights}) < len(weights):
        raise UserError("two files of --weights have the same name, by which the networks are told apart: rename one")
    models = {path.stem: ImageNetResNet.from_file(path) for path in weights}
    count = min(len(model.fc.params["b"]) for model in models.values())
    if not target.isdecimal() or int(target) >= count:
        raise UserError(f"--class is {target!r}, expected a number from 0 to {count - 1}")
    images = viz.read_picture(image, SIDE, SHORTER)[None]
    return Shown(models, images, np.array([int(target)]), [f"class {number}" for number in range(count)])


def _of_data(networks, data, data_root, numbers, image, target):
    """Return what is shown where the networks know the classes of a data set."""
    from .. import viz
    from ..data import CLASSES

    classes, kinds = CLASSES[data or "cifar10"], None
    if target is not None and target not in classes:
        raise UserError(f"--class is {target!r}, expected one of {', '.join(classes)}")
    if image is not None and target is None:
        raise UserError(f"{image} has no label: say with --class what to look for, {', '.join(classes)}")
    models = {Path(name).name: _network(name) for name in networks}
    if image is not None:
        images = viz.read_picture(image, 32)[None]  # what these networks have learned from
    else:
        test = _test_images(data or "cifar10", data_root)
        if numbers is None:
            numbers, kinds = _chosen(models, test)
        if not 0 <= min(numbers) <= max(numbers) < len(test):
            raise UserError(f"--numbers are {numbers}, expected 0 to {len(test) - 1}: so many test images there are")
        images, labels = test.images[numbers], test.labels[numbers]
    if target is not None:
        labels = np.full(len(images), classes.index(target))
    return Shown(models, images, labels, classes, kinds)


def _chosen(models, test):
    """Return the numbers of the images that the rule chooses, and why each."""
    from ..explain import choose

    first, *_, last = (model.predict(test.images) for model in models.values())
    groups = choose(first, last, test.labels, 3)
    return np.concatenate(list(groups.values())), [kind for kind, found in groups.items() for _ in found]


def _network(name):
    """Return the network of a name, or of a folder."""
    from ..train import load_model, load_pretrained, pretrained_names

    if name in pretrained_names() or not Path(name).exists():
        return load_pretrained(name)
    return load_model(name)


def _test_images(data, root):
    from ..train.run import load_data
    from ..train.settings import Settings

    return load_data(Settings(data=data, data_root=root))[2]
