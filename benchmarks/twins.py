"""The same work in PyTorch: CBAM, convolutions, and SmallCNN with the weights of ours. Needs PyTorch.

PyTorch's time depends on how its arrays lie in memory and on which of its functions takes a maximum, and what is
best changes from shape to shape; so every way is offered, and the reader of the times takes the best.
"""

from contextlib import contextmanager
from functools import partial
from itertools import product

import torch
import torch.nn.functional as nnf
from torch import nn

from .torch_parts import ImageNetResNet, channels_max, space_max

LAYOUTS = {"NCHW": torch.contiguous_format, "channels-last": torch.channels_last}
MAXIMA = {
    f"{space} over space, {channels} over channels": (ties_space, ties_channels)
    for (space, ties_space), (channels, ties_channels) in product(
        [("amax", "split"), ("adaptive_max_pool2d", "first")], [("amax", "split"), ("max", "first")]
    )
}
AMAX = ("split", "split")  # what torch.compile can turn into loops of its own


def mlp(v, W0, W1):
    """Return W1 ReLU(W0 v)."""
    return nnf.linear(torch.relu(nnf.linear(v, W0)), W1)


def se(x, W0, W1):
    """Squeeze-and-excitation, without biases."""
    return x * torch.sigmoid(mlp(x.mean(dim=(2, 3)), W0, W1))[:, :, None, None]


