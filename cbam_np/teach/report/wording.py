"""What a report says, in words for the student; how that is laid out is another matter."""

from itertools import groupby
from math import log10
from typing import NamedTuple

from ..calculation import notation
from .verdicts import BLANK, FOLLOWS, RIGHT, WRONG

MOST_ROWS = 40  # answers that are listed one by one
MOST_WRONG = 10  # wrong ones among more answers than that
MOST_SOURCES = 2  # numbers that an answer is said to follow from
MOST_BLANKS = 4  # blanks of one step that are named singly
WIDEST = 12  # characters of a number in a table
MOST_PLACES = 9  # decimals of one


class Table(NamedTuple):
    """Rows of (verdict, cells): the first cell is a name, the last one is words, those between are numbers."""

    heads: tuple
    rows: list
    more: str = ""


class Diagnosis(NamedTuple):
    """What the first wrong step looks like: a sentence, a paragraph for each explanation, and what to make of them."""

    opening: str
    paragraphs: list
    note: str = ""


def summary(report):
    """Return what came out, as sentences."""
    right, follow, wrong, blank = (len(report.having(v)) for v in (RIGHT, FOLLOWS, WRONG, BLANK))
    n, whose = right + follow + wrong, "earlier" if report.handed else "your own"
    stand = f"{right} as {'it stands' if right == 1 else 'they stand'}"
    follows = f"{follow} {'follows' if follow == 1 else 'follow'} from {whose}"
    everything = {1: "The answer is", 2: "Both answers are"}.get(n, f"All {n} answers are")
    if not n:
        yield "Nothing to judge yet."
    elif n == wrong == 1:
        yield f"The answer is wrong: {report.first_wrong.name}."
    elif not wrong and not right:
        yield f"{everything} within {whose} rounding."
    elif not wrong:
        yield f"{everything} right" + (f": {stand}, {follows} rounding." if follow else ".")
    else:
        first = f": {report.first_wrong.name}" if wrong == 1 else f"; the first is {report.first_wrong.name}"
        yield f"{wrong} of {n} answers {'is' if wrong == 1 else 'are'} wrong{first}."
        rest = [f"{right} {'is' if right == 1 else 'are'} right"] * bool(right) + [f"{follows} numbers"] * bool(follow)
        yield f"{', '.join(rest)}." if rest else ""
    if blank:
        yield f"{blank} {'is' if blank == 1 else 'are'} blank and not judged: {_blanks(report)}."


def _blanks(report):
    named = []
    for name, group in groupby(report.having(BLANK), key=lambda j: j.step):
        blanks = [j.entry.name for j in group]
        named += blanks if len(blanks) <= MOST_BLANKS else [f"{name} ({len(blanks)} entries)"]
    return ", ".join(named)


def tables(report):
    """Return the tables: every answer, or every step and the wrong answers where there are many."""
    judged = report.having(RIGHT, FOLLOWS, WRONG)
    if not judged:
        return []
    heads = ("answer", "written", "expected", "")
    if len(judged) <= MOST_ROWS:
        return [Table(heads, [_row(report, j) for j in judged])]
    steps = [_step_row(name, list(group)) for name, group in groupby(judged, key=lambda j: j.step)]
    more = f"and {len(report.wrong) - MOST_WRONG} more" if len(report.wrong) > MOST_WRONG else ""
    singly = [_row(report, j) for j in report.wrong[:MOST_WRONG]]
    return [Table(("step", ""), steps), *([Table(heads, singly, more)] if singly else [])]


def _step_row(name, judgements):
    verdicts = [j.verdict for j in judgements]
    worst = next(verdict for verdict in (WRONG, FOLLOWS, RIGHT) if verdict in verdicts)
    right, follow, wrong = map(verdicts.count, (RIGHT, FOLLOWS, WRONG))
    words = [f"{right} of {len(verdicts)} right"] if right or not follow else []
    words += [f"{follow} {'follows' if follow == 1 else 'follow'}"] * bool(follow) + [f"{wrong} wrong"] * bool(wrong)
    return worst, (name, ", ".join(words))


def _row(report, j):
    words = _sources(report, j) if j.verdict == FOLLOWS else j.verdict
    return j.verdict, (j.entry.name, _cut(j.written.text), _cut(expected(j)), words)


def _cut(text):
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def expected(j):
    """Write the value that was expected: a short fraction, or as many decimals as are needed to tell it apart."""
    text = notation.number(j.entry.value)
    decimals = _places(j.written)
    if "/" in text and len(text) <= WIDEST:
        return text
    if "/" in text or "." in text:
        text = f"{float(j.entry.value):.{decimals}f}"
        while j.verdict != RIGHT and float(text) == float(j.written.value) and decimals < MOST_PLACES:
            decimals += 1
            text = f"{float(j.entry.value):.{decimals}f}"
    return text


