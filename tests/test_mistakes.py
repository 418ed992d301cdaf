"""Every mistake runs, can happen somewhere, gives what one gets who makes it, and keeps its bounds."""

from fractions import Fraction

import numpy as np
import pytest

import cbam_np
from benchmarks.slips import written_wrongly
from cbam_np.cbam import get_dialect
from cbam_np.teach.answers.reading import written
from cbam_np.teach.calculation.steps import trace_cbam
from cbam_np.teach.mistakes import MISTAKES, SLIPS, occurrences
from cbam_np.teach.mistakes.any_step import _shifted
from cbam_np.teach.mistakes.mistake import made_on_top
from cbam_np.teach.mistakes.prior import PRIOR

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


def example(**options):
    """An example in which every mistake can happen: a square MLP with biases, a tie, a kernel smaller than the map."""
    rng = np.random.default_rng(5)
    F = rng.integers(-2, 4, (3, 4, 4))
    F[0, 0, 0] = F[0, 1, 1] = 5
    params = {"W0": rng.normal(size=(3, 3)), "W1": rng.normal(size=(3, 3)), "W7": rng.normal(size=(1, 2, 3, 3))}
    choices = {name: value for name, value in options.items() if name not in ("dialect", "running")}
    dialect = get_dialect(options.get("dialect", "paper"), **choices)
    params |= {"b0": rng.normal(size=3), "b1": rng.normal(size=3)} if dialect.mlp_bias else {}
    params |= {"gamma": np.array([1.5]), "beta": np.array([-0.25])} if dialect.spatial_norm else {}
    return trace_cbam(F, params, rng.integers(-2, 3, F.shape), **options)


TRACES = {
    "biases": example(mlp_bias=True),
    "spatial first": example(order="spatial-channel"),
    "parallel": example(order="parallel", ties="split"),
    "two rules for ties": example(ties=("split", "first")),
    "official": example(dialect="official"),
    "timm, in inference": example(dialect="timm", running=([0.3], [1.7])),
    "channel": example(order="channel"),
    "spatial": example(order="spatial"),
    "SE": example(order="channel", channel_pools=("avg",)),
    "maxima": example(channel_pools=("max",), spatial_pools=("max", "avg")),
    "slides": cbam_np.lecture.trace("slides"),
    "shared": cbam_np.lecture.trace("shared"),
    "one pixel": trace_cbam(np.ones((1, 1, 1)), {"W0": [[1]], "W1": [[1]], "W7": np.ones((1, 2, 1, 1))}, [[[1]]]),
}


def floats(trace):
    return {step.name: np.asarray(step.value, float) for step in trace}


def test_names_and_sentences():
    assert len(BY_NAME) == len(MISTAKES) >= 100
    assert len({slip.name for slip in SLIPS}) == len(SLIPS) >= 4
    for mistake in (*MISTAKES, *SLIPS):
        assert mistake.sentence.endswith(".") or mistake.sentence.endswith(".)"), mistake
        assert not mistake.name.endswith(".")


def test_every_mistake_can_happen():
    happens = {mistake.name for trace in TRACES.values() for mistake, _, _ in occurrences(trace)}
    assert happens == set(BY_NAME)


@pytest.mark.parametrize("name", TRACES)
def test_wrong_rules_give_what_fits_the_step(name, rng):
    trace = TRACES[name]
    values = floats(trace)
    for mistake, _, change in occurrences(trace):
        for step, rule in change.items():
            points = [values[i] for i in rule.inputs]
            wrong = rule.compute(*points)
            assert wrong.shape == trace[step].shape, (mistake.name, step)
            for end in rule.bound(points, points):
                np.testing.assert_allclose(end, wrong, rtol=1e-9, atol=1e-12, err_msg=f"{mistake.name}, {step}")


# averages of what is not 0 and places of maxima jump: no bound holds across the jump
JUMPS = ("zeros left out", "place instead of", "rounded too early")


