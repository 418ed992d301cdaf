"""CBAM of the paper, and the single operations, in PyTorch: written from the formulas, differentiated by PyTorch.

Nothing here is shared with the project. Ties go the way of PyTorch's own functions: to the first maximum with
`max_pool2d`, `adaptive_max_pool2d` and `max(dim)`, to all of them in even parts with `amax`.
"""

import torch
import torch.nn.functional as nnf

from benchmarks.torch_parts import channels_max, space_max

from .dialects import REFERENCES
from .imagenet import imagenet


def channel_attention(F, W0, W1, b0, b1, pools, ties):
    """M_c(F) = σ(MLP(AvgPool(F)) + MLP(MaxPool(F))); b0 and b1 are None where the MLP has no biases."""
    pooled = {"avg": F.mean(dim=(2, 3)), "max": space_max(F, ties)}
    scores = sum(nnf.linear(torch.relu(nnf.linear(pooled[pool], W0, b0)), W1, b1) for pool in pools)
    return torch.sigmoid(scores)[:, :, None, None]


def spatial_attention(F, W7, pools, ties):
    """M_s(F) = σ(f^{k×k}([AvgPool(F); MaxPool(F)]))."""
    pooled = {"avg": F.mean(dim=1, keepdim=True), "max": channels_max(F, ties)}
    maps = torch.cat([pooled[pool] for pool in pools], dim=1)
    return torch.sigmoid(nnf.conv2d(maps, W7, padding=W7.shape[-1] // 2))


def cbam(
    x,
    W0=None,
    W1=None,
    W7=None,
    b0=None,
    b1=None,
    order="channel-spatial",
    channel_pools=("avg", "max"),
    spatial_pools=("avg", "max"),
    ties="first",
    mlp_bias=False,
):
    """F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F', or the order asked for."""
    biases = (b0, b1) if mlp_bias else (None, None)

    def Mc(F):
        return channel_attention(F, W0, W1, *biases, channel_pools, ties)

    def Ms(F):
        return spatial_attention(F, W7, spatial_pools, ties)

    if order == "channel":
        return Mc(x) * x
    if order == "spatial":
        return Ms(x) * x
    if order == "parallel":
        return Ms(x) * (Mc(x) * x)
    first, second = (Mc, Ms) if order == "channel-spatial" else (Ms, Mc)
    F1 = first(x) * x
    return second(F1) * F1


def avg_pool(x, over):
    """Average over space or over channels."""
    return x.mean(dim=(2, 3)) if over == "space" else x.mean(dim=1, keepdim=True)


def max_pool(x, over, ties):
    """Maximum over space or over channels."""
    return space_max(x, ties) if over == "space" else channels_max(x, ties)


def lp_pool(x, over):
    """L2 norm over space or over channels."""
    return (x * x).sum(dim=(2, 3)).sqrt() if over == "space" else (x * x).sum(dim=1, keepdim=True).sqrt()


def lse_pool(x, over):
    """Log-sum-exp over space or over channels."""
    return x.logsumexp(dim=(2, 3)) if over == "space" else x.logsumexp(dim=1, keepdim=True)


def max_pool2d(x, size, stride, ties, padding=0):
    """Maximum over windows."""
    if ties == "first":
        return nnf.max_pool2d(x, size, stride, padding)
    x = nnf.pad(x, (padding,) * 4, value=-torch.inf)
    return x.unfold(2, size, stride).unfold(3, size, stride).amax(dim=(4, 5))


def batch_norm(x, gamma, beta, running, eps):
    """Batch normalisation, in training where `running` is None."""
    mean, var = (None, None) if running is None else (torch.as_tensor(s, dtype=x.dtype) for s in running)
    return nnf.batch_norm(x, mean, var, gamma, beta, training=running is None, eps=eps)


def cross_entropy(logits, labels, label_smoothing):
    """Mean softmax cross-entropy."""
    return nnf.cross_entropy(logits, torch.as_tensor(labels), label_smoothing=label_smoothing)


OPS = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "gelu": nnf.gelu,
    "linear": nnf.linear,
    "conv2d": nnf.conv2d,
    "avg_pool": avg_pool,
    "max_pool": max_pool,
    "lp_pool": lp_pool,
    "lse_pool": lse_pool,
    "max_pool2d": max_pool2d,
    "batch_norm": batch_norm,
    "softmax_cross_entropy": cross_entropy,
    "cbam": cbam,
    "imagenet": imagenet,
}


def run(name, arrays, options, make_dout):
    """Run an operation and its gradients: NumPy in, NumPy out.

    Parameters
    ----------
    name : str
        A name in `OPS`.
    arrays : dict of str to ndarray
        The arrays by the operation's argument names.
    options : dict
        What else it takes.
    make_dout : callable
        Takes the output's shape, returns the upstream gradient.

    Returns
    -------
    out, dout : ndarray
        The output, and the upstream gradient that was made for it.
    gradients : dict of str to ndarray
        The gradient of every array.
    """
    tensors = {key: torch.tensor(array, requires_grad=True) for key, array in arrays.items()}
    if name == "dialect":
        options = dict(options)
        if options.get("running"):
            options["running"] = [torch.tensor(s, dtype=tensors["x"].dtype) for s in options["running"]]
        out = REFERENCES[options.pop("dialect")](**tensors, **options)
    else:
        out = OPS[name](*tensors.values(), **options) if name != "cbam" else cbam(**tensors, **options)
    dout = np_like(make_dout(tuple(out.shape)), out)
    gradients = torch.autograd.grad(out, list(tensors.values()), torch.from_numpy(dout))
    return out.detach().numpy(), dout, {key: g.numpy() for key, g in zip(tensors, gradients, strict=True)}


def np_like(array, tensor):
    """Return the array in the tensor's dtype."""
    return array.astype(tensor.detach().numpy().dtype)
