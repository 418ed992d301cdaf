"""The cases that both oracles look at, and the project's side of them.

A case is an operation's name, its arrays by name, and its options. `ours` runs it through the project.
"""

import zlib
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from cbam_np import DIALECTS, ImageNetResNet, cbam_backward, cbam_forward, init_cbam, ops
from cbam_np.cbam import ORDERS

from ..helpers import as_tuple, tied

POOLS = [("avg", "max"), ("max", "avg"), ("avg",), ("max",)]


class Case(NamedTuple):
    """An operation's name, its arrays by name, and its options."""

    name: str
    arrays: dict
    options: dict

    def astype(self, dtype):
        """Return the case with all of its arrays in a dtype."""
        return self._replace(arrays={key: array.astype(dtype) for key, array in self.arrays.items()})


def ours(case, dout):
    """Run a case through the project: the output, and the gradients by the arrays' names."""
    if case.name == "cbam":
        params = {key: array for key, array in case.arrays.items() if key != "x"}
        out, cache = cbam_forward(case.arrays["x"], params, **case.options)
        dx, grads = cbam_backward(dout, cache)
        return out, {"x": dx, **grads}
    if case.name == "imagenet":
        options = dict(case.options)
        seed = options.pop("seed")
        model = ImageNetResNet(**options, rng=np.random.default_rng(0), dtype=dout.dtype)
        shapes = {name: array.shape for name, array in model.state_dict().items()}
        model.load_state_dict({name: w.astype(dout.dtype) for name, w in draw_weights(shapes, seed).items()})
        return model.forward(case.arrays["x"]), {"x": model.backward(dout)}
    if case.name == "dialect":
        options = dict(case.options)
        if options["running"]:
            options["running"] = tuple(np.array(s, dout.dtype) for s in options["running"])
        params = {key: array for key, array in case.arrays.items() if key != "x"}
        out, cache = cbam_forward(case.arrays["x"], params, **options)
        dx, grads = cbam_backward(dout, cache)
        return out, {"x": dx, **grads}
    options = dict(case.options)
    if options.get("running"):  # lists, so that a file can hold them
        options["running"] = tuple(np.array(s, dout.dtype) for s in options["running"])
    forward, backward = getattr(ops, f"{case.name}_forward"), getattr(ops, f"{case.name}_backward")
    out, cache = forward(*case.arrays.values(), **options)
    return out, dict(zip(case.arrays, as_tuple(backward(dout, cache)), strict=True))


def draw_weights(shapes, seed):
    """Draw parameters and running averages by PyTorch's names and shapes, so that numbers neither grow nor vanish."""
    drawn = {}
    for name, shape in shapes.items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        if len(shape) > 1:
            drawn[name] = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith(("running_var", "weight")):
            drawn[name] = rng.uniform(0.5, 1, shape)
        else:
            drawn[name] = rng.normal(size=shape) / 10
    return drawn


def imagenet_cases(size=32, batch=2, depths=((18, None), (18, "cbam"), (50, "cbam")), seed=0):
    """Return a case for each of some ResNets, on small pictures."""
    cases = {}
    for number, (depth, attention) in enumerate(depths, start=seed):
        x = np.random.default_rng(number).integers(0, 256, (batch, 3, size, size)).astype(float)
        options = {"depth": depth, "attention": attention, "classes": 10, "seed": number}
        cases[f"ResNet-{depth} {attention}"] = Case("imagenet", {"x": x}, options)
    return cases


def draw_biases(rng, params):
    """Return parameters with b0 and b1, which start at 0, drawn instead, where there are any."""
    return {name: rng.normal(size=p.shape) if name in ("b0", "b1") else p for name, p in params.items()}


