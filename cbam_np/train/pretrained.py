"""Trained networks that come with the package, by name."""

from dataclasses import asdict
from pathlib import Path

from .checkpoint import save_checkpoint
from .run import load_model, read_settings

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


def pretrained_names():
    """Return the names of the networks that come with the package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.npz"))


def load_pretrained(name):
    """Load a trained network that comes with the package.

    Parameters
    ----------
    name : str
        One of `pretrained_names()`, for instance "smallcnn-cbam-cifar10".

    Returns
    -------
    Classifier
        The network, ready for `predict`; how it was trained is in results/ of the project.

    Raises
    ------
    ValueError
        If there is no network of that name; the message lists those that there are.
    """
    path = WEIGHTS / f"{name}.npz"
    if name not in pretrained_names():
        raise ValueError(f"there is no trained network {name!r}, expected one of {', '.join(pretrained_names())}")
    return load_model(path)


def publish(out, path):
    """Write the network of a finished run, without what only training needs, to a file that `load_model` reads.

    Parameters
    ----------
    out : Path or str
        Folder of the run.
    path : Path or str
        File, ending in .npz.
    """
    settings = asdict(read_settings(out))
    del settings["data_root"]  # a place on this machine
    arrays = {f"model/{name}": array for name, array in load_model(out).state_dict().items()}
    save_checkpoint(path, arrays, {"settings": settings})
