"""Mistakes beyond the catalogue: in use, from the rules, at single entries; and what is said of them."""

import numpy as np
import pytest

import cbam_np
from benchmarks.student import Student
from cbam_np import check
from cbam_np.teach.mistakes import FURTHER, MISTAKES, further_occurrences, relatives

TRACE = cbam_np.lecture.trace("shared")
SLIDES = cbam_np.lecture.trace()
FORWARD = [name for name in TRACE.rules if not name.startswith("d")]


def first(answers, trace=SLIDES):
    """Return the name of the first explanation of the first wrong step."""
    found = check(answers, trace).explanations
    return found[0].name if found else None


@pytest.mark.parametrize("name", [mistake.name for mistake in FURTHER])
def test_every_further_mistake_is_named(name):
    """Planted in the lecture's example, in its two readings, it is named first at least once, or as an equal."""
    outcomes = []
    for trace in (TRACE, SLIDES):
        for made in further_occurrences(trace):
            if made.name != name:
                continue
            student = Student(trace, 4, made.changes)
            if student.first_wrong(list(trace.rules)) is None:
                continue
            report = check(student.answers(list(trace.rules)), trace)
            outcomes.append(name in [explanation.name for explanation in report.explanations])
            if outcomes[-1]:
                return
    assert not outcomes, f"never named, tried {len(outcomes)} times"


def test_names_are_not_those_of_the_catalogue():
    assert not {mistake.name for mistake in FURTHER} & {mistake.name for mistake in MISTAKES}
    assert len({mistake.name for mistake in FURTHER}) == len(FURTHER)
    for mistake in FURTHER:
        assert mistake.sentence.endswith(".") and not mistake.name.endswith(".") and not mistake.combines


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        (
            {"F_avg[1]": "0.889", "F_max[1]": "2", "z_avg[1]": "0.445", "z_max[1]": "0.445"},
            "the average used in both branches",
        ),
        ({"F_avg[1]": "0.78", "F_max[1]": "2"}, "an arithmetic slip: the sum is one off"),
        ({"z_avg[1]": "0.445", "z_max[1]": "1", "z_c[1]": "1.345"}, "an arithmetic slip: one digit is one off"),
        ({"z_avg[1]": "0.445", "z_max[1]": "1", "z_c[1]": "1.89"}, "one term of the sum counted twice"),  # the first
        ({"z_c[1]": "1.445", "M_c[1]": "1.236"}, "the sigmoid not inverted: 1 + e^(-z)"),
        ({"z_c[1]": "1.445", "M_c[1]": "3.43"}, "two forms of the sigmoid mixed: e^z / (1 + e^(-z))"),
        (
            {"M_c": ["0.809", "0.809", "0.826"], "F'[3]": "1.618 1.652 0.826 0 0.826 0 0.826 0.826 1.652"},
            "another entry's",
        ),
    ],
)
def test_what_is_said_first(answers, name):
    assert first(answers).startswith(name)


def test_a_product_left_out_of_the_convolution():
    student = Student(TRACE, 3)
    answers = student.answers(["Fs_avg", "Fs_max", "z_s"])
    maps = student.value("Fs_avg")
    answers["z_s"][0, 0] = f"{student.computed('z_s', TRACE.rules)[0, 0] - maps[0, 1] / 2:.3f}"  # W7[1,4,5] = 1/2
    assert first(answers, TRACE) == "one term of the sum left out"


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ({"F_avg": "7.111, 7.111, 8.222"}, "the brackets forgotten in the average over space"),
        (
            {"M_c": "0.8091, 0.8091, 0.8257", "Fs_avg[1,1]": "1.3596"},
            "the brackets forgotten in the average over channels",
        ),
        ({"F_avg": "1, 1, 1.25"}, "the average over space divided by one too few"),
        ({"F_avg": "0.8, 0.8, 1"}, "the average over space divided by one too many"),
        ({"F_avg": "0.296, 0.296, 0.370"}, "the average over space divided by C·H·W"),
        ({"z_c": "1.445, 1.445, 1.556", "M_c": "0.9654, 0.9654, 0.9730"}, "10 instead of e in the sigmoid"),
        ({"z_c": "1.445, 1.445, 1.556", "M_c": "1.308, 1.308, 1.267"}, "a minus instead of the plus in the sigmoid"),
        ({"z_c": "1.445, 1.445, 1.556", "M_c": "4.24, 4.24, 4.74"}, "the 1 forgotten in the sigmoid: 1/e^(-z)"),
        (
            {"M_c": "0.809, 0.809, 0.826", "dM_c": "2.747, 0.664, 1.348", "dz_c": "1.413, -0.272, 0.287"},
            "the brackets forgotten in M (1 - M)",
        ),
    ],
)
def test_brackets_powers_and_counts(answers, name):
    """Worked out by hand from the slides' numbers: 7 + 1/9, 8/8, 8/10, 8/27, 1/(1 + 10^-1.445), 2·0.8 - 0.8, ..."""
    assert first(answers).startswith(name)


