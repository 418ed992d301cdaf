"""What is timed: parts a to e and j against PyTorch, f loops against whole arrays, g how the cost of CBAM grows.

Whatever is timed also returns its results, so that they can be compared before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from cbam_np import ImageNetResNet, SmallCNN, ops
from cbam_np.cbam import cbam_backward, cbam_forward, init_cbam
from cbam_np.nn import SGD, InPieces
from cbam_np.train import Recipe

from .timing import TOLERANCE

ATTENTIONS = (None, "se", "cbam")
WAYS = ("forward", "backward")
RECIPE = Recipe(epochs=1, lr=0.01, augment="none")  # small steps: the same batch is learned again and again
TIPPED = 2e-2  # the tolerance where rounding in float32 may tip a ReLU or a maximum the other way in a few places


@dataclass(frozen=True)
class Sizes:
    """The sizes of everything; the tests take smaller ones."""

    blocks: tuple = ((32, 64, 32, 32), (128, 64, 16, 16), (8, 256, 56, 56))  # (N, C, H, W) of CBAM
    convs: tuple = ((128, 3, 32, 32), (128, 32, 64, 16), (128, 64, 128, 8))  # (N, C, O, H = W)
    batch: int = 128
    side: int = 32
    channels: tuple = (32, 64, 128)
    reduction: int = 16
    loops: tuple = (2, 8, 16, 16)
    growth: tuple = (16, 64, 16, 16)  # where N, C, H·W start
    doublings: int = 3
    gemm: tuple = (512, 1024, 2048)
    imagenet: tuple = (50, 8, 224)  # depth, batch, H = W


class Case(NamedTuple):
    """One line of the table; `ours` and `theirs` draw their arrays only when they are called."""

    part: str
    name: str
    ours: Callable  # () -> function without arguments
    theirs: Callable  # (twins, compiled) -> such functions by (kind, way)
    flops: int = 0  # multiplications and additions of the 3×3 convolutions
    tolerance: float = TOLERANCE  # in float32

    def candidates(self, twins=None, compiled=False):
        """Return the functions to run, by (kind, way); without `twins` ours alone."""
        return {("NumPy", ""): self.ours()} | (self.theirs(twins, compiled) if twins else {})


def make_cases(sizes, dtype=np.float32):
    """Return the cases of parts a to e and j."""
    return [
        *(block(shape, sizes.reduction, dtype) for shape in sizes.blocks),
        *(conv("b", N, 2, 1, H, W, 7, dtype) for N, _, H, W in sizes.blocks),
        *(conv("c", N, C, O, H, H, 3, dtype) for N, C, O, H in sizes.convs),
        *(network("d", sizes, attention, dtype) for attention in ATTENTIONS),
        *(network("e", sizes, attention, dtype) for attention in ATTENTIONS),
        imagenet(sizes, dtype),
    ]


def draw(shape, seed=0, dtype=np.float32):
    """Draw numbers, N(0, 1)."""
    return np.random.default_rng(seed).standard_normal(shape, dtype)


def conv_flops(N, C, O, H, W, k):
    """Return the operations of a convolution: N·H·W·O·C·k² products and as many sums."""
    return 2 * N * H * W * O * C * k**2


def draw_block(shape, reduction, dtype=np.float32):
    """Return F, the upstream gradient and the parameters of a CBAM block."""
    params = init_cbam(shape[1], reduction, rng=np.random.default_rng(0), dtype=dtype)
    return draw(shape, 1, dtype), draw(shape, 2, dtype), params


def block_run(x, dout, params):
    """Return what runs a CBAM block forward and backward: F'', dF, the parameters' gradients."""

    def run():
        out, cache = cbam_forward(x, params)
        dx, grads = cbam_backward(dout, cache)
        return out, dx, *(grads[name] for name in params)

    return run


def block(shape, reduction, dtype):
    """Return a case of part a."""

    def theirs(twins, compiled):
        x, dout, params = draw_block(shape, reduction, dtype)

        def make(layout, maxima, compile):
            function = partial(twins.cbam, maxima=maxima)
            return twins.differentiated(function, (x, *params.values()), dout, layout, compile)

        return twins.ways(make, maxima=True, compiled=compiled)

    name = f"CBAM, {'×'.join(map(str, shape))}"
    return Case("a", name, lambda: block_run(*draw_block(shape, reduction, dtype)), theirs)