def test_wrong_rules_keep_their_bounds(rng):
    trace = TRACES["biases"]
    values = floats(trace)
    for mistake, _, change in occurrences(trace):
        for step, rule in change.items() if not any(word in mistake.name for word in JUMPS) else ():
            reach = {i: 0.05 * rng.random(values[i].shape) for i in rule.inputs}
            low, high = rule.bound(
                [values[i] - reach[i] for i in rule.inputs], [values[i] + reach[i] for i in rule.inputs]
            )
            for _ in range(20):
                moved = {i: values[i] + r * rng.uniform(-1, 1, r.shape) for i, r in reach.items()}
                sample = rule.compute(*(moved[i] for i in rule.inputs))
                inside = (low - 1e-9 <= sample) & (sample <= high + 1e-9) | np.isnan(sample)
                assert inside.all(), f"{mistake.name}, {step}"


def gives(name, step, mlp="shared", trace=None):
    """Return what comes out of a step for those who make a mistake, in its variants."""
    trace = trace or cbam_np.lecture.trace(mlp)
    values = floats(trace)
    changes = [change for mistake, _, change in occurrences(trace) if mistake.name == name and step in change]
    return [change[step].compute(*(values[i] for i in change[step].inputs)) for change in changes]


third, ninth = Fraction(1, 3), Fraction(1, 9)


@pytest.mark.parametrize(
    ("name", "step", "expected"),
    [
        ("the average over space taken twice", "F_max", [8 * ninth, 8 * ninth, 10 * ninth]),
        ("the maximum over space taken twice", "F_avg", [2, 2, 2]),
        ("divided by C instead of H·W", "F_avg", [8 * third, 8 * third, 10 * third]),
        ("the sum instead of the average over space", "F_avg", [8, 8, 10]),
        ("zeros left out of the average over space", "F_avg", [8 / 6, 8 / 6, 10 / 7]),
        ("the median instead of the average over space", "F_avg", [1, 1, 1]),
        ("the minimum instead of the maximum over space", "F_max", [0, 0, 0]),
        ("the maximum's place instead of its value, over space", "F_max", [3, 5, 0]),
        ("ReLU forgotten", "a_avg", [2 * 8 / 9 + 2.5 * 8 / 9 - 4 * 10 / 9]),
        ("W_0 and W_1 swapped", "h_max", [2 * (1 + 0.5 - 1)]),
        ("the maximum's branch missing", "z_c", [0, 0, 0]),
        ("the branches averaged instead of added", "z_c", [0.5, 0.25, -0.5]),
        ("the branches multiplied instead of added", "z_c", [0, 0, 0]),
        ("the channel sigmoid forgotten", "M_c", [1, 0.5, -1]),
        ("tanh instead of the channel sigmoid", "M_c", np.tanh([1, 0.5, -1])),
        ("softmax instead of the channel sigmoid", "M_c", np.exp([1, 0.5, -1]) / np.exp([1, 0.5, -1]).sum()),
        ("the sign in the channel sigmoid", "M_c", 1 / (1 + np.exp([1, 0.5, -1]))),
        ("M_c not multiplied", "F'", cbam_np.lecture.F),
        ("the ReLU mask forgotten", "dh_avg", floats(cbam_np.lecture.trace("shared"))["da_avg"]),
    ],
)
def test_known_values(name, step, expected):
    first = gives(name, step)[0]
    np.testing.assert_allclose(first, np.asarray(expected, float), rtol=1e-12)


def convolved(maps, W7, pad, **how):
    """Cross-correlate one number at a time."""
    padded = np.pad(maps, ((0, 0), (pad, pad), (pad, pad)), **how)
    k = W7.shape[-1]
    H, W = (n - k + 1 for n in padded.shape[1:])
    return np.array([[(padded[:, i : i + k, j : j + k] * W7).sum() for j in range(W)] for i in range(H)])


