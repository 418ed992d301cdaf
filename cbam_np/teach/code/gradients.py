"""A module's way back, held against its forward pass: slopes of the formula that gives what the module gives.

A gradient is right if its product with any direction is the slope of the loss in that direction. Slopes are central
differences of the formula in float64, with every maximum held at its winner, so that no step leads over a kink.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..diagnosis.search import Explanation, Fit, search
from .draws import Draw
from .formula import compose
from .found import Found
from .subject import Subject

STEP = 1e-6
DIRECTIONS = 3
MAXIMA = ("F_max", "Fs_max", "F_min", "Fs_min", "F_mixed", "Fs_mixed")


class Winners:
    """A note-taker for the formula: it writes down who wins each maximum, and then holds to that.

    Parameters
    ----------
    last : bool
        Whether the last of several equal ones wins, instead of the first.
    held : sequence of str
        Quantities that stay where they were, as if no gradient went through them.
    """

    def __init__(self, last: bool = False, held: Sequence[str] = ()):
        self.last, self.held = last, held
        self.known: dict[str, np.ndarray] = {}
        self.values: dict[str, np.ndarray] = {}

    def __call__(self, name: str, value: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Return a quantity as it is, or as it follows from what was written down."""
        if name in self.held:
            return self.values.setdefault(name, value)
        if name not in MAXIMA:
            return value
        axis = 2 if name.startswith("F_") else 1
        flat = source.reshape(*source.shape[:2], -1)
        if name not in self.known:
            self.known[name] = self._winner(-flat if name.endswith("min") else flat, axis)
        won = np.take_along_axis(flat, self.known[name], axis)
        if name.endswith("mixed"):
            won = 0.5 * flat.mean(axis, keepdims=True) + 0.5 * won
        return won.reshape(value.shape)

    def _winner(self, flat: np.ndarray, axis: int) -> np.ndarray:
        if self.last:
            return flat.shape[axis] - 1 - np.flip(flat, axis).argmax(axis, keepdims=True)
        return flat.argmax(axis, keepdims=True)