def conv(part, N, C, O, H, W, k, dtype):
    """Return a case of part b or c: a convolution with the gradients of its input and its kernels."""

    def arrays():
        return draw((N, C, H, W), 1, dtype), draw((O, C, k, k), 2, dtype), draw((N, O, H, W), 3, dtype)

    def ours():
        x, kernels, dout = arrays()

        def run():
            out, cache = ops.conv2d_forward(x, kernels, padding=k // 2)
            dx, dW, _ = ops.conv2d_backward(dout, cache)
            return out, dx, dW

        return run

    def theirs(twins, compiled):
        x, kernels, dout = arrays()

        def make(layout, maxima, compile):
            return twins.differentiated(twins.conv, (x, kernels), dout, layout, compile)

        return twins.ways(make, maxima=False, compiled=compiled)

    flops = 3 * conv_flops(N, C, O, H, W, k) if k == 3 else 0  # backward is two more such products: dW and dx
    return Case(part, f"{k}×{k} convolution {C}→{O}, {N} of {H}×{W}", ours, theirs, flops)


def draw_network(sizes, attention, dtype=np.float32):
    """Return SmallCNN, images and labels."""
    rng = np.random.default_rng(0)
    drawn = {"start": "he"} if attention else {}  # maps that differ, so that there is something to compare
    model = SmallCNN(attention, rng=rng, channels=sizes.channels, reduction=sizes.reduction, dtype=dtype, **drawn)
    images = rng.integers(0, 256, (sizes.batch, 3, sizes.side, sizes.side), dtype=np.uint8)
    return model, images, rng.integers(0, 10, sizes.batch)


def training_step(model, images, labels):
    """Return a function that takes a step of SGD and returns loss, gradients and new parameters."""
    params = model.params
    pieces = InPieces(model)
    optimiser = SGD(params, RECIPE.momentum, weight_decay=RECIPE.weight_decay)

    def run():
        logits = pieces.forward(images, training=True)
        loss, cache = ops.softmax_cross_entropy_forward(logits, labels, RECIPE.label_smoothing)
        pieces.backward(ops.softmax_cross_entropy_backward(1.0, cache))
        grads = model.grads
        optimiser.step(grads, RECIPE.lr)
        return loss, *(grads[name] for name in params), *params.values()

    return run


def inference(model, images, labels):
    """Return what computes the scores of images."""
    pieces = InPieces(model)
    return lambda: (pieces.forward(images),)


def network(part, sizes, attention, dtype):
    """Return a case of part d, a training step, or e, inference."""
    work = training_step if part == "d" else inference

    def theirs(twins, compiled):
        model, images, labels = draw_network(sizes, attention, dtype)
        step = partial(twins.training_step, model, attention, images, labels, RECIPE)
        make = step if part == "d" else partial(twins.inference, model, attention, images)
        return twins.ways(make, maxima=attention == "cbam", compiled=compiled)

    title = f"{'training step' if part == 'd' else 'inference'}, {attention.upper() if attention else 'no attention'}"
    widths = zip((3, *sizes.channels), sizes.channels, strict=False)
    flops = sum(conv_flops(sizes.batch, C, O, *[sizes.side // 2**n] * 2, 3) for n, (C, O) in enumerate(widths))
    return Case(
        part,
        title,
        lambda: work(*draw_network(sizes, attention, dtype)),
        theirs,
        3 * flops if part == "d" else flops,
        TIPPED if part == "d" else TOLERANCE,
    )


def draw_imagenet(sizes, dtype=np.float32):
    """Return a ResNet for ImageNet with CBAM, images, and no labels."""
    depth, batch, side = sizes.imagenet
    rng = np.random.default_rng(0)
    model = ImageNetResNet(depth, "cbam", rng=rng, dtype=dtype)
    return model, rng.integers(0, 256, (batch, 3, side, side), dtype=np.uint8), None


def imagenet(sizes, dtype):
    """Return the case of part j; to compile such a network takes PyTorch minutes, so it is left out."""
    depth, batch, side = sizes.imagenet

    def theirs(twins, compiled):
        model, images, _ = draw_imagenet(sizes, dtype)
        return twins.ways(partial(twins.imagenet_inference, model, depth, images), maxima=False, compiled=False)

    title = f"inference, ResNet-{depth} with CBAM, {batch} of {side}×{side}"
    return Case("j", title, lambda: inference(*draw_imagenet(sizes, dtype)), theirs)


def loop_cases(sizes):
    """Return for part f, by name, the loops and what does the same with whole arrays; results are the same."""
    pairs = {}
    for name, arrays, options in (
        ("avg_pool", [sizes.loops], {"over": "space"}),
        ("max_pool", [sizes.loops], {"over": "channels"}),
        ("max_pool2d", [sizes.loops], {"size": 2}),
        ("conv2d", [sizes.loops, (1, sizes.loops[1], 7, 7)], {"padding": 3}),
    ):
        arrays = [draw(shape) for shape in arrays]
        way = {f"{way}{kind}": getattr(ops, f"{name}_{way}{kind}") for way in WAYS for kind in ("", "_loops")}
        out, cache = way["forward"](*arrays, **options)
        dout = draw(out.shape, 1)
        pairs[f"{name}, forward"] = {
            "loops": partial(way["forward_loops"], *arrays, **options),
            "arrays": partial(way["forward"], *arrays, **options),
        }
        pairs[f"{name}, backward"] = {
            "loops": partial(way["backward_loops"], dout, *arrays, **options),
            "arrays": partial(way["backward"], dout, cache),
        }
    return pairs


def growth_cases(sizes):
    """Return for part g the shapes in which N, C or H·W doubles: name -> list of (size, shape)."""
    N, C, H, W = sizes.growth
    doubled = [2**n for n in range(sizes.doublings + 1)]
    return {
        "N": [(N * f, (N * f, C, H, W)) for f in doubled],
        "C": [(C * f, (N, C * f, H, W)) for f in doubled],
        "H·W": [(H * W * f, (N, C, H, W * f)) for f in doubled],
    }
