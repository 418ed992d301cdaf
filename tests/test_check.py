"""Answers are judged by what they say, to the precision they say it with, and by the student's own earlier numbers."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import cbam_np
from benchmarks.student import Student
from cbam_np import AnswerError, check
from cbam_np.teach.answers.reading import written
from cbam_np.teach.calculation.bounds import Bounds
from cbam_np.teach.judging import Judge, as_precise
from cbam_np.teach.report.verdicts import CUT, WRONG
from cbam_np.teach.worksheets.worksheet import worksheet

TRACE = cbam_np.lecture.trace()
RESULTS = [step.name for step in TRACE if not step.given]


def verdicts(answers, trace=TRACE, **options):
    return {j.entry.name: j.verdict for j in check(answers, trace, **options).judgements}


def rounded(trace, names, decimals=4):
    """Return the right values as text, arrays by step."""
    write = np.vectorize(lambda value: f"{float(value):.{decimals}f}", otypes=[object])
    return {name: write(trace[name].value) for name in names}


def test_the_slides_own_calculation():
    chain = {number.name: number.printed for number in cbam_np.lecture.SLIDE_NUMBERS}
    assert chain["F_avg[1]"] == "0.89"
    report = check(chain, TRACE)
    assert report.ok and report.first_wrong is None and report.explanations == ()
    found = verdicts({name: text for name, text in chain.items() if name[0] != "F" or "_" in name})
    assert found == {
        "W0[1,1]": "right",
        "W1[1,1]": "right",
        "F_avg[1]": "right",
        "F_max[1]": "right",
        "z_avg[1]": "follows",
        "z_max[1]": "right",
        "z_c[1]": "follows",
        "M_c[1]": "right",
    }


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("8/9", "right"),
        ("0.8888888888888888", "right"),
        ("0.889", "right"),
        ("0.89", "right"),
        ("0.9", "right"),
        ("0.88", "right, but cut off"),
        ("0.890", "wrong"),
        ("0.88889", "right"),
        ("0.88888", "right, but cut off"),
        ("1", "wrong"),
        ("7/9", "wrong"),
        (8 / 9, "right"),
        (np.float32(8 / 9), "right"),
        (0.89, "right"),
    ],
)
def test_an_answer_is_held_to_its_own_digits(answer, verdict):
    assert verdicts({"F_avg[1]": answer}) == {"F_avg[1]": verdict}


@pytest.mark.parametrize(
    ("written", "next_one", "verdict"),
    [
        ("0.89", "0.445", "follows"),
        ("0.89", "4/9", "right"),
        ("0.89", "0.4444", "right"),
        ("0.89", "0.4446", "follows"),  # from 0.8892, which 0.89 may stand for; what was written lies beyond
        ("0.89", "0.4460", "wrong"),
        ("0.95", "0.475", "follows"),  # wrong, but carried on rightly
        ("0.95", "4/9", "right"),
        ("0.95", "0.50", "wrong"),
    ],
)
def test_what_follows_from_an_earlier_number(written, next_one, verdict):
    assert verdicts({"F_avg[1]": written, "h_avg[1]": next_one})["h_avg[1]"] == verdict


def test_a_wrong_number_is_carried_through_steps_that_are_missing():
    z = 0.5 * 2.67 + 1
    answers = {"F_avg[1]": "2.67", "M_c[1]": f"{1 / (1 + np.exp(-z)):.3f}"}
    assert verdicts(answers) == {"F_avg[1]": "wrong", "M_c[1]": "follows"}
    assert verdicts({"M_c[1]": answers["M_c[1]"]}) == {"M_c[1]": "wrong"}  # nothing that it would follow from


def test_the_first_wrong_answer_is_the_first_in_the_calculation():
    wrong = {"F'[3,3,3]": "7", "M_c[3]": "7", "F_max[2]": "7", "F_avg[3]": "10/9", "M_c[2]": "7"}
    for answers in (wrong, dict(reversed(wrong.items()))):
        report = check(answers, TRACE)
        assert report.first_wrong.name == "F_max[2]" and report.first_wrong.value == 2
        assert [j.entry.name for j in report.wrong] == ["F_max[2]", "M_c[2]", "M_c[3]", "F'[3,3,3]"]
        assert [j.entry.name for j in report.judgements][:2] == ["F_avg[3]", "F_max[2]"]


@pytest.mark.parametrize("mlp", ["slides", "shared"])
def test_whole_maps(mlp):
    trace = cbam_np.lecture.trace(mlp)
    report = check(rounded(trace, RESULTS), trace)
    assert report.ok and len(report.judgements) == sum(trace[name].value.size for name in RESULTS)
    assert {j.verdict for j in report.judgements} == {"right"}


def test_one_wrong_entry_is_found_wherever_it_is(rng):
    for name in RESULTS:
        answers = rounded(TRACE, RESULTS)
        index = tuple(rng.integers(TRACE[name].shape))
        answers[name][index] = f"{float(TRACE[name].value[index]) + 7:.4f}"
        (only,) = check(answers, TRACE).wrong
        assert (only.step, only.index) == (name, index)


@pytest.mark.parametrize("decimals", [2, 3, 4])
@pytest.mark.parametrize("level", ["forward", "full", "backward"])
def test_a_student_who_rounds_at_every_step_and_makes_no_mistake(level, decimals):
    for seed in range(3):
        sheet = worksheet(seed, level)
        handed = {name: value for name, value in sheet.printed.items() if not sheet.trace[name].given}
        answers = Student(sheet.trace, decimals, handed=handed).answers(sheet.asked)
        report = sheet.check(answers)
        assert report.ok, str(report)
        assert report.having("follows") or decimals > 3, "rounding makes a difference somewhere"


def test_a_student_who_miscalculates_once_and_goes_on(rng):
    trace = worksheet(2, "full").trace
    names = [step.name for step in trace if not step.given]
    for name in names:
        index = tuple(int(i) for i in rng.integers(trace[name].shape))
        slip = f"{float(trace[name].value[index]) + 3:.3f}"
        report = check(Student(trace, 3, written={name: {index: slip}}).answers(names), trace)
        assert [(j.step, j.index) for j in report.wrong] == [(name, index)], str(report)


def test_what_was_given_can_be_copied_wrongly():
    report = check({"F[1,1,1]": "5", "F_avg[1]": "12/9", "F_avg[2]": "8/9", "F_max[1]": "5"}, TRACE)
    assert [j.verdict for j in report.judgements] == ["wrong", "follows", "right", "follows"]
    assert report.first_wrong.name == "F[1,1,1]" and report.explanations == ()


def test_blanks_are_not_judged():
    report = check({"F_avg": ["8/9", "?", ""], "M_c[1]": None, "M_s": "?", "F": "?"}, TRACE)
    assert report.ok
    blank = report.having("not judged")
    assert [j.entry.name for j in blank][:4] == ["F_avg[2]", "F_avg[3]", "M_c[1]", "M_s[1,1]"]
    assert len(blank) == 12 and all(j.written is None for j in blank)  # what is given needs no answer
    for twice in ({"M_c[1]": "?", "Mc(1)": "0.81"}, {"Mc(1)": "0.81", "M_c[1]": "?"}):
        assert verdicts(twice) == {"M_c[1]": "right"}  # the number counts, not the blank
    assert check({}, TRACE).ok and check({}, TRACE).judgements == ()


def test_rounded_numbers_that_were_handed_out_are_gone_on_from_but_not_judged():
    handed = {"M_c": ["0.8", "0.8", "0.8"]}
    assert verdicts({"F'[1,2,1]": "1.60"}, handed=handed) == {"F'[1,2,1]": "follows"}
    assert verdicts({"F'[1,2,1]": "1.64"}, handed=handed) == {"F'[1,2,1]": "wrong"}
    mixed = check({"M_c[1]": "0.81", "F'[2,1,2]": "0.800", "F'[1,2,1]": "1.6200"}, TRACE, handed=handed)
    assert [j.verdict for j in mixed.judgements] == ["right", "follows", "follows"]  # the other two stay handed out


def test_a_file_is_as_good_as_a_dict(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("M_c[1],0.70\nF_avg[1],0.89\n", encoding="utf-8")
    for answers in (path, str(path)):
        assert verdicts(answers) == {"F_avg[1]": "right", "M_c[1]": "wrong"}


@pytest.mark.parametrize("answers", [["1"], "none.csv", 7])
def test_what_cannot_be_read_is_an_answer_error(answers):
    with pytest.raises(AnswerError):
        check(answers, TRACE)


def test_numbers_of_any_size_are_judged():
    for text in ("1e30", "-1e30", "1e-30", "9" * 40, "0"):
        answers = {name: np.full(TRACE[name].shape, text, object) for name in [*RESULTS, "F", "W0", "W7", "dF''"]}
        report = check(answers, TRACE)
        assert not report.ok and len(str(report)) > 100 and report.to_json()
        only = check({"F[1,1,1]": text, "F''": np.full((3, 3, 3), text, object)}, TRACE)
        assert not only.ok and str(only)


def test_many_wrong_numbers_are_judged_for_little_more_than_one(monkeypatch):
    """What follows is worked out once for a sheet, and not again for each number that is wrong."""
    trace = cbam_np.lecture.trace("shared")
    right = Student(trace, 3).answers(list(trace.rules))
    worked_out = []
    follows = Bounds._follows

    def counted(self, name):
        worked_out.append(name)
        return follows(self, name)

    monkeypatch.setattr(Bounds, "_follows", counted)

    def cost(wrong):
        """Count what is worked out for a sheet on which so many numbers of dF are wrong."""
        answers = right | {"dF": right["dF"].copy()}
        answers["dF"].flat[:wrong] = "0.777"
        worked_out.clear()
        assert len(check(answers, trace).wrong) == wrong
        return len(worked_out)

    assert 0 < cost(27) < 1.5 * cost(1)


@pytest.mark.parametrize(("cut", "others", "cuts_off"), [(2, 0, False), (3, 3, True), (4, 5, False), (5, 5, True)])
def test_who_cuts_off_does_so_in_half_of_what_is_wrong_and_not_twice_by_chance(cut, others, cuts_off):
    verdicts = [CUT] * cut + [WRONG] * others
    found = {("M_c", (at,)): (verdict, 0.0) for at, verdict in enumerate(verdicts)}
    assert Judge._cuts_off(SimpleNamespace(verdicts={}), found) is cuts_off
    before = {("F_avg", (0,)): (CUT, 0.0)}
    assert Judge._cuts_off(SimpleNamespace(verdicts=before), found)


def test_a_whole_number_among_decimals_may_have_lost_its_zeros():
    texts = {(0,): "0.51", (1,): "0.53", (2,): "1", (3,): "2"}
    numbers = {"M_c": {at: written(text, "M_c") for at, text in texts.items()}}
    read = as_precise(numbers, {"M_c": np.array([0.51, 0.53, 0.998, 0.998])}, None)["M_c"]
    assert read[2,].tolerance == read[0,].tolerance == Fraction(1, 200)
    assert read[3,].tolerance == 0  # too far off for that
    exact = as_precise(numbers, {"M_c": np.array([0.51, 0.53, 1.0, 2.0])}, None)["M_c"]
    assert exact[2,].tolerance == 0
    asked = as_precise(numbers, {"M_c": np.array([0.51, 0.53, 0.998, 0.998])}, 1)["M_c"]
    assert asked[0,].tolerance == Fraction(1, 20)