def test_mistakes_with_the_kernel():
    trace = TRACES["biases"]
    values = floats(trace)
    maps, W7 = np.stack([values["Fs_avg"], values["Fs_max"]]), values["W7"]

    def has(name, expected):
        assert any(np.allclose(got, expected, equal_nan=True) for got in gives(name, "z_s", trace=trace)), name

    np.testing.assert_allclose(convolved(maps, W7, 1), values["z_s"])
    has("the maximum map left out of the convolution", convolved(maps[:1], W7[:1], 1))
    has("the average map left out of the convolution", convolved(maps[1:], W7[1:], 1))
    has("the kernel flipped", convolved(maps, W7[:, ::-1, ::-1], 1))
    has("the kernel's rows and columns swapped", convolved(maps, W7.transpose(0, 2, 1), 1))
    has("average and maximum map swapped in the concatenation", convolved(maps[::-1], W7, 1))
    has("padding with the border's values", convolved(maps, W7, 1, mode="edge"))
    has("padding with the border's values", convolved(maps, W7, 1, mode="reflect"))
    has("padding round the corner", convolved(maps, W7, 1, mode="wrap"))
    has("the maximum map left out of the convolution", convolved(maps[:1], W7[:1], 1))
    inside = np.full((4, 4), np.nan)
    inside[:2, :2] = convolved(maps, W7, 0)
    has("padding forgotten", inside)
    corner = convolved(np.pad(maps, ((0, 0), (0, 2), (0, 2))), W7, 0)
    has("the kernel's corner on the pixel instead of its middle", corner)


def test_mistakes_on_the_way_back():
    trace = TRACES["biases"]
    v = floats(trace)
    (all_places,) = (g for g in gives("the maximum's gradient sent everywhere", "dF_via_F_max", trace=trace))
    np.testing.assert_allclose(all_places, np.broadcast_to(v["dF_max"][:, None, None], (3, 4, 4)))
    (undivided,) = gives("the average's gradient not divided", "dF_via_F_avg", trace=trace)
    np.testing.assert_allclose(undivided, 16 * v["dF_via_F_avg"])
    (half,) = gives("another rule for ties", "dF_via_F_max", trace=trace)
    assert half[0, 0, 0] == half[0, 1, 1] == v["dF_max"][0] / 2 and v["dF_via_F_max"][0, 1, 1] == 0
    (direct,) = gives("the product rule's second term forgotten", "dF", trace=trace)
    np.testing.assert_allclose(direct, v["dF_direct"])
    (slope,) = gives("the sigmoid's derivative taken at M instead of z", "dz_s", trace=trace)
    s = 1 / (1 + np.exp(-v["M_s"]))
    np.testing.assert_allclose(slope, v["dM_s"] * s * (1 - s))
    one, other = gives("one branch dropped from dW_1", "dW1", trace=trace)
    np.testing.assert_allclose(one + other, v["dW1"])
    (flipped,) = gives("the kernel flipped in its gradient", "dW7", trace=trace)
    np.testing.assert_allclose(flipped, v["dW7"][:, ::-1, ::-1])


def test_another_rule_for_ties_is_the_one_that_the_dialect_has_not():
    trace = TRACES["two rules for ties"]
    v = floats(trace)
    (over_space,) = gives("another rule for ties", "dF_via_F_max", trace=trace)
    assert v["dF_via_F_max"][0, 0, 0] == v["dF_via_F_max"][0, 1, 1] == v["dF_max"][0] / 2
    assert over_space[0, 0, 0] == v["dF_max"][0] and over_space[0, 1, 1] == 0
    ones = np.ones((2, 2, 2))
    tied = trace_cbam(ones, {"W7": np.ones((1, 2, 3, 3))}, ones, order="spatial", ties=("split", "first"))
    (over_channels,) = gives("another rule for ties", "dF_via_Fs_max", trace=tied)
    assert not tied["dF_via_Fs_max"].value[1].any()  # all to the first channel
    np.testing.assert_allclose(over_channels, np.broadcast_to(tied["dF_via_Fs_max"].value[0] / 2, (2, 2, 2)))


def test_without_ties_there_is_no_other_rule_for_them():
    trace = cbam_np.worksheet(61, "full").trace
    assert ((maps := floats(trace)["F'"]) == maps.max(axis=0)).sum() == maps[0].size
    assert gives("another rule for ties", "dF'_via_Fs_max", trace=trace) == []


def test_an_index_may_be_off_by_one_in_either_direction():
    x = np.arange(9.0).reshape(3, 3)
    nan = np.nan
    np.testing.assert_array_equal(_shifted(1)(x), [[4, 5, nan], [7, 8, nan], [nan, nan, nan]])
    np.testing.assert_array_equal(_shifted(-1)(x), [[nan, nan, nan], [nan, 0, 1], [nan, 3, 4]])


