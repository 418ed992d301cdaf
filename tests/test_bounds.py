"""What follows from what was written: carried on from the student's own numbers, with their rounding."""

import numpy as np
import pytest

import cbam_np
from cbam_np.teach.calculation.bounds import Bounds, Circular, round_to, touches
from cbam_np.teach.mistakes.mistake import copy_of

nan = np.nan


@pytest.fixture
def trace():
    return cbam_np.lecture.trace()


def following(trace, **written):
    """Follow from {step: [(value, tolerance) or None, ...]}."""
    given = {step.name: np.asarray(step.value, float) for step in trace if step.given}
    arrays = {
        name: tuple(np.array([entry or (nan, nan) for entry in entries], float).T) for name, entries in written.items()
    }
    return Bounds(trace.rules, given, arrays)


def test_with_nothing_written_the_right_values_follow(trace):
    f = following(trace)
    for step in trace:
        low, high = f.allowed(step.name)
        np.testing.assert_allclose(low, np.asarray(step.value, float), rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(low, high)


def test_rounding_is_carried_on(trace):
    f = following(trace, F_avg=[(0.89, 0.005), None, (1.1, 0.05)])
    low, high = f.allowed("h_avg")
    assert low == pytest.approx([0.5 * 8 / 9, 0.5 * 8 / 9, 0.5 * 1.1])
    assert high == pytest.approx([0.5 * 0.89, 0.5 * 8 / 9, 0.5 * 10 / 9])  # from what was written to what was rounded


def test_a_wrong_number_is_carried_on_with_all_of_its_rounding(trace):
    low, high = following(trace, F_avg=[(0.5, 0.05), None, None]).allowed("z_avg")
    assert (low[0], high[0]) == pytest.approx((0.5 * 0.45, 0.5 * 0.55))
    assert low[1] == pytest.approx(high[1])


def test_steps_that_were_not_handed_in_may_have_been_rounded(trace):
    f = following(trace, F_avg=[(0.89, 0.005)] * 3)
    low, high = f.with_rounding(0.005).allowed("z_avg")  # h_avg and a_avg lie between: 0.4444 to 0.445, or rounded
    assert low[0] == pytest.approx(0.44) and high[0] == pytest.approx(0.45)
    low, high = f.with_rounding(0.005).allowed("z_max")
    assert low == pytest.approx([1, 1, 1]) == high  # whole numbers lose nothing
    low, high = f.allowed("z_avg")
    assert low[0] == pytest.approx(4 / 9) and high[0] == pytest.approx(0.445)
    assert f.with_rounding(0) is f


def test_rounding_on_the_way_explains_some_units_of_the_last_place_at_most(trace):
    strict, rounded = following(trace), following(trace).with_rounding(0.05)
    for name in ("dF", "dW0", "dM_c"):
        reach = 0.3 * np.maximum(1, rounded._gain(name))  # three units, and more where a step amplifies
        least, most = strict.allowed(name)[0] - reach, strict.allowed(name)[1] + reach
        low, high = rounded.allowed(name)
        assert (least - 1e-9 <= low).all() and (high <= most + 1e-9).all() and (low < high).any()


def test_rounding_as_at_school():
    assert round_to(np.array([0.445, -0.445, 0.444, 2.5]), 0.01) == pytest.approx([0.45, -0.45, 0.44, 2.5])
    assert round_to(np.array([0.5, 1.4]), 1.0) == pytest.approx([1, 1])


def test_what_was_written_does_not_move_the_step_itself(trace):
    low, _ = following(trace, F_avg=[(7, 0), None, None]).allowed("F_avg")
    assert low == pytest.approx([8 / 9, 8 / 9, 10 / 9])


def test_given_steps_can_be_copied_wrongly(trace):
    written = np.asarray(trace["F"].value, float)
    written[0, 0, 0] = 10
    given = {step.name: np.asarray(step.value, float) for step in trace if step.given}
    f = Bounds(trace.rules, given, {"F": (written, np.zeros_like(written))})
    assert f.allowed("F")[0][0, 0, 0] == 1 and f.allowed("F_max")[0][0] == 10


def test_a_changed_rule_reaches_what_depends_on_it_and_nothing_else(trace):
    f = following(trace, M_c=[(0.81, 0.005)] * 3)
    changed = f.with_rules({"z_c": copy_of("z_avg")})
    assert changed.allowed("z_c")[0] == pytest.approx([4 / 9, 4 / 9, 5 / 9])
    assert changed.allowed("M_c")[0] == pytest.approx(1 / (1 + np.exp(-np.array([4 / 9, 4 / 9, 5 / 9]))))
    assert changed.allowed("F_max") is f.allowed("F_max")
    assert changed.allowed("F'") is f.allowed("F'")  # M_c was written: the change does not get past it
    again = changed.with_rules({"F_max": copy_of("F_avg")})
    assert again.allowed("z_max")[0] == pytest.approx([4 / 9, 4 / 9, 5 / 9])
    assert again.allowed("z_c")[0] == pytest.approx([4 / 9, 4 / 9, 5 / 9])


def test_upstream_ends_at_what_was_written(trace):
    f = following(trace, z_avg=[(0.44, 0.005)] * 3, F_max=[(2, 0), None, None])
    assert f.upstream("M_c") == {"M_c": 0, "z_c": 1, "z_max": 2, "a_max": 3, "h_max": 4, "F_max": 5}
    assert following(trace, z_c=[(1, 0)] * 3).upstream("M_c") == {"M_c": 0}


def test_rules_that_lead_in_a_circle_are_noticed(trace):
    with pytest.raises(Circular):
        following(trace).with_rules({"F_avg": copy_of("M_c")}).allowed("M_c")


def test_touching_allows_for_noise_only():
    assert touches(1.0, 2.0, 2.5, 0.5) and touches(1.0, 2.0, 2 + 1e-10, 0)
    assert not touches(1.0, 2.0, 2.51, 0.5) and not touches(1.0, 2.0, 2 + 1e-7, 0)
    assert not touches(nan, nan, 1.0, 10.0)
