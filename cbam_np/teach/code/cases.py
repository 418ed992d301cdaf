"""The inputs that a function is run on, with what is right on each and what follows from wrong rules."""

import copy
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np

from ...cbam import Dialect, cbam_forward, init_cbam
from ...ops.checks import unmasked
from ..calculation.bounds import Bounds, Circular
from ..calculation.cbam_rules import of, through_statistics
from ..calculation.forward_steps import PARAMETERS
from ..calculation.rules import Rule, products, term
from ..calculation.steps import trace_cbam
from ..mistakes.code import WEIGHTS, BatchCalculation

SIZES = ((2, 3, 3), (3, 4, 5), (1, 3, 5))  # (N, H, W): square; all axes different; one image, of whole numbers
MLPS = ((3, 1), (6, 3), (4, 2))  # (C, r): with the square input, a square W0 that can be transposed by mistake
KERNELS = (7, 3, 3)
Params: TypeAlias = dict[str, np.ndarray]

DRAWS = 100  # of an input, until mistakes show on it


def make_inputs(
    dialect: Dialect, params: Params | None, x: np.ndarray | None, reduction: int | None, rng: np.random.Generator
) -> list[tuple[np.ndarray, Params]]:
    """Return a list of (x, params): one where x is given, else one for each of `SIZES`, the last with many ties."""
    if x is not None:
        x = np.array(unmasked(x, "x"))
        return [(x, params or make_params(dialect, x.shape[1] if x.ndim == 4 else 1, reduction, 7, rng))]
    found = []
    for (N, H, W), (C, r), k in zip(SIZES, MLPS, KERNELS, strict=True):
        if params and "W0" in params:
            C = np.shape(params["W0"])[-1]
        elif reduction:
            C = 2 * reduction
        for _ in range(DRAWS):
            x = _tied(rng, (N, C, H, W)) if N == 1 else rng.normal(size=(N, C, H, W))
            drawn = x, params or make_params(dialect, C, reduction or r, k, rng)
            if _telling(*drawn, dialect):
                break
        found.append(drawn)
    return found


def _telling(x: np.ndarray, params: Params, dialect: Dialect) -> bool:
    """Tell whether ReLU lets something through on every image, and stops something: else mistakes there hide."""
    channel = cbam_forward(x, params, dialect)[1].channel
    hs = [mlp.h for mlp in channel.mlps.values()] if channel else []
    return all((h > 0).any(axis=1).all() and (h < 0).any() for h in hs)


