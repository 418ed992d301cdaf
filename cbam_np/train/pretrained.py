"""Trained networks that come with the package, by name."""

from pathlib import Path

from ..nn import Classifier
from .run import load_model

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


def pretrained_names() -> list[str]:
    """Return the names of the networks that come with the package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.npz"))


def load_pretrained(name: str) -> Classifier:
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

    Examples
    --------
    >>> import numpy as np
    >>> from cbam_np import load_pretrained, make_shapes
    >>> model = load_pretrained("smallcnn-cbam-shapes")
    >>> shapes = make_shapes(20, rng=np.random.default_rng(1))
    >>> p = model.predict(shapes.images)
    >>> p.shape
    (20, 10)
    >>> int((p.argmax(axis=1) == shapes.labels).sum())
    20
    """
    if name not in pretrained_names():
        raise ValueError(f"there is no trained network {name!r}, expected one of {', '.join(pretrained_names())}")
    return load_model(WEIGHTS / f"{name}.npz")
