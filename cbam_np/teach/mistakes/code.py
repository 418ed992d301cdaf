"""Mistakes that only code makes: with the batch, with axes, in the loop over the images.

They are tried on exact numbers only, so their bounds are those of a point.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..calculation.pools import SPECS, share_of_max
from ..calculation.rules import Compute, Rule, monotone_bound, products, reduction
from ..calculation.steps import rules_of
from ..calculation.trace import Trace
from .mistake import Calculation, Change, OneWay, mistake, terms, then, unspelled

OVER = {"space": ("_via_F_max", (1, 2)), "channels": ("_via_Fs_max", (0,))}  # how names end, and the axes
WEIGHTS = ("dW0", "db0", "dW1", "db1", "dW7", "dgamma", "dbeta")


class BatchCalculation(Calculation):
    """The rules for one image of a batch, with what mistakes in code ask about the rest of it.

    Parameters
    ----------
    trace : Trace
        This image's.
    rules : mapping of str to Rule
        How its steps follow.
    batch : sequence of Trace
        All images'.
    given : mapping of str to ndarray
        What is given, weights that the trace does not know among it, such as `W0_max`.
    """

    def __init__(
        self, trace: Trace, rules: Mapping[str, Rule], batch: Sequence[Trace], given: Mapping[str, np.ndarray]
    ):
        super().__init__(trace, rules)
        self.batch, self.given = batch, given

    @property
    def others(self) -> list[Trace]:
        """The traces of the other images."""
        return [trace for trace in self.batch if trace is not self.trace]


def of_a_point(inputs: tuple[str, ...], compute: Compute) -> Rule:
    """Return a rule for exact numbers only."""
    return Rule(inputs, compute, monotone_bound(compute), unspelled)


def constant(inputs: tuple[str, ...], value: np.ndarray) -> Rule:
    """Return the rule of a step that has this value, whatever its inputs are."""

    def compute(*arrays: np.ndarray) -> np.ndarray:
        return value

    return of_a_point(inputs, compute)


# --- the batch ---


def _over_the_batch(*steps: str) -> tuple[OneWay, ...]:
    """Return variants in which pools run over the images as well: all of them, or one."""

    def of(*names: str) -> OneWay:
        def change(c: BatchCalculation) -> Change:
            if not c.others or not all(name in c for name in names):
                return {}
            seen = {name: np.array([trace[name].value for trace in c.batch]) for name in names}
            pooled = {name: values.mean(0) if name.endswith("avg") else values.max(0) for name, values in seen.items()}
            return {name: constant(c[name].inputs, value) for name, value in pooled.items()}

        return change

    return (of(*steps), *map(of, steps))


def _softmax_over_the_batch(M: str, z: str) -> OneWay:
    def change(c: BatchCalculation) -> Change:
        if M not in c:
            return {}
        others = [np.asarray(trace[z].value) for trace in c.others]

        def shares(scores: np.ndarray) -> np.ndarray:
            return 1 / np.sum([np.exp(each - scores) for each in [scores, *others]], axis=0)

        return {M: of_a_point((z,), shares)}

    return change


def _each_weight(make: Callable[[BatchCalculation, Rule], Rule]) -> tuple[OneWay, ...]:
    """Return variants that change the gradients of all weights, or of one; `make` gets the calculation, the rule."""

    def of(*names: str) -> OneWay:
        def change(c: BatchCalculation) -> Change:
            return {name: make(c, c[name]) for name in names if name in c and len(c.batch) > 1}

        return change

    return (of(*WEIGHTS), *map(of, WEIGHTS))


def _divided_by_N(c: BatchCalculation, rule: Rule) -> Rule:
    def divided(gradient: np.ndarray) -> np.ndarray:
        return gradient / len(c.batch)

    return then(rule, divided, "")


def _of_the_last_image(c: BatchCalculation, rule: Rule) -> Rule:
    return rule if c.trace is c.batch[-1] else then(rule, np.zeros_like, "")


# --- axes ---


def _pooled(spec: str, as_long: str, over: str = "space") -> tuple[OneWay, ...]:
    """Return variants in which both pools, or one, run over other axes than they should.

    `as_long` names the axes that must be as long as each other, "CW", for the result to have a shape that fits.
    """
    letter = {"space": "F", "channels": "Fs"}[over]
    how: dict[str, Compute] = {"avg": np.mean, "max": np.max}

    def of(*pools: str) -> OneWay:
        names = {f"{letter}_{pool}": how[pool] for pool in pools}

        def change(c: BatchCalculation) -> Change:
            lengths = {n for axis, n in zip("CHW", c.shape, strict=True) if axis in as_long}
            if len(lengths) > 1 or lengths == {1} or not all(name in c for name in names):
                return {}
            rules = {name: reduction(c[name].inputs[0], spec, pool, "") for name, pool in names.items()}
            return {name: rule._replace(spell=unspelled) for name, rule in rules.items()}

        return change

    return of("avg", "max"), of("avg"), of("max")


def _over_the_channels_too(**functions: Compute) -> OneWay:
    """Return a variant in which every channel gets the same number: ``F_avg=np.mean``."""

    def one_for_all(function: Compute) -> Compute:
        def compute(F: np.ndarray) -> np.ndarray:
            return np.full(len(F), function(F))

        return compute

    def change(c: BatchCalculation) -> Change:
        if c.C == 1 or not all(name in c for name in functions):
            return {}
        return {name: of_a_point(c[name].inputs, one_for_all(function)) for name, function in functions.items()}

    return change


def _softmax_over_pixels(*axis: int) -> OneWay:
    def softmax(z: np.ndarray) -> np.ndarray:
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    def change(c: BatchCalculation) -> Change:
        return {"M_s": of_a_point(("z_s",), softmax)} if "M_s" in c else {}

    return change


# --- MLPs ---


def _another_mlp(pool: str) -> OneWay:
    """Return a variant in which one pool has the MLP with the weights `W0_max`, `W1_max`."""

    def change(c: BatchCalculation) -> Change:
        if "W0_max" not in c.given or f"z_{pool}" not in c:
            return {}
        b0 = ["h->h b0_max"] if "b0_max" in c.given else []
        b1 = ["c->c b1_max"] if "b1_max" in c.given else []
        h = products(*terms(f"hc,c->h W0_max F_{pool}", *b0))
        z = products(*terms(f"ch,h->c W1_max a_{pool}", *b1))
        return {f"h_{pool}": h, f"z_{pool}": z}

    return change


# --- orders ---


def _one_after_the_other(instead_of: str) -> OneWay:
    """Return a variant that runs channel attention, then spatial attention, where another order is right."""

    def change(c: BatchCalculation) -> Change:
        if c.trace.dialect.order != instead_of:
            return {}
        other = rules_of(c.trace, order="channel-spatial")
        return {n: r for n, r in other.items() if n in c and n[0] != "d" and r.inputs != c.trace.rules[n].inputs}

    return change


# --- ties ---


def ties_to(rule: Rule, over: str, ties: str) -> Rule:
    """Return the rule of a maximum's gradient with another rule for ties.

    Parameters
    ----------
    rule : Rule
        The gradient's.
    over : {"space", "channels"}
        What the maximum is over.
    ties : {"first", "split", "last", "all"}
        Who gets the gradient; "all" gives the whole of it to each.

    Returns
    -------
    Rule
        Of the same inputs.
    """
    (d, source), axes = rule.inputs, OVER[over][1]
    first = share_of_max(d, source, SPECS[over], "first")

    def to_the_last(d: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.flip(first.compute(d, np.flip(x, axes)), axes)

    def whole_to_each(d: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.where(x == x.max(axis=axes, keepdims=True), np.expand_dims(d, axes).astype(float), 0)

    if ties in ("first", "split"):
        return share_of_max(d, source, SPECS[over], ties)
    return of_a_point(rule.inputs, to_the_last if ties == "last" else whole_to_each)


def change_ties(rules: Mapping[str, Rule], over: str, ties: str) -> Change:
    """Return {step: rule} for the gradients of the maxima over space or channels with another rule for ties."""
    return {name: ties_to(rule, over, ties) for name, rule in rules.items() if name.endswith(OVER[over][0])}


def _whole_to_every_tie(*overs: str) -> OneWay:
    def change(c: BatchCalculation) -> Change:
        return {name: rule for over in overs for name, rule in change_ties(c, over, "all").items()}

    return change


CODE_MISTAKES = (
    mistake(
        "an MLP for each branch",
        "One MLP is shared: the average and the maximum go through the same W_0 and W_1.",
        _another_mlp("max"),
        _another_mlp("avg"),
        needs="z_avg z_max",
    ),
    mistake(
        "pooled over the batch as well, in the channel submodule",
        "Each image has its own M_c: pool over axes 2 and 3, the pixels, and not over axis 0, the images.",
        *_over_the_batch("F_avg", "F_max"),
    ),
    mistake(
        "pooled over the batch as well, in the spatial submodule",
        "Each image has its own M_s: pool over axis 1, the channels, and not over axis 0, the images.",
        *_over_the_batch("Fs_avg", "Fs_max"),
    ),
    mistake(
        "pooled over the channels as well, in the channel submodule",
        "Each channel has its own number: pool over axes 2 and 3, the pixels, and not over axis 1, the channels.",
        _over_the_channels_too(F_avg=np.mean, F_max=np.max),
        _over_the_channels_too(F_avg=np.mean),
        _over_the_channels_too(F_max=np.max),
    ),
    mistake(
        "pooled over the wrong axes in the channel submodule",
        "The pools run over axes 2 and 3 of (N, C, H, W), the pixels; what is left is (N, C).",
        *_pooled("cij->j", "CW"),
        *_pooled("cij->i", "CH"),
    ),
    mistake(
        "pooled over the wrong axis in the spatial submodule",
        "The pools run over axis 1 of (N, C, H, W), the channels; what is left is (N, H, W).",
        *_pooled("cij->cj", "CH", "channels"),
        *_pooled("cij->ci", "CHW", "channels"),
    ),
    mistake(
        "softmax over the batch",
        "Every weight is a sigmoid of its own score; the images have nothing to do with each other.",
        _softmax_over_the_batch("M_c", "z_c"),
        _softmax_over_the_batch("M_s", "z_s"),
    ),
    mistake(
        "softmax instead of the spatial sigmoid",
        "Every pixel has a sigmoid of its own; its weights need not add up to 1, as those of softmax do.",
        _softmax_over_pixels(0, 1),
        _softmax_over_pixels(0),
        _softmax_over_pixels(1),
    ),
    mistake(
        "channel attention before spatial attention",
        "In this order, spatial attention comes first, and channel attention looks at what it has weighted.",
        _one_after_the_other("spatial-channel"),
        needs="M_c M_s",
    ),
    mistake(
        "one attention after the other",
        "In parallel, both attentions look at F itself.",
        _one_after_the_other("parallel"),
        needs="M_c M_s",
    ),
    mistake(
        "the weights' gradients averaged over the batch",
        "A weight is used on every image: its gradients add up. If the loss is an average, its 1/N is in dout already.",
        *_each_weight(_divided_by_N),
    ),
    mistake(
        "= instead of += in the loop over the images",
        "A weight is used on every image: its gradients add up; here only the last image's is left.",
        *_each_weight(_of_the_last_image),
    ),
    mistake(
        "the whole gradient to every one of the tied maxima",
        "x == x.max() is true at each of them: divide by how many there are, or choose one.",
        _whole_to_every_tie("space", "channels"),
        _whole_to_every_tie("space"),
        _whole_to_every_tie("channels"),
    ),
)