class Slopes:
    """Slopes of ⟨dout, formula⟩ at one draw.

    Parameters
    ----------
    found : Found
        The formula and its roles.
    x : ndarray
        The input.
    values : dict of str to ndarray
        The parameters.
    dout : ndarray
        The gradient of the output.
    winners : Winners
        Who wins where, and what is held.
    """

    def __init__(
        self,
        found: Found,
        x: np.ndarray,
        values: dict[str, np.ndarray],
        dout: np.ndarray,
        winners: Winners | None = None,
    ) -> None:
        self.found, self.x, self.values, self.dout = found, x, values, dout
        self.winners = winners or Winners()
        self._loss(x, values)  # to learn who wins

    def _loss(self, x: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
        out = compose(x, self.found.assignment.resolve(values), self.found.formula, self.winners)
        return out.reshape(self.dout.shape)

    def along(self, direction: np.ndarray, name: str | None = None, step: float = STEP) -> float:
        """Return the slope along a direction of x, or of a parameter."""
        ends = []
        for moved in (step * direction, -step * direction):
            if name is None:
                ends.append(self._loss(self.x + moved, self.values))
            else:
                ends.append(self._loss(self.x, self.values | {name: self.values[name] + moved}))
        return float(((ends[0] - ends[1]) * self.dout).sum() / (2 * step))


@dataclass(frozen=True)
class Held:
    """A hypothesis: no gradient goes through some quantities, or a weight's gradient is scaled."""

    name: str
    sentence: str
    held: tuple[str, ...] = ()
    scale: Callable[[int], float] | None = None
    in_dx_only: bool = False
    combines: bool = True


def _one_by_n(images: int) -> float:
    return 1 / images


_WHY = "F is in it twice, and both gradients add; `detach`, `no_grad` or `.data` cut one off."
HELD = (
    Held("the path through the average over space forgotten", f"dF has a part through each pool. {_WHY}", ("F_avg",)),
    Held("the path through the maximum over space forgotten", f"dF has a part through each pool. {_WHY}", ("F_max",)),
    Held("the path through the average over channels forgotten", f"dF' has a part through each map. {_WHY}",
         ("Fs_avg",)),
    Held("the path through the maximum over channels forgotten", f"dF' has a part through each map. {_WHY}",
         ("Fs_max",)),
    Held("the paths through both pools over space forgotten", f"dF has a part through M_c. {_WHY}", ("F_avg", "F_max")),
    Held("the paths through both pools over channels forgotten", f"dF' has a part through M_s. {_WHY}",
         ("Fs_avg", "Fs_max")),
    Held("no gradient through M_c", f"F' = M_c(F) ⊗ F is a product: {_WHY}", ("M_c",)),
    Held("no gradient through M_s", f"F'' = M_s(F') ⊗ F' is a product: {_WHY}", ("M_s",)),
    Held("the paths through the maps forgotten in dx", "F is there by itself and in its maps, and all "
         "these gradients add: dF has a part through M_c, and a part through M_s.", ("M_c", "M_s"),
         in_dx_only=True),
    Held("the weights' gradients averaged over the batch", "A weight is used on every image: its gradients add "
    "up. If the "
         "loss is an average, its 1/N is in dout already.", scale=_one_by_n),
)  # fmt: skip


class WayBack(NamedTuple):
    """What came back in one draw, and the directions to look along: None is x, a name is a parameter."""

    draw: Draw
    dout: np.ndarray
    products: list[tuple[str | None, np.ndarray, float, float]]  # (of what, direction, product, scale)


class GradientEvidence:
    """Gradients that came back, to hold formulas against of which parts are held."""

    def __init__(self, found: Found, ways: Sequence[WayBack], tolerance: float):
        self.found, self.ways, self.tolerance = found, ways, tolerance

    def weigh(self, *hypotheses: Held) -> Fit:
        """Compare every product of a gradient and a direction with a slope."""
        return Fit(explains=not self.wrong(*hypotheses), whole=True)

    def wrong(self, *hypotheses: Held) -> list[str | None]:
        """Return of what the gradient is wrong: None for x, or parameters' names."""
        scales = [hypothesis.scale for hypothesis in hypotheses if hypothesis.scale]
        wrong: list[str | None] = []
        for way in self.ways:
            of = self.found, way.draw.x, way.draw.values, way.dout
            for_x = Slopes(*of, Winners(held=[name for h in hypotheses for name in h.held]))
            for_weights = Slopes(*of, Winners(held=[name for h in hypotheses if not h.in_dx_only for name in h.held]))
            for name, direction, product, scale in way.products:
                factor = float(np.prod([s(len(way.draw.x)) for s in scales])) if name else 1.0
                expected = factor * (for_weights if name else for_x).along(direction, name)
                if not abs(expected - product) <= self.tolerance * (scale + abs(expected)) and name not in wrong:
                    wrong.append(name)
        return wrong

    def odds(self, together: int, whole: bool) -> float:
        """Return 0: with so many digits, nothing fits by chance."""
        return 0.0


def ways_back(subject: Subject, found: Found, draws: Sequence[Draw], rng: np.random.Generator) -> list[WayBack] | None:
    """Run the subject's way back on every draw; None if it has none."""
    ways = []
    roles = {place.name for place in found.assignment.places.values()}
    for draw in draws:
        dout = rng.normal(size=draw.out.shape)
        result = subject.gradients(draw.x, draw.values, dout)
        if result is None:
            return None
        dx, grads = result
        came: dict[str | None, np.ndarray] = {None: dx}
        came |= {name: grad for name, grad in grads.items() if name in roles}
        products = []
        for name, gradient in came.items():
            for _ in range(DIRECTIONS if name is None else 1):
                direction = rng.normal(size=gradient.shape)
                product = float((gradient * direction).sum())
                products.append((name, direction, product, float(np.sqrt((gradient**2).sum()))))
        ways.append(WayBack(draw, dout, products))
    return ways


@np.errstate(all="ignore")
def judge_way_back(
    subject: Subject, found: Found, ways: Sequence[WayBack]
) -> tuple[list[str | None], tuple[Explanation, ...]]:
    """Return of what the gradients are wrong, and what would make them so."""
    evidence = GradientEvidence(found, ways, 1e-6 if subject.exact else 2e-3)
    wrong = evidence.wrong()
    return (wrong, search(HELD, evidence)) if wrong else ([], ())
