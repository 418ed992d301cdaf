"""What a report says is complete, exact and readable: in a terminal, in a notebook, and as JSON."""

import json
import re
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import cbam_np
from benchmarks.student import Student
from cbam_np import check
from cbam_np.teach.calculation import notation
from cbam_np.teach.calculation.rules import products, term
from cbam_np.teach.calculation.trace import Step, Trace
from cbam_np.teach.diagnosis.search import Explanation
from cbam_np.teach.mistakes import occurrences
from cbam_np.teach.report import wording
from cbam_np.teach.report.blocks import Sentences, as_text
from cbam_np.teach.report.student_numbers import shortened
from cbam_np.teach.report.verdicts import RIGHT, VERDICTS
from cbam_np.teach.report.verdicts import WRONG as WRONG_ONE
from cbam_np.teach.worksheets.worksheet import worksheet

from .helpers import THOROUGH

TRACE = cbam_np.lecture.trace()
RESULTS = [step.name for step in TRACE if not step.given]
CHAIN = {"F_avg[1]": "0.89", "F_max[1]": "2", "z_avg[1]": "0.445", "z_c[1]": "1.445", "M_c[1]": "0.81"}
WRONG = {"F_avg[1]": "0.89", "z_c[1]": "0.445", "M_c": ["0.61", "0.90", "?"], "M_s": "?"}


def report_on(answers, *explanations, trace=TRACE, **options):
    """Return a report, with explanations of our own where some are given."""
    report = check(answers, trace, **options)
    if explanations:
        report.explanations = tuple(e for e in explanations if e)
        report.diagnoses = {report.wrong[0].step: report.explanations} if report.wrong else {}
    return report


def explanation(name="the branch missing", sentence="Both branches count.", rule=None, **told):
    return Explanation((SimpleNamespace(name=name, sentence=sentence),), rule, **told)


def full(change=(), trace=TRACE, decimals=3):
    """Return a complete sheet, with some entries changed: {(step, *index): text}."""
    write = np.vectorize(lambda value: f"{float(value):.{decimals}f}", otypes=[object])
    answers = {step.name: write(step.value) for step in trace if not step.given}
    for (name, *index), text in dict(change).items():
        answers[name][tuple(index)] = text
    return answers


def page(report):
    """Return the notebook's display as a tree; it raises if that is not well-formed."""
    return ElementTree.fromstring(report._repr_html_())


def flat(text):
    return " ".join(text.split())


def words_of(report):
    """Return what a notebook shows, as one line of text."""
    return flat(" ".join(page(report).itertext()))


# --- as text ---


def test_all_right():
    assert str(report_on(CHAIN)) == (
        "All 5 answers are right: 3 exact, 2 consistent with your rounding.\n"
        "\n"
        "   answer    written  expected  verdict\n"
        "✓  F_avg[1]     0.89       8/9  right\n"
        "✓  F_max[1]        2         2  right\n"
        "↳  z_avg[1]    0.445       4/9  follows from your F_avg[1] = 0.89\n"
        "↳  z_c[1]      1.445      13/9  follows from your z_avg[1] = 0.445\n"
        "✓  M_c[1]       0.81    0.8091  right"
    )


def test_something_wrong():
    rule = next(c["z_c"] for m, _, c in occurrences(TRACE) if m.name == "the branches multiplied instead of added")
    found = explanation("multiplied", "The two branches are added, not multiplied.", rule)
    assert str(report_on(WRONG, found)) == (
        "2 of 4 answers are wrong; the first is z_c[1]. 1 is right, 1 follows from your\n"
        "own numbers. 10 are blank and not judged: M_c[3], M_s (9 entries).\n"
        "\n"
        "   answer    written  expected  verdict\n"
        "✓  F_avg[1]     0.89       8/9  right\n"
        "✗  z_c[1]      0.445      13/9  wrong\n"
        "↳  M_c[1]       0.61    0.8091  follows from your z_c[1] = 0.445\n"
        "✗  M_c[2]       0.90    0.8091  wrong\n"
        "\n"
        "z_c[1]: z_c = z_avg + z_max   (Step 1)\n"
        "    with your numbers:   0.445 + 1 = 1.445\n"
        "    you wrote:           0.445\n"
        "    with exact numbers:  13/9 ≈ 1.4444\n"
        "\n"
        "Looks like: multiplied.\n"
        "    The two branches are added, not multiplied. That gives 0.445·1 = 0.445.\n"
        "\n"
        "Also wrong: M_c[2]."
    )