def _places(written):
    """Return how many decimals stand beside a number: as many as it has itself, but at least four."""
    if not written.tolerance:
        return notation.DECIMALS
    return min(max(notation.DECIMALS, round(-log10(2 * written.tolerance))), MOST_PLACES)


def _sources(report, j):
    """Name the nearest numbers that an answer follows from."""
    told, found = [], report.own.sources(j.step, j.index)
    if not found:
        return "rounding on the way can lead there"
    for name, index in found[:MOST_SOURCES]:
        whose = "the given" if (name, index) in report.handed else "your"
        entry = report.trace[name].entry(tuple(i + 1 for i in index)).name
        told.append(f"{whose} {entry} = {_cut(report.own.readings[name][index].text)}")
    more = len(found) - MOST_SOURCES
    return "follows from " + (f"{', '.join(told)} and {more} more" if more > 0 else " and ".join(told))


def working(report):
    """Work out the first wrong entry with the student's own numbers: the entry, and lines of (label, text)."""
    j = report.wrong[0]
    step, places = report.trace[j.step], _places(j.written)
    exact = _in_full(j.entry.value, places)
    if step.given:
        return j.entry, [("it is given", exact), ("you wrote", j.written.text)]
    spelled, value = report.own.worked_out(step.rule, j.index)
    own = report.own.sources(j.step, j.index)
    lines = [("with your numbers" if own else "in numbers", _equation(spelled, value, places))]
    lines.append(("you wrote", j.written.text))
    if notation.result(value, places) != notation.result(j.entry.value, places):
        lines.append(("with exact numbers", exact))
    return j.entry, lines


def _in_full(value, places):
    text, result = notation.number(value), notation.result(value, places)
    return f"{text} {result}" if "/" in text else result[2:]


def _equation(spelled, value, places):
    """Write "0.445 + 1 = 1.445"; a number alone where nothing is left to be worked out."""
    result = notation.result(value, places)
    if " if " in spelled:
        return f"{spelled}; here {result.removeprefix('= ')}"
    return spelled if f"= {spelled}" == result else f"{spelled} {result}"


def diagnosis(report):
    """Say what the first wrong step looks like; where there are several explanations, leave the choice open."""
    j = report.wrong[0]
    found = report.explanations
    if report.trace[j.step].given:
        return Diagnosis("Copied wrongly: this number is given.", [])
    if not found:
        several = sum(other.step == j.step and other.verdict != BLANK for other in report.judgements) > 1
        numbers = "these numbers" if several else "this number"
        return Diagnosis(f"Unexplained: no mistake in the catalogue gives {numbers}.", [])
    names = [f"Two mistakes together: {e.name}." if len(e.mistakes) > 1 else f"{e.name}." for e in found]
    details, note = [_details(report, j, e) for e in found], _by_chance(found[0].chance)
    if len(found) == 1:
        return Diagnosis(f"{'Looks like: ' * (len(found[0].mistakes) == 1)}{names[0]}", details, note)
    told = [f"{name[0].upper()}{name[1:]} {text}" for name, text in zip(names, details, strict=True)]
    return Diagnosis("Any of these explains it:", told, note)


def _by_chance(chance):
    """Say so where mistakes of the catalogue would fit whatever had been written."""
    if chance < 1:
        return ""
    about = "one mistake" if chance < 1.5 else f"{chance:.0f} mistakes"
    return f"With so few digits, about {about} would fit any number: one digit more would tell."


def _details(report, j, explanation):
    """Return what happened, what would come of it, and what speaks against it."""
    sentences = [explanation.sentence]
    if explanation.rule and report.own.allows(explanation.rule, j.index, j.written):
        spelled, value = report.own.worked_out(explanation.rule, j.index)
        if spelled:
            sentences.append(f"That gives {_equation(spelled, value, _places(j.written))}.")
    if n := explanation.against:
        sentences.append(f"But {n} {'answer speaks' if n == 1 else 'answers speak'} against it.")
    return " ".join(sentences)


def also_wrong(report):
    """Name the other wrong answers; what only follows from the first one is not among them."""
    names = [j.entry.name for j in report.wrong[1:]]
    more = len(names) - MOST_WRONG
    return f"Also wrong: {', '.join(names[:MOST_WRONG])}{f', and {more} more' if more > 0 else ''}." if names else ""