def cbam(x, W0, W1, W7, maxima):
    """CBAM; `maxima` says for space and for channels who gets the gradient of a tie, and so which function is used."""
    ties_space, ties_channels = maxima
    scores = mlp(x.mean(dim=(2, 3)), W0, W1) + mlp(space_max(x, ties_space), W0, W1)
    F1 = x * torch.sigmoid(scores)[:, :, None, None]
    maps = torch.cat([F1.mean(dim=1, keepdim=True), channels_max(F1, ties_channels)], dim=1)
    return F1 * torch.sigmoid(nnf.conv2d(maps, W7, padding=W7.shape[-1] // 2))


def conv(x, W):
    """Convolution with padding that keeps the size."""
    return nnf.conv2d(x, W, padding=W.shape[-1] // 2)


class Attention(nn.Module):
    """SE or CBAM, with the parameters of our layer."""

    def __init__(self, function, layer):
        super().__init__()
        self.function = function
        for name, array in layer.params.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(array)))

    def forward(self, x):
        """Return the weighted feature map."""
        return self.function(x, **dict(self.named_parameters(recurse=False)))


class SmallCNN(nn.Module):
    """The network of `cbam_np.SmallCNN`, with its weights.

    Parameters
    ----------
    model : cbam_np.SmallCNN
        Ours.
    attention : {None, "se", "cbam"}
        What `model` was made with.
    maxima : tuple of str
        As in `cbam`.
    """

    def __init__(self, model, attention, maxima):
        super().__init__()
        functions = {"se": se, "cbam": partial(cbam, maxima=maxima)}
        for name, array in model.normalise.state.items():
            self.register_buffer(name, torch.tensor(array)[:, None, None])
        stages = []
        for name, part in model.parts.items():
            if name.startswith("pool"):
                stages.append(nn.MaxPool2d(2))
            elif name.startswith("stage"):
                O, C, k, _ = part.conv.params["W"].shape
                stages += [nn.Conv2d(C, O, k, padding=k // 2, bias=False), nn.BatchNorm2d(O), nn.ReLU()]
                stages[-3].weight.data = torch.tensor(part.conv.params["W"])
                if attention:
                    stages.append(Attention(functions[attention], part.attention))
        self.stages = nn.Sequential(*stages)
        classes, inputs = model.head.params["W"].shape
        self.head = nn.Linear(inputs, classes)
        self.head.weight.data, self.head.bias.data = (torch.tensor(model.head.params[name]) for name in "Wb")

    def forward(self, images):
        """Return the scores of images, uint8 (N, 3, H, W)."""
        return self.head(self.stages((images - self.mean) / self.std).mean(dim=(2, 3)))


def make_twin(model, attention, maxima, layout):
    """Return our network in PyTorch, in its dtype and laid out as asked for."""
    twin = SmallCNN(model, attention, maxima)
    return twin.to(dtype=twin.mean.dtype, memory_format=LAYOUTS[layout])


def no_compiler():
    """Return why `torch.compile` does not run here, or None if it does."""
    try:
        torch.compile(lambda x: x + 1)(torch.ones(3))
    except Exception as error:  # whatever a missing compiler leads to
        return str(error).strip().partition("\n")[0] or type(error).__name__
    return None


@contextmanager
def limit_threads(count):
    """Limit PyTorch to a number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def place(array, layout):
    """Copy an array into a tensor; one of four axes is laid out as asked for."""
    tensor = torch.tensor(array)
    return tensor.contiguous(memory_format=LAYOUTS[layout]) if tensor.ndim == 4 else tensor


def ways(make, maxima, compiled):
    """Return candidates: `make(layout, maxima, compile)` for every way that PyTorch has.

    Parameters
    ----------
    make : callable
        Returns a function without arguments; `compile` is to be applied to what PyTorch computes.
    maxima : bool
        Whether CBAM is in it, so that it matters which function takes a maximum.
    compiled : bool
        Whether to add the compiled ways.

    Returns
    -------
    dict
        By (kind, way), the kind being "eager" or "compiled".
    """
    torch.compiler.reset()  # what was compiled for other shapes counts against a limit
    candidates = {}
    for layout in LAYOUTS:
        for name, which in MAXIMA.items() if maxima else [("", AMAX)]:
            way = f"{layout}, {name}" if name else layout
            candidates["eager", way] = make(layout, which, lambda function: function)
        if compiled:
            way = f"{layout}, amax" if maxima else layout
            candidates["compiled", way] = make(layout, AMAX, partial(torch.compile, dynamic=False))
    return candidates


def differentiated(function, arrays, dout, layout, compile):
    """Return what runs `function` forward and backward, and returns the output and every array's gradient."""
    function, dout = compile(function), place(dout, layout)
    tensors = [place(array, layout).requires_grad_() for array in arrays]

    def run():
        out = function(*tensors)
        return out.detach(), *torch.autograd.grad(out, tensors, dout)

    return run


def training_step(model, attention, images, labels, recipe, layout, maxima, compile):
    """Return what takes a step of SGD on a copy of our model, and returns loss, gradients and new parameters."""
    twin = make_twin(model, attention, maxima, layout).train()
    images, labels = place(images, layout), torch.tensor(labels)
    params = list(twin.parameters())
    weights, others = [p for p in params if p.ndim > 1], [p for p in params if p.ndim == 1]
    optimiser = torch.optim.SGD(
        [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others}],
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=True,
        fused=True,
    )
    forward = compile(lambda x: nnf.cross_entropy(twin(x), labels, label_smoothing=recipe.label_smoothing))

    def run():
        optimiser.zero_grad()
        loss = forward(images)
        loss.backward()
        optimiser.step()
        return loss.detach(), *(p.grad for p in params), *(p.detach() for p in params)

    return run


def inference(model, attention, images, layout, maxima, compile):
    """Return what computes the scores of images without gradients."""
    return scores(make_twin(model, attention, maxima, layout), images, layout, compile)


def imagenet_inference(model, depth, images, layout, maxima, compile):
    """Return what computes the scores of images by a ResNet for ImageNet with CBAM, without gradients."""
    weights = {name: torch.tensor(array) for name, array in model.state_dict().items()}
    bias = weights["fc.bias"]
    twin = ImageNetResNet(depth, "cbam", len(bias)).to(bias.dtype)
    twin.load_state_dict(weights, strict=False)  # the counts of batches stay
    return scores(twin.to(memory_format=LAYOUTS[layout]), images, layout, compile)


def scores(twin, images, layout, compile):
    """Return what computes the scores of images without gradients."""
    forward, images = compile(twin.eval()), place(images, layout)

    def run():
        with torch.inference_mode():
            return (forward(images),)

    return run