@pytest.mark.parametrize(
    ("answers", "first_line"),
    [
        ({"M_c[1]": "0.81"}, "The answer is right."),
        ({"M_c[1]": "0.1"}, "The answer is wrong: M_c[1]."),
        ({"M_c[1]": "0.81", "M_c[2]": "0.81"}, "Both answers are right."),
        (
            {"F_avg[1]": "0.89", "h_avg[1]": "0.445"},
            "Both answers are right: 1 exact, 1 consistent with your rounding.",
        ),
        ({"M_c": ["0.81", "0.81", "0.83"]}, "All 3 answers are right."),
        ({"F_avg[1]": "1", "F_max[1]": "1"}, "2 of 2 answers are wrong; the first is F_avg[1]."),
        ({"F_avg[1]": "1", "F_max[1]": "2"}, "1 of 2 answers is wrong: F_avg[1]. 1 is right."),
        ({"F_avg[1]": "1", "h_avg[1]": "0.5"}, "1 of 2 answers is wrong: F_avg[1]. 1 follows from your own numbers."),
        ({"z_avg[1]": "0.445"}, "The answer is consistent with your rounding."),
        ({"M_c": "?", "M_s[1,1]": ""}, "Nothing to judge yet. 4 are blank and not judged: M_c[1], M_c[2], M_c[3],"),
        ({"M_c": ["?", "?", "0.83"]}, "The answer is right. 2 are blank and not judged: M_c[1], M_c[2]."),
        ({"M_c[1]": "?"}, "Nothing to judge yet. 1 is blank and not judged: M_c[1]."),
        ({}, "Nothing to judge yet."),
    ],
)
def test_the_first_line_is_the_result(answers, first_line):
    report = report_on(answers)
    assert str(report).splitlines()[0].startswith(first_line) or flat(str(report)).startswith(first_line)
    assert words_of(report).startswith(first_line)


def row(report, name):
    """Return the row of the table that is about an entry."""
    return next(line for line in str(report).splitlines() if line[3:].startswith(name))


@pytest.mark.parametrize(
    ("answers", "name", "words"),
    [
        ({"F_avg[1]": "0.89", "M_c[1]": "0.8092"}, "M_c[1]", "follows from your F_avg[1] = 0.89"),
        ({"F_avg[1]": "1", "F_max[1]": "3", "M_c[1]": "0.881"}, "M_c[1]", "your F_avg[1] = 1 and your F_max[1] = 3"),
        ({"F_max[1]": "2", "F_avg[1]": "1", "z_c[1]": "1.5"}, "z_c[1]", "follows from your F_avg[1] = 1"),
        ({"M_c": ["0.8", "0.8", "0.8"], "Fs_avg[2,2]": "0.80"}, "Fs_avg", "M_c[1] = 0.8, your M_c[2] = 0.8 and 1 more"),
        ({"M_c": ["0.8", "0.8", "0.8"], "Fs_avg[1,3]": "0.53"}, "Fs_avg", "M_c[1] = 0.8 and your M_c[3] = 0.8"),
        ({"z_avg[1]": "0.445"}, "z_avg[1]", "consistent with rounding on the way"),
        ({"F[1,1,1]": "5", "F_avg[1]": "12/9"}, "F_avg[1]", "follows from your F[1,1,1] = 5"),
    ],
)
def test_an_answer_that_follows_says_from_what(answers, name, words):
    report = report_on(answers)
    assert words in flat(str(report)) and words in words_of(report)
    assert row(report, name).startswith("↳")


def test_numbers_that_were_handed_out_are_not_called_the_student_s_own():
    report = report_on({"F'[1,2,1]": "1.60", "F'[1,1,1]": "0.81"}, handed={"M_c[1]": "0.8"})
    assert "follows from the given M_c[1] = 0.8" in row(report, "F'[1,2,1]")
    assert str(report).startswith("Both answers are right: 1 exact, 1 consistent with earlier rounding.")


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("F_avg[1]", "0.5", "8/9"),
        ("M_c[1]", "0.5", "0.8091"),
        ("M_c[1]", "0.80910", "0.80914"),
        ("M_c[1]", "0.512345", "0.809142"),  # as many decimals as were written
        ("M_c[1]", "8091/10000", "0.80914"),  # enough to tell them apart
        ("F'[1,3,1]", "1", "0"),
        ("F_max[1]", "1e9", "2"),
    ],
)
def test_what_was_expected_can_be_told_from_what_was_written(name, written, expected):
    assert row(report_on({name: written}), name).split()[2:4] == [written, expected]