def cbam_case(rng, shape, reduction, kernel_size, numbers, **options):
    """Draw a CBAM case.

    `numbers` is "real", or "whole" for small whole numbers, so that maxima are reached many times over. In the
    order spatial-channel, channel attention sees M_s ⊗ F: numbers that were equal at two pixels are equal no more, or
    only up to rounding, which each library does in its own way. They stay equal where M_s is 0.5 everywhere ("whole",
    by a kernel of zeros) and where they are 0, here the maximum of every channel ("whole up to 0").
    """
    params = draw_biases(rng, init_cbam(shape[1], reduction, kernel_size, rng=rng, **options))
    x = rng.normal(size=shape) if numbers == "real" else tied(rng, *shape)
    if options["order"] == "spatial-channel" and numbers == "whole":
        params["W7"] *= 0
    if numbers == "whole up to 0":
        x = -np.abs(x)
        x[..., -1, -1] = x[..., 0, 0] = 0
    if "W0" in params:  # one hidden unit at least that is alive for the first image, or there is no gradient to see
        v = x[0].max(axis=(1, 2)) if "max" in options["channel_pools"] else x[0].mean(axis=(1, 2))
        params["W0"][0] *= -1 if params["W0"][0] @ v < 0 else 1
    if "b0" in params:
        params["b0"][0] = np.abs(params["b0"][0])  # keeps that unit alive
    return Case("cbam", {"x": x, **params}, options)


