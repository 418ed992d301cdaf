"""Moodle's questions, read by a parser of its published cloze grammar, and marked as Moodle marks them."""

import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.student import Student
from cbam_np.teach.marking.grading import grade
from cbam_np.teach.mistakes import occurrences
from cbam_np.teach.worksheets.moodle import QUESTIONS, Alternative, alternatives, cloze, moodle_xml
from cbam_np.teach.worksheets.worksheet import worksheet

NUMBER = r"-?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"  # as in Moodle's question/type/multianswer


def parse(text):
    """Return the cloze items of a question: for each, its weight and [(fraction, value, tolerance, feedback)].

    Written from Moodle's documentation of embedded answers, character by character, and knows nothing of the writer.
    """
    items, at = [], 0
    while (start := re.compile(r"\{(\d*):(NUMERICAL|NM):").search(text, at)) is not None:
        at, pieces, piece = start.end(), [], ""
        while text[at] != "}":
            if text[at] == "\\":
                piece += text[at : at + 2]
                at += 2
            elif text[at] == "~":
                pieces.append(piece)
                piece, at = "", at + 1
            else:
                piece, at = piece + text[at], at + 1
        items.append((int(start[1] or 1), [parse_answer(piece) for piece in (*pieces, piece)]))
        at += 1
    return items


def parse_answer(text):
    fraction, rest = re.fullmatch(r"(=|%-?\d+(?:[.,]\d*)?%)?(.*)", text, re.DOTALL).groups()
    answer, _, feedback = rest.partition("#")
    value, tolerance = re.fullmatch(rf"({NUMBER}):({NUMBER})", answer).groups()
    share = 1.0 if fraction == "=" else float(fraction.strip("%")) / 100 if fraction else 0.0
    return share, float(value), float(tolerance), re.sub(r"\\(.)", r"\1", feedback)


def questions(xml):
    root = ElementTree.fromstring(xml)
    assert root.tag == "quiz" and all(question.get("type") == "cloze" for question in root)
    return [question.findtext("questiontext/text") for question in root]


def marks(items, texts, follow=True):
    """Mark answers as Moodle does: the first alternative that fits counts; without `follow`, only the right one."""
    earned = 0.0
    for (weight, known), text in zip(items, texts, strict=True):
        for share, value, tolerance, _ in known if follow else known[:1]:
            if text not in ("", "?") and abs(float(text) - value) <= tolerance:
                earned += weight * share
                break
    return earned


@pytest.mark.parametrize("level", ["quick", "forward", "backward"])
def test_every_blank_is_an_item_and_nothing_else(level):
    sheet = worksheet(7, level)
    (text,) = questions(moodle_xml([sheet]))
    items = parse(text)
    assert len(items) == len(sheet.entries) == text.count("{") and all(weight == 1 for weight, _ in items)
    for (_, known), (name, (step, index)) in zip(items, sheet.entries.items(), strict=True):
        exact = float(sheet.trace[step].value[index])
        assert known[0][0] == 1 and abs(known[0][1] - exact) <= known[0][2] < 0.02, name
        assert 1 <= len(known) <= 60
        for at, (_, value, _, _) in enumerate(known):
            assert all(abs(value - other) > tolerance - 2e-5 for _, other, tolerance, _ in known[:at])  # five decimals
    assert not re.search(r"<(script|img|link|iframe)|://", text)


def test_a_mistake_costs_what_it_costs_and_says_so():
    sheet = worksheet(7, "quick")
    known = alternatives(sheet)
    (mine,) = [a for a in known["z_c[1]"] if a.feedback.startswith("the maximum's branch missing")]
    assert mine.percent == 0 and mine.value == pytest.approx(float(sheet.trace["z_avg[1]"].value), abs=1e-3)
    follows = 1 / (1 + np.exp(-mine.value))
    assert next(a.percent for a in known["M_c[1]"] if abs(a.value - follows) <= a.tolerance) == 100


def test_feedback_is_escaped():
    item = cloze([Alternative(1, 0.1, 100, "a~b}c#d\\e <b>&")])
    assert parse(f"x {item} y") == [(1, [(1.0, 1.0, 0.1, "a~b}c#d\\e &lt;b&gt;&amp;")])]


def answers_of(sheet, change):
    parts = {name: np.array(value, object) for name, value in sheet.handed.items()}
    written = {name: {at: text for at, text in np.ndenumerate(value) if text} for name, value in parts.items()}
    texts = Student(sheet.trace, 3, change, written=written).answers(sheet.asked)
    return {name: texts[step][index] for name, (step, index) in sheet.entries.items()}


@pytest.mark.slow
def test_simulated_students_get_the_marks_that_they_deserve():
    sheet = worksheet(11, "forward")
    (text,) = questions(moodle_xml([sheet]))
    items, found = parse(text), Counter()
    assert marks(items, answers_of(sheet, None).values()) == len(items)
    made = {o[0].name: o[2] for o in occurrences(sheet.trace) if o[0].combines}
    for change in list(made.values())[::3]:
        answers = answers_of(sheet, change)
        found["check"] += grade(11, "forward", answers)["points"]
        found["cloze"] += marks(items, answers.values())
        found["plain"] += marks(items, answers.values(), follow=False)
        found["all"] += len(items)
    check, with_mistakes, plain = (found[name] / found["all"] for name in ("check", "cloze", "plain"))
    assert check > 0.85 and with_mistakes > check - 0.03 and plain < with_mistakes - 0.15, dict(found)


def test_a_unit_of_the_last_place_beside_the_right_number_counts():
    """The value is written with five decimals, and so up to 0.000005 off."""
    (text,) = questions(moodle_xml([worksheet(7, "quick")]))
    assert all(known[0][2] >= 0.001 + 0.000005 for _, known in parse(text))


def test_a_class_is_one_file_of_many_questions():
    assert len(questions(moodle_xml([worksheet(seed, "quick") for seed in (1, 2, 3)]))) == 3


def test_alternatives_are_tried_in_the_order_in_which_they_are_likely():
    """The right number, the commonest mistakes, what follows from an earlier one, all other mistakes."""
    orders = []
    for right, *others in alternatives(worksheet(7, "forward")).values():
        assert (right.percent, right.feedback) == (100, "Right.")
        common = [one.feedback.partition(". ")[0] in QUESTIONS for one in others]
        orders.append("".join("f" if a.percent else "q" if q else "w" for a, q in zip(others, common, strict=True)))
        assert all(a.feedback.startswith("Follows from: ") == (a.percent == 100) for a in others)
        assert re.fullmatch("q*f*[qw]*", orders[-1])
    assert any({"q", "f", "w"} <= set(order) for order in orders)