def _tied(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return whole numbers with a tie over channels and one over space, at 0, so that they are ties in F' too."""
    x = rng.integers(-2, 3, shape).astype(float)
    x[:, 0] = -np.abs(x[:, 0])
    x[:, :, 0, 0], x[:, 0, -1, -1] = 0, 0
    return x


def make_params(
    dialect: Dialect, channels: int, reduction: int | None, kernel_size: int, rng: np.random.Generator
) -> Params:
    """Draw parameters, biases and those of a normalisation included where the dialect has them."""
    reduction = min(2, channels) if reduction is None else reduction
    params = init_cbam(channels, reduction, kernel_size, rng=rng, dialect=dialect)
    others = [name for name in ("b0", "b1", "gamma", "beta") if name in params]
    return params | {name: rng.normal(size=params[name].shape) for name in others}


def _through_statistics_of_the_batch(M: int) -> Rule:
    """Return the rule of dy_s where M numbers of all images share the statistics."""
    rule = through_statistics(M)
    return of(rule, *(f"{name}_batch" if name in ("dgamma", "dbeta") else name for name in rule.inputs))


class Case:
    """One input with the right calculation on each of its images.

    A batch normalisation takes the statistics of the whole batch, as in training: they are given to each image, and on
    the way back so are the sums of dγ and dβ over the batch, as they are where nothing is wrong.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        The images.
    params : dict of str to ndarray
        The weights.
    dialect : Dialect
        What is right.
    rng : numpy.random.Generator
        For the gradients of the outputs.
    """

    def __init__(self, x: np.ndarray, params: Params, dialect: Dialect, rng: np.random.Generator):
        self.x, self.params = np.asarray(x, float), {name: np.asarray(W, float) for name, W in params.items()}
        _, cache = cbam_forward(self.x, self.params, dialect)  # says what is wrong with x or params
        norm = cache.spatial.c_norm if cache.spatial else None
        running = None if norm is None else (norm.mean, norm.var)
        dout = rng.normal(size=self.x.shape)
        self.traces = [trace_cbam(F, self.params, d, dialect, running) for F, d in zip(self.x, dout, strict=True)]
        extra = {name: W for name, W in self.params.items() if name not in PARAMETERS}
        self.given = [
            {step.name: np.asarray(step.value, float) for step in trace if step.given} | extra for trace in self.traces
        ]
        over_the_batch = (
            {} if norm is None else {"dy_s": _through_statistics_of_the_batch(len(self.x) * self.x[0, 0].size)}
        )
        self.rules = [trace.rules | over_the_batch for trace in self.traces]
        self.output = [name for name in self.traces[0].names if not name.startswith("d")][-1]
        maps = [name for name in ("M_c", "M_s") if name in self.rules[0]]
        self._dmaps: dict[str, np.ndarray] = {name: rng.normal(size=self.shape(name)) for name in maps}

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps that are computed, in their order."""
        return tuple(self.rules[0])

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a step for the whole batch: weights' gradients are summed over it."""
        shape = self.traces[0][name].shape
        return shape if name in WEIGHTS else (len(self.x), *shape)

    @property
    def dout(self) -> np.ndarray:
        """The gradient of the output, (N, ...)."""
        return np.stack([given[f"d{self.output}"] for given in self.given])

    def ending_at(self, name: str) -> "Case":
        """Return the case for a function whose output is this step: the feature map itself, or an attention map."""
        if name == self.output:
            return self
        other = copy.copy(self)
        other.__dict__.pop("images", None)
        other.output = name
        paths = [i for i in self.rules[0]["dF"].inputs if not i.endswith("_direct")]
        through_the_map = {"dF": products(*(term("cij->cij", path) for path in paths))}
        other.rules = [rules | through_the_map for rules in self.rules]
        other.given = [given | {f"d{name}": d} for given, d in zip(self.given, self._dmaps[name], strict=True)]
        return other

    @cached_property
    def images(self) -> list[Bounds]:
        """What follows on each image."""
        images = [Bounds(rules, given, {}) for rules, given in zip(self.rules, self.given, strict=True)]
        sums = {f"{name}_batch": self.value(name, images) for name in ("dgamma", "dbeta") if name in self.rules[0]}
        return [Bounds(rules, given | sums, {}) for rules, given in zip(self.rules, self.given, strict=True)]

    def calculation(self, image: int, rules: dict[str, Rule]) -> BatchCalculation:
        """Return what the mistakes ask about one image of the batch, with these rules."""
        return BatchCalculation(self.traces[image], rules, self.traces, self.given[image])

    def calculations(self) -> list[BatchCalculation]:
        """Return what the mistakes ask about, one for each image."""
        return [self.calculation(image, rules) for image, rules in enumerate(self.rules)]

    def value(self, name: str, images: Sequence[Bounds] | None = None) -> np.ndarray:
        """Return a step for the whole batch: what is right, or what follows on `images` with changed rules."""
        values = [image.allowed(name)[0] for image in (self.images if images is None else images)]
        return np.sum(values, axis=0) if name in WEIGHTS else np.stack(values)

    def agrees(self, name: str, value: np.ndarray, tolerance: float, images: Sequence[Bounds]) -> bool:
        """Tell whether a step is what follows on `images`, relative to its largest entry."""
        slack = tolerance * (np.abs(value).max() or 1)

        def near(ours: np.ndarray, theirs: np.ndarray) -> bool:
            return bool((np.abs(ours - theirs) <= slack).all())

        try:
            if name in WEIGHTS:
                return near(self.value(name, images), value)
            return all(near(image.allowed(name)[0], v) for image, v in zip(images, value, strict=True))
        except Circular:
            return False


def with_rules(images: Iterable[Bounds], changes: Iterable[dict[str, Rule]]) -> list[Bounds]:
    """Return what follows on each image with some rules changed."""
    return [image.with_rules(change) for image, change in zip(images, changes, strict=True)]
