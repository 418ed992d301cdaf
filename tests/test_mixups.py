"""Mistakes of the calculator, of counting and of mixing things up: each is named when it is made."""

import numpy as np
import pytest

import cbam_np
from benchmarks.student import Student
from cbam_np import check
from cbam_np.teach.mistakes import calculator, counts, further_occurrences, map_mixups, mixups

MISTAKES = [m.name for room in (calculator, counts, mixups, map_mixups) for m in room.MISTAKES]
TRACES = [
    *(cbam_np.worksheet(seed, "full").trace for seed in (61, 62)),
    cbam_np.worksheet(52, "full", ties=True).trace,
    cbam_np.worksheet(53, "full", bias=True, channels=2, size=3).trace,
]


def floats(trace):
    return {step.name: np.asarray(step.value, float) for step in trace}


@pytest.mark.parametrize("name", MISTAKES)
def test_who_makes_it_hears_its_name(name):
    """Made on worksheets with negative numbers, carried on with three decimals, it is named first at least once."""
    said = []
    for trace in TRACES:
        for made in further_occurrences(trace):
            if made.name != name:
                continue
            student = Student(trace, 3, made.changes)
            if student.first_wrong(list(trace.rules)) is None:
                continue
            found = check(student.answers(list(trace.rules)), trace).explanations
            said.append(found[0].name if found else None)
            if said[-1] == name:
                return
    pytest.fail(f"said instead: {said}")


@pytest.mark.parametrize("trace", TRACES[1:], ids=["plain", "ties", "bias"])
def test_wrong_rules_fit_their_steps_and_keep_their_bounds(trace, rng):
    values = floats(trace)
    for mistake, _, change in further_occurrences(trace):
        if mistake.name not in MISTAKES:
            continue
        for step, rule in change.items():
            points = [values[name] for name in rule.inputs]
            wrong = rule.compute(*points)
            assert wrong.shape == trace[step].shape, (mistake.name, step)
            for end in rule.bound(points, points):
                np.testing.assert_allclose(end, wrong, rtol=1e-9, atol=1e-12, err_msg=f"{mistake.name}, {step}")
            reach = [0.002 * rng.random(x.shape) for x in points]
            low, high = rule.bound(*([x + sign * r for x, r in zip(points, reach, strict=True)] for sign in (-1, 1)))
            for _ in range(10):
                sample = rule.compute(
                    *(x + r * rng.uniform(-1, 1, r.shape) for x, r in zip(points, reach, strict=True))
                )
                inside = (low - 1e-9 <= sample) & (sample <= high + 1e-9) | np.isnan(sample)
                assert inside.all(), f"{mistake.name}, {step}"


def test_whole_numbers_may_be_decimals_without_their_zeros():
    """σ(8.110) is 0.9997: who writes three decimals and drops zeros writes 1."""
    trace = cbam_np.lecture.trace()
    verdicts = [j.verdict for j in check({"z_c[1]": "8.110", "M_c[1]": "1"}, trace).judgements]
    assert verdicts == ["wrong", "follows"]
    for score in ("6.110", "8"):  # 0.9978 is not 1.000, and who writes whole numbers only has dropped no zeros
        assert check({"z_c[1]": score, "M_c[1]": "1"}, trace).judgements[1].verdict == "wrong"