def test_many_answers_are_listed_by_step():
    sheet = full({("F_avg", 0): "0.89", ("h_avg", 0): "0.445", ("a_avg", 0): "0.445", ("z_avg", 0): "0.445"})
    text = str(report_on(sheet))
    assert text.startswith(
        "All 512 answers are right: 509 exact, 3 consistent with your rounding.\n\n   step            verdict\n✓  F_avg"
    )
    assert "\n✓  F'              27 of 27 right\n" in text and "\n↳  h_avg           2 of 3 right, 1 follows\n" in text
    assert "F_avg[1]" not in text
    assert "\n✗  F_avg           2 of 3 right, 1 wrong\n" in str(report_on(full({("F_avg", 0): "0.7"})))
    wrong = {("F''", c, i, 0): "9" for c in range(3) for i in range(3)} | {("M_s", 0, j): "9" for j in range(3)}
    report = report_on(full(wrong))
    lines = str(report).splitlines()
    assert lines[0].startswith("12 of 512 answers are wrong; the first is M_s[1,1].")
    assert "✗  M_s             6 of 9 right, 3 wrong" in lines and "✗  F''             18 of 27 right, 9 wrong" in lines
    assert sum(line.startswith("✗") and line.endswith("  wrong") for line in lines) == 10 and "   and 2 more" in lines
    assert flat(str(report)).endswith("F''[3,1,1], F''[3,2,1], and 1 more.")
    follows = full({("F'", 0, 0, 0): "3.0", ("Fs_avg", 0, 0): "1.551"})
    assert "✗  F'              26 of 27 right, 1 wrong" in str(report_on(follows))
    assert "↳  Fs_avg          8 of 9 right, 1 follows" in str(report_on(follows))


def test_forty_answers_are_listed_one_by_one():
    names = [f"dW7[{m},{a},{b}]" for m in (1, 2) for a in range(1, 8) for b in range(1, 8)]
    answers = {name: f"{float(TRACE[name].value):.3f}" for name in names}
    assert str(report_on(dict(list(answers.items())[:40]))).count("dW7[") == 40
    assert "41 of 41 right" in str(report_on(dict(list(answers.items())[:41])))


@pytest.mark.parametrize(
    ("answers", "lines"),
    [
        ({"M_c[1]": "0.1"}, ["M_c[1]: M_c = σ(z_c) (Step 1)", "in numbers: σ(13/9) ≈ 0.8091", "you wrote: 0.1"]),
        ({"F_avg[1]": "4"}, ["F_avg[1]: F^c_avg[c] = 1/HW Σ_ij F[c,i,j]", "(1 + 0 + 1 + 2 + 1 + 0 + 0 + 2 + 1)/9 ≈"]),
        ({"F_max[1]": "4"}, ["in numbers: max(1, 0, 1, 2, 1, 0, 0, 2, 1) = 2", "you wrote: 4"]),
        ({"F_avg[1]": "0,89", "h_avg[1]": "4"}, ["with your numbers: 1/2·0.89 = 0.445", "exact numbers: 4/9 ≈ 0.4444"]),
        ({"F[1,1,1]": "5"}, ["F[1,1,1] (Step 0)", "it is given: 1", "you wrote: 5", "Copied wrongly"]),
        ({"F[1,1,1]": "10", "F_avg[1]": "7"}, ["F[1,1,1] (Step 0)", "Also wrong: F_avg[1]."]),
        ({"dF_via_F_max[1,1,1]": "4"}, ["0.2121 if 1 is the maximum of (1, 0, 1, 2, 1, 0, 0, 2, 1), else 0; here 0"]),
    ],
)
def test_the_first_wrong_step_is_worked_out(answers, lines):
    report = report_on(answers, None)
    for line in lines:
        assert line in flat(str(report)), str(report)
    assert ("exact numbers" in str(report)) == ("exact numbers" in lines[-1])  # told only where they differ