def random_cbam_case(seed, ties):
    """Draw a CBAM case: shapes, reduction, kernel, pools by the seed; every order; half whole numbers, some biased."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(rng.integers(1, most, endpoint=True)) for most in (4, 24, 9, 9))
    return cbam_case(
        rng,
        shape,
        reduction=int(rng.integers(1, shape[1], endpoint=True)),
        kernel_size=int(rng.choice([1, 3, 5, 7])),
        numbers=["real", "whole", "real", "whole up to 0"][seed // len(ORDERS) % 4],
        order=list(ORDERS)[seed % len(ORDERS)],
        channel_pools=POOLS[rng.integers(4)],
        spatial_pools=POOLS[rng.integers(4)],
        ties=ties,
        mlp_bias=seed // len(ORDERS) % 3 == 1,
    )


def dialect_case(seed, dialect, largest=(4, 24, 9, 9)):
    """Draw a case of a dialect: shapes, reduction, kernel by the seed; half whole numbers; training and inference."""
    rng = np.random.default_rng(seed)
    N, C, H, W = (int(rng.integers(1, most, endpoint=True)) for most in largest)
    N, W = max(N, 1 + (H == W == 1)), max(W, 2)  # two values at least, or there is no variance
    options, d = {"dialect": dialect, "running": None}, DIALECTS[dialect]
    if dialect == "official" and seed % 5 == 4:
        options["channel_pools"] = ("avg", "max", "lp", "lse")
    if d.spatial_norm and seed % 2:
        options["running"] = ([float(rng.normal())], [float(rng.uniform(0.5, 2))])
    params = init_cbam(
        C,
        int(rng.integers(1, C, endpoint=True)),
        int(rng.choice([3, 5, 7])),
        rng=rng,
        dialect=dialect,
        start="he",
    )
    params |= {name: rng.normal(size=params[name].shape) for name in ("b0", "b1", "gamma", "beta") if name in params}
    x = rng.normal(size=(N, C, H, W)) if seed % 4 < 2 else tied(rng, N, C, H, W)
    if seed % 8 >= 6:  # 0 stays 0 under any weight: ties over channels, too
        x = -np.abs(x)
        x[..., -1, -1] = x[..., 0, 0] = 0
    if "lp" in options.get("channel_pools", ()):
        x[:, :, 0, 0] += 0.5  # where all are 0, the norm has a corner
    v = (x.mean(axis=(2, 3)) + x.max(axis=(2, 3)))[0]
    params["W0"][0] *= -1 if params["W0"][0] @ v < 0 else 1  # one unit at least that is alive for the first image
    if "b0" in params:
        params["b0"][0] = np.abs(params["b0"][0])
    return Case("dialect", {"x": x, **params}, options)


def op_cases(rng):
    """Return cases of the single operations, by a name for each."""

    def normal(*shape):
        return rng.normal(size=shape)

    x = normal(2, 3, 6, 5)
    whole = tied(rng, 2, 3, 6, 5)
    images = {"x": normal(3, 2, 4, 3), "gamma": normal(2), "beta": normal(2)}
    running = (normal(2).tolist(), rng.uniform(0.5, 2, size=2).tolist())
    labels = [0, 3, 1, 3]
    cases = {
        "relu": Case("relu", {"x": whole}, {}),
        "sigmoid": Case("sigmoid", {"z": 20 * x}, {}),
        "gelu": Case("gelu", {"x": 3 * x}, {}),
        "linear": Case("linear", {"x": normal(4, 3), "W": normal(2, 3), "b": normal(2)}, {}),
        "linear without bias": Case("linear", {"x": normal(4, 3), "W": normal(2, 3)}, {}),
        "batch_norm training": Case("batch_norm", images, {"running": None, "eps": 1e-5}),
        "batch_norm inference": Case("batch_norm", images, {"running": running, "eps": 1e-3}),
        **{
            f"cross_entropy {smoothing}": Case(
                "softmax_cross_entropy", {"logits": 20 * normal(4, 5)}, {"labels": labels, "label_smoothing": smoothing}
            )
            for smoothing in (0.0, 0.1)
        },
        **{
            f"{pool}_pool {over}": Case(f"{pool}_pool", {"x": x}, {"over": over})
            for pool in ("avg", "lp", "lse")
            for over in ("space", "channels")
        },
    }
    for ties in ("first", "split"):
        for over in ("space", "channels"):
            cases[f"max_pool {over} {ties}"] = Case("max_pool", {"x": whole}, {"over": over, "ties": ties})
        for size, stride in ((2, 2), (3, 1), (3, 2), (2, 3)):
            options = {"size": size, "stride": stride, "ties": ties}
            cases[f"max_pool2d {size} {stride} {ties}"] = Case("max_pool2d", {"x": whole}, options)
        for size, stride in ((3, 2), (2, 1)):
            options = {"size": size, "stride": stride, "ties": ties, "padding": 1}
            cases[f"max_pool2d {size} {stride} {ties} padded"] = Case("max_pool2d", {"x": whole}, options)
    for k, stride, padding in ((1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (2, 2, 0), (4, 1, 2), (7, 1, 3), (3, 3, 0)):
        arrays = {"x": x, "W": normal(2, 3, k, k)} | ({"b": normal(2)} if padding else {})
        cases[f"conv2d {k} {stride} {padding}"] = Case("conv2d", arrays, {"stride": stride, "padding": padding})
    return cases


def frozen_cases():
    """Return the cases that are frozen into files, by file and name."""
    rng = np.random.default_rng(2018)
    both = {"channel_pools": POOLS[0], "spatial_pools": POOLS[0]}
    cbams = {}
    for order, ties, numbers in product(ORDERS, ("first", "split"), ("real", "whole", "whole up to 0")):
        if numbers != "whole up to 0" or order == "spatial-channel":
            case = cbam_case(rng, (2, 4, 3, 4), 2, 3, numbers, order=order, ties=ties, **both)
            cbams[f"{order} {ties} {numbers}"] = case
    for pools in POOLS[1:]:
        options = {"order": "channel-spatial", "channel_pools": pools, "spatial_pools": pools}
        cbams["pools " + " ".join(pools)] = cbam_case(rng, (1, 3, 4, 3), 1, 5, "whole", **options)
    cbams["sixteen channels"] = cbam_case(rng, (1, 16, 5, 5), 16, 7, "real", order="channel-spatial", **both)
    operations = op_cases(rng)
    biased = partial(cbam_case, rng, (2, 4, 3, 3), 2, 3, mlp_bias=True)
    cbams["biases"] = biased("real", order="channel-spatial", ties="first", **both)
    cbams["biases split whole"] = biased("whole", order="spatial-channel", ties="split", **both)
    cbams["biases avg"] = biased("real", order="channel", channel_pools=("avg",))
    dialects = {
        f"{dialect} {seed}": dialect_case(seed, dialect, (2, 6, 4, 4)) for dialect in DIALECTS for seed in (1, 2, 4, 7)
    }
    return {"cbam": cbams, "dialects": dialects, "imagenet": imagenet_cases(), "ops": operations}
