"""Data sets: CIFAR-10 from disk or the web, and shapes drawn by program, with masks."""

from .cifar10 import load_cifar10
from .labelled import LabelledImages
from .shapes import make_shapes

__all__ = ["LabelledImages", "load_cifar10", "make_shapes"]