def test_numbers_go_into_a_formula_without_their_typography():
    handed = {"z_avg": ["−1 / 2", "1", "+0,25"], "z_max": ["+1,5", "−0,5", "1"]}
    for entry, line in [("z_c[1]", "-1/2 + 1.5 = 1"), ("z_c[2]", "1 - 0.5 = 0.5"), ("z_c[3]", "0.25 + 1 = 1.25")]:
        assert f"with your numbers:   {line}\n" in str(report_on({entry: "4"}, None, handed=handed))


def test_a_step_that_follows_is_worked_out_from_what_was_written():
    """F_avg = 0.9 stands for 8/9, too; what is put in and what comes of it go together."""
    report = report_on({"F_avg[1]": "0.9", "M_c[1]": "0.1"})
    assert "with your numbers:   σ(1.45) ≈ 0.8100" in str(report)
    assert "with exact numbers:  0.8091" in str(report)


def test_long_formulas_are_shortened_in_the_middle():
    rule = products(term("ij->", "F"), divide=196)
    texts = np.array([f"0.{n:03}" for n in range(196)], object).reshape(14, 14)
    text = shortened(rule.spell((), [texts]))
    assert text == (
        "(0.000 + 0.001 + 0.002 + 0.003 + 0.004 + 0.005 + … + 0.190 + 0.191 + 0.192 + 0.193 + 0.194 + 0.195)/196"
    )
    assert shortened("max(" + "0.125, " * 40 + "7)").count("…,") == 1
    assert shortened("1·2 + 3·4") == "1·2 + 3·4"


# --- the diagnosis ---


def test_one_explanation():
    text = str(report_on(WRONG, explanation("the maximum's branch missing", "M_c needs both.")))
    assert "\n\nLooks like: the maximum's branch missing.\n    M_c needs both.\n\n" in text


def test_several_explanations_leave_the_choice_open():
    report = report_on(WRONG, explanation("one", "Here."), explanation("another", "There.", against=1, explained=1))
    assert (
        "\n\nAny of these would explain it:\n  1. One. Here.\n  2. Another. There. But 1 answer contradicts it.\n"
    ) in str(report)
    items = [flat("".join(item.itertext())) for item in page(report).iter("li")]
    assert items == ["One. Here.", "Another. There. But 1 answer contradicts it."]
    assert "Looks like" not in str(report)


def test_two_mistakes_together():
    pair = Explanation(tuple(SimpleNamespace(name=n, sentence=f"{n.upper()}.") for n in "ab"), against=2)
    assert "Two mistakes together: a, and b.\n    A. B. But 2 answers contradict it.\n" in str(report_on(WRONG, pair))
    both = str(report_on(WRONG, pair, explanation()))
    assert "  1. Two mistakes together: a, and b. A. B." in both


def test_no_explanation_is_no_guess():
    text = flat(str(report_on(WRONG, None)))
    said = "No known mistake leads here. Everything before z_c[1] is right. Work out this line again."
    assert said in text and "ooks like" not in text
    assert "No known mistake leads here. Work out this line again." in str(report_on({"M_c[1]": "0.1"}, None))


def test_what_would_fit_any_number_is_said_to():
    assert "random numbers" not in str(report_on(WRONG, explanation(chance=0.001)))
    said = flat(str(report_on(WRONG, explanation(chance=0.12))))
    assert "A known mistake would fit about 12 of 100 random numbers here." in said
    assert "would fit any number" not in str(report_on(WRONG, explanation(chance=0.9)))
    assert "about one mistake would fit any number" in flat(str(report_on(WRONG, explanation(chance=1.2))))
    report = report_on(WRONG, explanation(chance=16.7))
    assert "about 17 mistakes would fit any number: one more digit would decide." in flat(str(report))
    assert "about 17 mistakes would fit any number" in words_of(report)


def test_what_a_mistake_gives_is_told_only_if_it_gives_what_was_written():
    """A rule whose inputs were spoilt earlier would give another number here."""
    rule = TRACE["z_c"].rule
    told = explanation(rule=rule)
    assert "That gives" not in str(report_on(WRONG, told))
    copied = next(c["z_c"] for m, _, c in occurrences(TRACE) if m.name == "the maximum's branch missing")
    assert "That gives 0.445." in str(report_on(WRONG, explanation(rule=copied)))
    unspelled = rule._replace(
        spell=lambda index, texts: "", compute=copied.compute, bound=copied.bound, inputs=("z_avg",)
    )
    assert "That gives" not in str(report_on(WRONG, explanation(rule=unspelled)))


# --- everywhere ---


