"""A wrong answer is explained by the mistake that was made, alone or in a pair, and is never guessed."""

import numpy as np
import pytest

import cbam_np
from benchmarks.student import Student
from cbam_np.teach.check import check
from cbam_np.teach.diagnosis import numbers
from cbam_np.teach.mistakes import occurrences
from cbam_np.teach.worksheets.worksheet import worksheet


def names(answers, trace="slides"):
    trace = cbam_np.lecture.trace(trace) if isinstance(trace, str) else trace
    return [explanation.name for explanation in check(answers, trace).explanations]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"F_avg[1]": "8"}, "the sum instead of the average over space"),
        ({"F_avg[1]": "2.67"}, "divided by C instead of H·W"),
        ({"F_avg[1]": "8/6"}, "zeros left out of the average over space"),
        ({"F_avg[1]": "8/9", "h_avg[1]": "0.4450"}, "rounded too early"),
        ({"F_max": ["0.89", "0.89", "1.11"]}, "the average over space taken twice"),
        ({"M_c": ["0.731", "0.731", "0.731"]}, "the average's branch missing"),
        ({"z_c[1]": "1.444", "M_c[1]": "1.444"}, "the channel sigmoid forgotten"),
        ({"z_c[1]": "1.444", "M_c[1]": "0.191"}, "the sign in the channel sigmoid"),
        ({"M_c": ["0.809", "0.809", "0.826"], "F'[1,2,1]": "1.309"}, "M_c multiplied twice"),
        ({"F'": cbam_np.lecture.F.tolist()}, "M_c not multiplied"),
        ({"M_c[1]": "0.890"}, "two digits swapped"),
        ({"M_c[1]": "8.09"}, "the decimal point in the wrong place"),
        ({"M_c[1]": "-0.809"}, "the sign lost"),
        ({"M_c[1]": "1"}, "rounded further than written"),
    ],
)
def test_single_mistakes_on_the_slides(answers, expected):
    assert expected in names(answers)


def test_a_right_sheet_has_no_explanations():
    assert names({"M_c[1]": "0.81"}) == []


@pytest.mark.parametrize("number", ["0.3333", "17.123", "-2.718", "0.6180"])
def test_what_nothing_explains_stays_unexplained(number):
    right = {"z_avg": ["4/9", "4/9", "5/9"], "z_max": ["1", "1", "1"], "z_c": ["13/9", "13/9", "14/9"]}
    assert names(right | {"M_c[1]": number}) == []
    assert names({"F''[2,1,2]": number}) == []


def student(trace, *mistakes, decimals=4):
    changes = {}
    for name in mistakes:
        changes |= next(change for mistake, _, change in occurrences(trace) if mistake.name == name)
    return Student(trace, decimals, changes)


PAIRS = [
    ("the sum instead of the average over space", "the sigmoid before the sum"),
    ("the minimum instead of the maximum over space", "the branches subtracted instead of added"),
    ("ReLU forgotten", "tanh instead of the channel sigmoid"),
    ("the median instead of the average over space", "the channel sigmoid forgotten"),
]


@pytest.mark.parametrize("pair", PAIRS, ids=" + ".join)
def test_pairs_where_the_steps_between_are_missing(pair):
    trace = worksheet(3).trace
    answers = student(trace, *pair).answers(["M_c"])
    report = check(answers, trace)
    found = [{m.name for m in explanation.hypotheses} for explanation in report.explanations]
    assert set(pair) in found and len(found) <= 3


def test_pairs_at_one_step():
    trace = worksheet(3).trace
    rules = dict(trace.rules)
    from cbam_np.teach.calculation.cbam_rules import convolution

    rules["z_s"] = convolution("W7", "Fs_max", "Fs_avg", turn=lambda W: W[:, ::-1, ::-1])
    answers = Student(trace, 3, rules).answers(["M_c", "F'", "Fs_avg", "Fs_max", "z_s"])
    (explanation,) = check(answers, trace).explanations
    assert {m.name for m in explanation.hypotheses} == {
        "average and maximum map swapped in the concatenation",
        "the kernel flipped",
    }


def test_with_few_digits_no_pair_is_named_and_the_chance_is_told():
    """One decimal of one number: some pair would fit whatever was written."""
    trace = worksheet(3).trace
    for n in range(-20, 30, 3):
        for explanation in check({"M_c[1]": f"{n / 10}"}, trace).explanations:
            assert len(explanation.hypotheses) == 1 and explanation.chance > 0.5
    (explanation, *_) = check(student(trace, "the kernel flipped").answers(["F'", "z_s"]), trace).explanations
    assert explanation.chance < 1e-6


def test_the_rest_of_the_sheet_decides_between_mistakes():
    trace = worksheet(3).trace
    both = student(trace, "average and maximum over space changed places").answers(["F_avg", "F_max"])
    assert names(both, trace)[:1] == ["average and maximum over space changed places"]
    one = student(trace, "the maximum over space taken twice").answers(["F_avg", "F_max"])
    assert names(one, trace)[:1] == ["the maximum over space taken twice"]


def test_a_mistake_in_one_entry_only():
    """Channel 2 alone was divided by C: two answers speak against the mistake and one for it, so it is not named."""
    trace = worksheet(3).trace
    right = Student(trace, 3).answers(["F_avg"])["F_avg"]
    wrong = gives = student(trace, "divided by C instead of H·W", decimals=3).answers(["F_avg"])["F_avg"]
    answers = {"F_avg": [right[0], gives[1], right[2]]}
    report = check(answers, trace)
    assert report.first_wrong.name == "F_avg[2]"
    assert all(explanation.against <= explanation.explained for explanation in report.explanations)
    assert wrong[0] != right[0]


def test_without_its_mistake_the_catalogue_explains_nothing(monkeypatch):
    trace = worksheet(3).trace
    answers = student(trace, "the kernel flipped").answers(["Fs_avg", "Fs_max", "z_s"])
    assert names(answers, trace) == ["the kernel flipped"]
    without = [c for c in occurrences(trace) if c[0].name != "the kernel flipped"]
    monkeypatch.setattr(numbers, "occurrences", lambda trace: without)
    assert names(answers, trace) == []


def test_a_mistake_by_itself_is_weighed_alike_after_a_pair_that_begins_with_it():
    trace = worksheet(3).trace
    pair = "the sigmoid before the sum", "the channel sigmoid forgotten"
    alone, other = (next(made for made in occurrences(trace) if made[0].name == name) for name in pair)
    report = check(student(trace, pair[0]).answers(["M_c"]), trace)
    wrong = np.isin(np.arange(len(trace["M_c"].value)), [judgement.index[0] for judgement in report.wrong])
    readings = report.numbers.readings["M_c"]
    bounds = report.following.with_rounding(0.5e-4)  # four decimals
    evidence = numbers.NumbersOnPaper(trace, bounds, "M_c", {"M_c": wrong}, readings)
    evidence.weigh(alone, other)
    fit = evidence.weigh(alone)
    assert wrong.any() and fit is not None and fit.explains and fit.whole