def test_who_gets_the_gradient_of_a_tied_maximum():
    """F_1 has its maximum 2 at [2,1] and at [3,2], and the rule of the slides' example gives it to the first."""
    given = {"dF_max[1]": "0.212", "dF_via_F_max[1]": "0, 0, 0, 0.212, 0, 0, 0, 0.212, 0"}
    assert first(given) == "the gradient given to every tied maximum"
    text = " ".join(str(check(given, SLIDES)).split())
    assert "0.212 if this 2 is the first maximum of (1, 0, 1, 2, 1, 0, 0, 2, 1), else 0; here 0" in text
    given["dF_via_F_max[1]"] = "0, 0, 0, 0, 0, 0, 0, 0.212, 0"
    assert first(given) == "the gradient given to the last of the tied maxima"


def test_a_kernel_one_column_off_is_no_row_of_copied_neighbours():
    """All but the last column are a neighbour's numbers: what explains the whole map comes first."""
    (made,) = [made for made in relatives(SLIDES) if made.name == "the kernel off by 1 column"][:1]
    assert first(Student(SLIDES, 3, made.changes).answers(["Fs_avg", "Fs_max", "z_s"])) == "the kernel off by 1 column"


def test_an_explanation_that_is_contradicted_stands_beside_no_better_one():
    """The other branch's mask would explain dh_max[2] as well, but dh_avg, which is right, speaks against it."""
    sheet = cbam_np.worksheet(31, "backward")
    steps = ["dz_c", "da_avg", "dh_avg", "da_max", "dh_max"]
    answers = Student(sheet.trace, 3).answers(steps)
    report = sheet.check(answers | {"dh_max": answers["da_max"]})
    assert report.first_wrong.name == "dh_max[2]"
    assert [explanation.name for explanation in report.explanations] == ["the ReLU mask forgotten"]


def test_a_kernel_anywhere_else():
    (made,) = [made for made in relatives(TRACE) if made.name == "padding of 1 instead of 3"]
    answers = Student(TRACE, 3, made.changes).answers(["Fs_avg", "Fs_max", "z_s"])
    assert first(answers, TRACE) == "padding of 1 instead of 3"


def test_another_step_as_an_operand():
    (made,) = [m for m in relatives(TRACE) if m.name == "dF'' in place of dF'" and "dM_c" in m.changes]
    answers = Student(TRACE, 3, made.changes).answers(["dF'", "dM_c"])
    assert first(answers, TRACE) == "dF'' in place of dF'"


def test_every_wrong_step_is_diagnosed():
    answers = {"F_avg[1]": "2.67", "F_max[1]": "2", "M_c[1]": "0.09"}
    report = check(answers, SLIDES)
    assert list(report.diagnoses) == ["F_avg", "M_c"]
    assert report.diagnoses["F_avg"][0].name == "divided by C instead of H·W"
    assert report.diagnoses["M_c"][0].name == "the sign in the channel sigmoid"
    assert "M_c looks like: the sign in the channel sigmoid" in " ".join(str(report).split())


def test_more_answers_speak_for_an_explanation_than_against_it():
    answers = {
        "M_c": ["0.809"] * 2 + ["0.826"],
        "M_s[1,1]": "0.496",
        "F''[1,1,1]": "0.2",
        "F''[1,1,2]": "0",
        "F''[1,1,3]": "0.347",
    }
    for explanation in check(answers, SLIDES).explanations:
        assert explanation.against <= explanation.explained


def test_random_numbers_are_not_explained():
    rng, explained = np.random.default_rng(0), 0
    student = Student(TRACE, 3)
    right = student.answers(FORWARD)
    tries = 60
    for _ in range(tries):
        name = str(rng.choice(FORWARD))
        answers = {step: array.copy() for step, array in right.items()}
        index = tuple(int(rng.integers(n)) for n in answers[name].shape)
        answers[name][index] = f"{rng.uniform(-3, 4):.3f}"
        explained += bool(check(answers, TRACE).explanations)
    assert explained <= 0.05 * tries


def test_the_chain_within_an_answer_is_shown():
    report = check({"F_avg[1]": "8/9 = 0.98"}, SLIDES)
    assert not report.ok and "8/9 is not 0.98" in str(report)