def test_what_depends_on_the_sizes_is_made_where_they_differ(rng):
    params = {"W0": rng.normal(size=(1, 2)), "W1": rng.normal(size=(2, 1)), "W7": rng.normal(size=(1, 2, 3, 3))}
    trace = trace_cbam(rng.normal(size=(2, 3, 4)), params)
    sums = floats(trace)["F"].sum(axis=(1, 2))
    np.testing.assert_allclose(gives("divided by H or W instead of H·W", "F_avg", trace=trace), [sums / 3, sums / 4])
    np.testing.assert_allclose(gives("divided by C instead of H·W", "F_avg", trace=trace), [sums / 2])
    right = floats(trace)["F_avg"]  # of two channels
    np.testing.assert_array_equal(gives("an index one too low", "F_avg", trace=trace), [[np.nan, right[0]]])


def test_the_other_orders_are_the_dialect_s():
    params = cbam_np.lecture.parameters("shared")
    other = trace_cbam(cbam_np.lecture.F, params, order="spatial-channel")
    changes = next(
        c for m, _, c in occurrences(cbam_np.lecture.trace("shared")) if m.name.startswith("spatial attention")
    )
    values = {step.name: np.asarray(step.value, float) for step in cbam_np.lecture.trace("shared") if step.given}

    def value(name):
        if name not in values:
            rule = changes.get(name) or cbam_np.lecture.trace("shared").rules[name]
            values[name] = rule.compute(*map(value, rule.inputs))
        return values[name]

    for name in ("M_s", "F'", "F_avg", "M_c", "F''"):
        np.testing.assert_allclose(value(name), np.asarray(other[name].value, float), rtol=1e-12)


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
@pytest.mark.parametrize("value", [0.80902, -1.2346, 2.4996, 0.5037])
@pytest.mark.parametrize("decimals", [2, 3])
def test_slips_are_read_as_what_was_meant(slip, value, decimals):
    text = written_wrongly(slip.name, value, decimals)
    if text is None:
        return
    number = written(text, "M_c[1]")
    assert abs(float(number.value) - value) > float(number.tolerance)  # wrong as it stands
    readings = slip.meanings(number)
    half_a_unit = 0.5 * 10.0**-decimals  # the number was rounded before it was written wrongly
    assert any(abs(meant - value) <= float(reach) + half_a_unit for meant, reach in readings), (text, readings)


def test_slips_explain_no_exact_fraction_s_digits():
    for slip in SLIPS:
        for meant, reach in slip.meanings(written("8/9", "F_avg[1]")):
            assert (reach == 0 and abs(meant) != pytest.approx(8 / 9)) or meant == pytest.approx(-8 / 9)


def test_the_prior_names_mistakes_that_there_are():
    names = [name for kind in PRIOR for name in kind.mistakes]
    known = {mistake.name for mistake in (*MISTAKES, *SLIPS)}
    assert set(names) <= known and len(names) == len(set(names))
    assert [kind.unlikely for kind in PRIOR] == sorted(kind.unlikely for kind in PRIOR)


def test_swapped_matrices_come_after_what_is_likelier():
    """On the slides W_0 = 1/2 and W_1 = 1, so that leaving W_0 out and swapping the two give the same numbers."""
    trace = cbam_np.lecture.trace()
    report = cbam_np.check({"F_avg": ["8/9", "8/9", "10/9"], "h_avg": ["8/9", "8/9", "10/9"]}, trace)
    names = [explanation.name for explanation in report.explanations]
    assert names[0] == "W_0 left out" and "W_0 and W_1 swapped" in names


def test_a_mistake_on_top_of_others_needs_steps_that_are_computed_as_before():
    rule = cbam_np.lecture.trace().rules["F_avg"]
    other = rule._replace(inputs=("F_max",))

    def on_top(made, done=rule):
        return made_on_top(lambda c: made, {"F_avg": rule}, {"F_avg": done}, {"F_avg": rule}, lambda rules: rules)

    assert on_top({"F_avg": rule}) == {"F_avg": rule}
    assert on_top({}) is None and on_top([{"F_avg": rule}]) is None
    assert on_top({"F_avg": rule._replace(inputs=())}) is None
    assert on_top({"F_avg": rule}, done=other) is None
    assert made_on_top(lambda c: {}, {"F_max": rule}, {"F_avg": rule}, {}, dict) == {"F_max": rule}