def reports(rng):
    """Yield reports of every kind: the lecture's, and of students who make mistakes on worksheets."""
    yield from map(report_on, [CHAIN, WRONG, {}, {"M_c": "?"}, {"F[1,1,1]": "5"}])
    yield report_on(WRONG, *(explanation(sentence=f"{'o' * n} = 1 ≈ 2.") for n in range(50, 75)))
    long = "0.1234567890123456789012345678901234567"
    yield report_on({"dF'_via_Fs_avg[1,1,1]": long, "dF'_via_Fs_max[1,1,1]": long, "dF'[1,1,1]": "1"})
    yield report_on({"F": cbam_np.lecture.F.tolist(), "F_avg[2]": long, "h_avg": [long] * 3})
    for name in RESULTS:
        yield report_on({f"{name}[{','.join('1' * len(TRACE[name].shape))}]": "-17.125"}, None)
    for seed, level, options in [(1, "full", {}), (2, "backward", {}), (3, "full", {"channels": 4, "size": 5})]:
        sheet = worksheet(seed, level, **options)
        changes = [change for _, _, change in occurrences(sheet.trace)]
        for at in rng.choice(len(changes), 8):
            handed = {n: value for n, value in sheet.printed.items() if not sheet.trace[n].given}
            answers = Student(sheet.trace, 3, changes[at], handed=handed).answers(sheet.asked)
            if at % 2:  # only some of the answers
                names = rng.permutation(list(answers))[:4]
                answers = {name: answers[name] for name in names}
            yield sheet.check(answers)


@pytest.fixture(scope="module")
def many():
    return list(reports(np.random.default_rng(1)))[:: 1 if THOROUGH else 4]


def test_eighty_columns(many):
    for report in many:
        lines = str(report).splitlines()
        assert max(map(len, lines)) <= 80, str(report)
        assert not any(line != line.rstrip() or line.endswith(("=", "≈")) for line in lines)
        assert not set("\\${}\xa0\t") & set(str(report)) and "\n\n\n" not in str(report)


def test_a_line_of_eighty_characters_is_not_broken():
    assert as_text([Sentences("x" * 40 + " " + "y" * 39)]) == "x" * 40 + " " + "y" * 39
    assert as_text([Sentences("x" * 40 + " " + "y" * 40)]) == "x" * 40 + "\n" + "y" * 40


def test_colour_is_never_alone(many):
    words = {"✓": "right", "↳": r"follow|rounding on the way", "✗": "wrong"}
    for report in many:
        for cells in page(report).iter("tr"):
            marks = [strong.text for cell in cells for strong in cell.iter("strong")]
            assert len(marks) <= 1
            for mark in marks:
                assert re.search(words[mark], "".join(list(cells)[-1].itertext()))
        for line in str(report).splitlines():
            if line[:1] in words:
                assert re.search(words[line[0]], line)
        assert not report.wrong or "wrong" in str(report).splitlines()[0]


def test_a_notebook_shows_what_the_terminal_shows(many):
    for report in many:
        shown, missing = words_of(report).replace("\xa0", " "), []
        for word in re.findall(r"[\w./…'\[\],-]+", str(report)):
            if word not in shown and word.rstrip(".,") not in shown:
                missing.append(word)
        formulas = {word for j in report.wrong[:1] for word in re.findall(r"[\w./…'\[\],-]+", j.entry.heading)}
        numbers = {f"{n}." for n in range(1, 1 + len(report.explanations))}
        assert not set(missing) - formulas - numbers, (missing, str(report))


def test_formulas_are_latex_in_a_notebook():
    shown = words_of(report_on(WRONG))
    assert f"${TRACE['z_c'].formula}$" in shown
    assert words_of(report_on(CHAIN)).count("$") == 0 == words_of(report_on({"F[1,1,1]": "5"})).count("$")


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_marks_can_be_seen_on_light_and_on_dark(ground):
    for colour in {verdict.colour for verdict in VERDICTS.values()}:
        dark, light = sorted([luminance(colour), luminance(ground)])
        assert (light + 0.05) / (dark + 0.05) >= 3, colour


def test_text_keeps_the_colour_of_the_page(many):
    for report in many:
        coloured = [e for e in page(report).iter() if re.search(r"(?<![\w-])(color|background)", e.get("style", ""))]
        assert all(e.text in "✓✂↳✗" and e.tag == "strong" for e in coloured)


