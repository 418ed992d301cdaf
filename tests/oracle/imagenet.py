"""The ResNets for ImageNet in PyTorch, with the weights that a seed draws."""

import numpy as np
import torch

from benchmarks.torch_parts import ImageNetResNet

from .cases import draw_weights


def make(depth, attention, classes, seed, dtype):
    """Return the network for inference, with the weights that a seed draws."""
    model = ImageNetResNet(depth, attention, classes).to(dtype).eval()
    shapes = {name: tuple(t.shape) for name, t in model.state_dict().items() if t.is_floating_point()}
    drawn = {name: torch.from_numpy(np.asarray(w)).to(dtype) for name, w in draw_weights(shapes, seed).items()}
    model.load_state_dict(drawn, strict=False)  # the counts of batches stay
    return model


def imagenet(x, depth, attention, classes, seed):
    """Run the network on images."""
    return make(depth, attention, classes, seed, x.dtype)(x)
