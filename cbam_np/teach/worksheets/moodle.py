"""A worksheet as a question of Moodle: cloze, with each mistake's number as an alternative, and carried on."""

import html
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np

from ..calculation import notation
from ..calculation.bounds import Bounds, Circular
from ..calculation.tables import Markup, html_table
from ..calculation.trace import Step
from ..marking.questions import QUESTIONS
from ..mistakes import occurrences
from .document import typeset
from .layout import SECTIONS, Part, parts_of, sections_of, task_of, title_of
from .levels import DECIMALS, Index
from .worksheet import Worksheet

HALF = 0.5 * 10**-DECIMALS
MOST, KEPT = 60, 8  # alternatives of one blank; places among them that are kept for mistakes made there
NEAR = 2e-5  # beside a unit of the last place, since five decimals are written
LARGEST = 1e6  # of a number that somebody may write
RULES = f"Write {DECIMALS} decimals, no fractions. Carry on with what you wrote. Indices start at 1."


class Alternative(NamedTuple):
    """One answer that Moodle knows: a number, how far off it may be, the percentage it earns, and what is said."""

    value: float
    tolerance: float
    percent: int
    feedback: str


def moodle_xml(sheets: Iterable[Worksheet]) -> str:
    """Return worksheets as questions for Moodle's import, one for each worksheet.

    Each blank knows the right number, within the rounding of three decimals on the way; for every mistake of the
    catalogue that was made earlier, the number that follows from it, which counts in full; and for every mistake that
    may be made here, the number it gives, which earns nothing and says what went wrong.
    """
    questions = "\n".join(_question(sheet) for sheet in sheets)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{questions}\n</quiz>\n'


def _question(sheet: Worksheet) -> str:
    name, text = escape(f"{title_of(sheet)}, {sheet.level}"), escape("\n".join(_text(sheet)))
    return (
        f'<question type="cloze">\n<name><text>{name}</text></name>\n'
        f'<questiontext format="html"><text>{text}</text></questiontext>\n'
        '<generalfeedback format="html"><text></text></generalfeedback>\n<penalty>0</penalty>\n</question>'
    )


def _text(sheet: Worksheet) -> Iterator[str]:
    """Yield the question as HTML, with a cloze item in the place of each blank."""
    items = {name: cloze(found) for name, found in alternatives(sheet).items()}
    yield f"<p>{html.escape(task_of(sheet))} {RULES}</p>"
    for section, steps in sections_of(sheet).items():
        heading, note = SECTIONS[section]
        yield f"<h4>{html.escape(heading)}</h4>"
        if note:
            yield f"<p>{html.escape(note)}</p>"
        for step in steps:
            yield f"<p><code>{html.escape(step.name)}</code> {html.escape(notation.plain(step.formula))}</p>"
            yield from _tables(sheet, step, items)


def _tables(sheet: Worksheet, step: Step, items: dict[str, str]) -> Iterator[str]:
    """Yield a step's tables, its blanks filled with cloze items in the order of its entries."""
    waiting = iter([items[name] for name, (owner, _) in sheet.entries.items() if owner == step.name])
    for part in parts_of(sheet, step, str):
        rows = [[typeset(text) if text else Markup(next(waiting)) for text in row] for row in np.atleast_2d(part.cells)]
        yield _table(part, rows)


def _table(part: Part, rows: list[list[Markup]]) -> str:
    heads: list[str] = part.heads
    body: list[list[str]] = [list(row) for row in rows]
    if part.cells.ndim == 2:
        heads, body = ["", *heads], [[str(i), *row] for i, row in enumerate(body, start=1)]
    return html_table(body, heads, label=part.name, caption=part.caption, row_heads=part.cells.ndim == 2, boxed=True)


def cloze(found: Iterable[Alternative]) -> str:
    """Write one blank in Moodle's notation: {1:NUMERICAL:%100%0.809:0.001#…~%0%…}."""
    answers = [
        f"%{a.percent}%{a.value:.5f}:{a.tolerance:.5f}#{_escaped(html.escape(a.feedback, quote=False))}" for a in found
    ]
    return "{1:NUMERICAL:" + "~".join(answers) + "}"


def _escaped(text: str) -> str:
    """Return feedback with a backslash before what would end it."""
    return text.replace("\\", "\\\\").replace("~", "\\~").replace("}", "\\}").replace("#", "\\#")


def alternatives(sheet: Worksheet) -> dict[str, list[Alternative]]:
    """Return what each blank may hold, in the order in which Moodle tries them; the first that fits counts.

    The right number; the commonest mistakes, made here; what follows from a mistake made before; the other mistakes.
    """
    given = {step.name: np.asarray(step.value, float) for step in sheet.trace if step.given}
    right = Bounds(sheet.trace.rules, given, _handed(sheet)).with_rounding(HALF)
    found = {name: [_alternative(right, *entry, 100, "Right.")] for name, entry in sheet.entries.items()}
    following: dict[str, list[Alternative]] = {name: [] for name in sheet.entries}
    wrong: dict[str, list[Alternative]] = {name: [] for name in sheet.entries}
    for mistake, _, change in occurrences(sheet.trace):
        made = right.with_rules(change)
        for name, (step, index) in sheet.entries.items():
            here = step in change
            said = f"{mistake.name}. {mistake.sentence}" if here else f"Follows from: {mistake.name}."
            try:
                alternative = _alternative(made, step, index, 0 if here else 100, said)
            except Circular:
                break
            (wrong if here else following)[name].append(alternative)
    for name, known in found.items():
        _add(known, [one for one in wrong[name] if one.feedback.partition(". ")[0] in QUESTIONS], KEPT)
        _add(known, following[name], MOST - min(KEPT, len(wrong[name])))
        _add(known, wrong[name], MOST)
    return found


def _add(known: list[Alternative], more: Iterable[Alternative], most: int) -> None:
    """Add the alternatives that none before them covers, until there are so many."""
    for one in more:
        apart = all(abs(one.value - other.value) > other.tolerance for other in known)
        if len(known) < most and apart and abs(one.value) < LARGEST:
            known.append(one)


def _alternative(bounds: Bounds, step: str, index: Index, percent: int, feedback: str) -> Alternative:
    low, high = (float(bound[index]) for bound in bounds.allowed(step))
    return Alternative((low + high) / 2 + 0.0, (high - low) / 2 + 2 * HALF + NEAR, percent, feedback)


def _handed(sheet: Worksheet) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the numbers that the student is given to start from: not a number where the student writes."""
    found = {}
    for name, texts in sheet.handed.items():
        cells = np.array(texts, object)
        value = np.vectorize(lambda text: float("nan") if text == "" else float(Fraction(text)))(cells)
        found[name] = value, np.full(value.shape, 0.0)
    return found