def test_everything_is_escaped():
    rule = products(term("c->c", "a"))
    given = Step("a", "a", "", np.array([Fraction(1)], object), "<Step> & 1", given=True)
    step = Step("b<i>", "b", r"b < \text{<script>} & a", np.array([Fraction(1)], object), "<Step> & 1", rule=rule)
    report = report_on({"b<i>": "2"}, explanation("<b>", "1 < 2 & 3"), trace=Trace([given, step], TRACE.dialect))
    raw = report._repr_html_()
    assert "<script>" not in raw and "<i>" not in raw and "<Step>" not in raw and "<b>" not in raw
    shown = words_of(report)
    assert "b<i>[1]" in shown and "1 < 2 & 3" in shown and "<Step> & 1" in shown and "Looks like: <b>." in shown


# --- as JSON ---


def test_json(many):
    for report in many:
        told = report.to_dict()
        assert json.loads(report.to_json()) == told
        assert told["ok"] == report.ok == (told["counts"]["wrong"] == 0)
        assert sum(told["counts"].values()) == len(told["answers"]) == len(report.judgements)
        assert told["first_wrong"] == next((a["entry"] for a in told["answers"] if a["verdict"] == "wrong"), None)
        assert len(told["explanations"]) == len(report.explanations)


def test_json_of_one_report():
    told = report_on(WRONG, explanation("x", "X.", against=1, explained=2, chance=0.5)).to_dict()
    counts = {"right": 1, "right, but cut off": 0, "follows": 1, "wrong": 2, "not judged": 10, "not read": 0}
    assert told["counts"] == counts
    assert told["first_wrong"] == "z_c[1]"
    first, second = told["answers"][:2]
    assert first == {
        "entry": "F_avg[1]",
        "written": "0.89",
        "verdict": "right",
        "expected": pytest.approx(8 / 9),
        "expected_text": "8/9",
        "follows": [pytest.approx(8 / 9)] * 2,
        "read_as": None,
        "note": None,
    }
    assert second["follows"] == [pytest.approx(13 / 9), pytest.approx(1.445)]
    assert told["explanations"] == [
        {"mistakes": [{"name": "x", "sentence": "X."}], "against": 1, "explained": 2, "chance": 0.5}
    ]


def test_a_blank_is_told_by_nothing():
    report = report_on(WRONG)
    blank = next(a for a in report.to_dict()["answers"] if a["entry"] == "M_c[3]")
    assert blank.pop("entry") and blank.pop("verdict") == "not judged" and set(blank.values()) == {None}
    assert notation.number(TRACE["M_c[3]"].value) not in str(report) + report._repr_html_() + report.to_json()


def test_json_has_no_infinity():
    report = report_on({"M_c[1]": "0.1"})
    (only,) = report.judgements
    report.judgements = (replace(only, follows=(-np.inf, np.nan)),)
    assert report.to_dict()["answers"][0]["follows"] == [None, None] and "Infinity" not in report.to_json()


# --- one number ---


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.445, "= 1.445"),
        (Fraction(13, 9), "≈ 1.4444"),
        (0.205123, "≈ 0.2051"),
        (0.20501, "≈ 0.2050"),  # its last zero is known
        (100.0, "= 100"),
        (-0.5, "= -0.5"),
        (0.1 + 0.2, "= 0.3"),
        (1e-17, "= 0"),
        (3e-5, "= 3e-05"),
        (1.23456e-5, "≈ 1.235e-05"),
        (2e30, "= 2e+30"),
        (0, "= 0"),
    ],
)
def test_a_result_is_exact_or_says_that_it_is_not(value, text):
    assert notation.result(value) == text


def test_the_verdict_on_the_whole():
    assert report_on(WRONG).verdict == WRONG_ONE and report_on({"F_max[1]": "2"}).verdict == RIGHT
    assert report_on({"F_max[1]": "?"}).verdict == ""


def test_long_numbers_are_cut_to_the_width_of_their_column():
    assert wording._cut("1234567890.12") == "1234567890." + "…" and wording._cut("1234567890.1") == "1234567890.1"


def test_numbers_are_aligned_to_the_right_and_words_to_the_left():
    cells = page(report_on({"F_avg[1]": "0.5"})).find(".//tbody/tr")
    styles = ["text-align:right" in cell.get("style", "").replace(" ", "") for cell in cells]
    assert styles == [False, *[True] * (len(styles) - 2), False] and len(styles) == 4
