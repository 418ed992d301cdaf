"""Data sets: CIFAR-10 from disk or the web, and shapes drawn by program, with masks."""

from . import cifar10, shapes
from .cifar10 import load_cifar10
from .labelled import LabelledImages
from .shapes import make_shapes

CLASSES = {"cifar10": cifar10.CLASSES, "shapes": tuple(shapes.SHAPES)}
"""The names of the classes, by data set."""

__all__ = ["CLASSES", "LabelledImages", "load_cifar10", "make_shapes"]
