"""A PyTorch module read as a pair of functions, without importing PyTorch: it is known by what it can do."""

import numpy as np

from ..calculation.forward_steps import PARAMETERS
from .calling import Unusable

KINDS = {"channel": ("W0", "W1"), "spatial": ("W7",)}


def is_module(f):
    """Tell whether this is a module of PyTorch, or of anything like it."""
    return all(hasattr(f, name) for name in ("named_parameters", "state_dict", "zero_grad"))


class ModuleFunctions:
    """A module as forward and backward functions on arrays, with its weights by the lecture's names.

    Parameters
    ----------
    module : torch.nn.Module
        Takes a tensor (N, C, H, W) and returns one.
    dialect : Dialect
        Which weights it may have.
    """

    def __init__(self, module, dialect):
        self.module = module
        self.names = name_parameters({name: tuple(p.shape) for name, p in module.named_parameters()}, dialect)
        tensors = dict(module.named_parameters())
        self.tensors = {name: tensors[theirs] for name, theirs in self.names.items()}
        arrays = {name: tensor.detach().cpu().numpy().astype(float) for name, tensor in self.tensors.items()}
        self.params = {name: W.reshape(W.shape[:2]) if name[:2] in ("W0", "W1") else W for name, W in arrays.items()}

    def forward(self, x, params):
        """Run the module; the cache is the tensors that went in and came out."""
        leaf = next(iter(self.tensors.values())).new_tensor(x).requires_grad_()
        out = self.module(leaf)
        cache = None
        if isinstance(out, tuple) and len(out) == 2:
            out, cache = out
        return out, (leaf, out, cache)

    def backward(self, dout, cache):
        """Run the module's own backward pass, and leave its gradients as they were."""
        leaf, out, _ = cache
        if not hasattr(out, "new_tensor"):
            raise Unusable("the module returns no tensor, so that its backward pass cannot be run")
        kept = {name: tensor.grad for name, tensor in self.tensors.items()}
        for tensor in self.tensors.values():
            tensor.grad = None
        try:
            out.backward(out.new_tensor(dout))
            grads = {
                name: np.zeros(tuple(tensor.shape)) if tensor.grad is None else tensor.grad.detach().cpu().numpy()
                for name, tensor in self.tensors.items()
            }
            dx = np.zeros(tuple(leaf.shape)) if leaf.grad is None else leaf.grad.detach().cpu().numpy()
        finally:
            for name, tensor in self.tensors.items():
                tensor.grad = kept[name]
        return dx, {name: grad for name, grad in grads.items() if name in PARAMETERS}


def name_parameters(shapes, dialect):
    """Find out, by shape and order, which of a module's parameters is which of the lecture's.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        The module's parameters, in their order.
    dialect : Dialect
        Which weights it may have.

    Returns
    -------
    dict of str to str
        The lecture's names, `W0_max` and `W1_max` among them where there is a second MLP, and the module's.

    Raises
    ------
    ValueError
        If there are parameters that the dialect has no place for, or too few.
    """
    found = {}
    layers = [name for name, s in shapes.items() if len(s) >= 2 and set(s[2:]) <= {1}]
    down = [name for name in layers if shapes[name][0] < shapes[name][1]]
    up = [name for name in layers if shapes[name][0] > shapes[name][1]]
    square = [name for name in layers if name not in down + up]
    down, up = down + square[::2], up + square[1::2]
    if "channel" in dialect.order or dialect.order == "parallel":
        for twin, W0, W1 in zip(("", "_max"), down, up, strict=False):
            found |= {f"W0{twin}": W0, f"W1{twin}": W1}
            for W, b in ((W0, "b0"), (W1, "b1")):
                bias = W.removesuffix("weight") + "bias"
                if dialect.mlp_bias and W.endswith("weight") and bias in shapes:
                    found[b + twin] = bias
    if dialect.order != "channel":
        maps = len(dialect.spatial_pools)
        kernels = [n for n, s in shapes.items() if len(s) == 4 and s[:2] == (1, maps) and s[2] == s[3] > 1]
        found |= dict(zip(("W7",), kernels, strict=False))
    _refuse_others([name for name in shapes if name not in found.values()], shapes, dialect)
    needed = [name for attention, names in KINDS.items() if _has(dialect, attention) for name in names]
    missing = [name for name in needed if name not in found]
    if missing:
        raise ValueError(
            f"the module has no {' and no '.join(missing)}: its parameters are "
            f"{', '.join(f'{name} {shape}' for name, shape in shapes.items()) or 'none'}; expected W0 (C/r, C), "
            f"W1 (C, C/r), as Linear or as 1×1 convolutions, and W7 (1, {len(dialect.spatial_pools)}, k, k)"
        )
    return found


def _has(dialect, attention):
    return attention in dialect.order or dialect.order == "parallel"


def _refuse_others(others, shapes, dialect):
    if not others:
        return
    hint = ""
    if not dialect.mlp_bias and any(name.endswith("bias") for name in others):
        hint = "; if these are the MLP's biases, pass mlp_bias=True"
    raise ValueError(
        f"the module has parameters that the dialect has no place for: "
        f"{', '.join(f'{name} {shapes[name]}' for name in others)}. Batch normalisation and a bias of the k×k "
        f"convolution are not compared{hint}"
    )
