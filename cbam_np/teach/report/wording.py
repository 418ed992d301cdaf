"""What a report on answers says, in words for the student."""

from collections.abc import Iterator
from itertools import groupby
from math import log10
from typing import TYPE_CHECKING

from ..answers.numerals import Written
from ..calculation import notation
from ..calculation.trace import Step
from .blocks import Block, Heading, Items, Sentences, Table, Working
from .verdicts import BLANK, CUT, FOLLOWS, JUDGED, LISTED, RIGHT, SOUND, VERDICTS, WRONG

if TYPE_CHECKING:
    from ..diagnosis.search import Explanation
    from .report import Judgement, Report

MOST_ROWS = 40  # answers that are listed one by one
MOST_WRONG = 10  # wrong ones among more answers than that
MOST_SOURCES = 2  # numbers that an answer is said to follow from
MOST_LISTED = 4  # blanks of one step that are named singly
WIDEST = 12  # characters of a number in a table
MOST_PLACES = 9  # decimals of one
WORTH_SAYING = 0.02  # random numbers that an explanation would fit, as a share
SINGLY = ("answer", "written", "expected", "verdict")
EXPECTED = SINGLY.index("expected")


def blocks_of(report: "Report", help: str = "values") -> Iterator[Block]:
    """Yield what a report says: the result, every answer, and the first wrong one worked out and explained."""
    first, *rest = summary(report)
    yield Sentences(" ".join(rest), first)
    for table in tables(report):
        yield table if help == "values" else _without_expected(table)
    if not report.wrong or help == "verdicts":
        return
    entry, lines = working(report)
    yield Heading(entry.name, "" if entry.given else entry.formula, entry.slide)
    if help == "values":
        yield Working(lines)
    if help == "hint":
        yield Sentences(f"{_sure(report)}Work out this line again.")
    else:
        yield from diagnosis(report, calculations=help == "values")
    yield Sentences(also_wrong(report))
    if help in ("mistake", "values"):
        yield Items(_later_steps(report))


def _without_expected(table: Table) -> Table:
    if EXPECTED >= len(table.heads):
        return table
    rows = [(verdict, (*cells[:EXPECTED], *cells[EXPECTED + 1 :])) for verdict, cells in table.rows]
    return Table((*SINGLY[:EXPECTED], *SINGLY[EXPECTED + 1 :]), rows, table.more)


def _sure(report: "Report") -> str:
    """Say what is sure where something is wrong: the answers before it."""
    first = report.judgements.index(report.wrong[0])
    before = [j.verdict for j in report.judgements[:first] if j.verdict in JUDGED]
    if not before:
        return ""
    name = report.wrong[0].entry.name
    return (
        f"Everything before {name} is right{'' if set(before) == {RIGHT} else ', or follows from your own numbers'}. "
    )


def summary(report: "Report") -> Iterator[str]:
    """Yield the result as sentences, the most important one first."""
    counts = {verdict: len(report.having(verdict)) for verdict in VERDICTS}
    n, wrong = sum(counts[verdict] for verdict in JUDGED), counts[WRONG]
    if not n:
        yield "Nothing to judge yet."
    elif not wrong:
        yield _all_sound(n, counts, "earlier" if report.handed else "your")
    elif n == 1:
        yield f"The answer is wrong: {report.wrong[0].entry.name}."
    else:
        first = f": {report.wrong[0].entry.name}" if wrong == 1 else f"; the first is {report.wrong[0].entry.name}"
        yield f"{wrong} of {n} answers {'is' if wrong == 1 else 'are'} wrong{first}."
        rest = [_counted(verdict, counts[verdict], report) for verdict in SOUND if counts[verdict]]
        if rest:
            yield f"{', '.join(rest)}."
    for verdict in LISTED:
        if counts[verdict]:
            judged = " and not judged" if verdict == BLANK else ""
            yield f"{_counted(verdict, counts[verdict], report)}{judged}: {_listed(report, verdict)}."
    for where, _, hint in report.unplaced:
        yield f"No place for {where}: {hint}."


def _counted(verdict: str, n: int, report: "Report") -> str:
    words = VERDICTS[verdict].one if n == 1 else VERDICTS[verdict].many
    return f"{n} {words.format(whose='earlier' if report.handed else 'your own')}"


def _all_sound(n: int, counts: dict[str, int], whose: str) -> str:
    """Say that nothing is wrong, and where answers are not exact, how many of which kind there are."""
    everything = {1: "The answer is", 2: "Both answers are"}.get(n, f"All {n} answers are")
    kinds = {RIGHT: "exact", FOLLOWS: f"consistent with {whose} rounding", CUT: "cut off instead of rounded"}
    if counts[FOLLOWS] == n:
        return f"{everything} {kinds[FOLLOWS]}."
    if counts[CUT] == n:
        return f"{everything} right, but {kinds[CUT]}."
    if counts[RIGHT] == n:
        return f"{everything} right."
    return f"{everything} right: {', '.join(f'{counts[v]} {words}' for v, words in kinds.items() if counts[v])}."


def _listed(report: "Report", verdict: str) -> str:
    """Name the answers with a verdict; many of one step together; with what is known about why."""
    named: list[str] = []
    for name, group in groupby(report.having(verdict), key=lambda j: j.step):
        entries = [f"{j.entry.name}{f' ({j.note})' if j.note else ''}" for j in group]
        named += entries if len(entries) <= MOST_LISTED else [f"{name} ({len(entries)} entries)"]
    return ", ".join(named)


def tables(report: "Report") -> list[Table]:
    """Return the tables: every answer, or every step and the wrong answers where there are many."""
    judged = report.having(*JUDGED)
    if not judged:
        return []
    if len(judged) <= MOST_ROWS:
        return [Table(SINGLY, [_row(report, j) for j in judged])]
    steps = [_step_row(name, list(group)) for name, group in groupby(judged, key=lambda j: j.step)]
    more = f"and {len(report.wrong) - MOST_WRONG} more" if len(report.wrong) > MOST_WRONG else ""
    singly = [_row(report, j) for j in report.wrong[:MOST_WRONG]]
    return [Table(("step", "verdict"), steps), *([Table(SINGLY, singly, more)] if singly else [])]


def _step_row(name: str, judgements: "list[Judgement]") -> tuple[str, tuple[str, ...]]:
    verdicts = [j.verdict for j in judgements]
    counts = {verdict: verdicts.count(verdict) for verdict in (RIGHT, CUT, FOLLOWS, WRONG)}
    worst = max(counts, key=lambda verdict: (counts[verdict] > 0, list(counts).index(verdict)))
    words = [f"{counts[RIGHT]} of {len(verdicts)} right"] if counts[RIGHT] or not counts[FOLLOWS] else []
    several = "follows" if counts[FOLLOWS] == 1 else "follow"
    said = {CUT: "cut off", FOLLOWS: several, WRONG: "wrong"}
    words += [f"{counts[verdict]} {text}" for verdict, text in said.items() if counts[verdict]]
    return worst, (name, ", ".join(words))


def _row(report: "Report", j: "Judgement") -> tuple[str, tuple[str, ...]]:
    words = _sources(report, j) if j.verdict == FOLLOWS else j.verdict
    words += f"; {j.number.note}" if j.number.note else ""
    words += f" (read as {_cut(j.number.read_as)})" if j.number.read_as else ""
    return j.verdict, (j.entry.name, _cut(j.number.text), _cut(expected(j)), words)


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def expected(j: "Judgement") -> str:
    """Write the value that was expected: a short fraction, or as many decimals as are needed to tell it apart."""
    text = notation.number(j.entry.value)
    decimals = _places(j.number)
    if "/" in text and len(text) <= WIDEST:
        return text
    if "/" in text or "." in text:
        text = f"{j.exact:.{decimals}f}"
        while j.verdict != RIGHT and float(text) == float(j.number.value) and decimals < MOST_PLACES:
            decimals += 1
            text = f"{j.exact:.{decimals}f}"
    return text


def _places(written: Written) -> int:
    """Return how many decimals stand beside a number: as many as it has itself, but at least four."""
    if not written.tolerance:
        return notation.DECIMALS
    return min(max(notation.DECIMALS, round(-log10(2 * written.tolerance))), MOST_PLACES)


def _sources(report: "Report", j: "Judgement") -> str:
    """Name the nearest numbers that an answer follows from."""
    told, found = [], report.numbers.sources(j.step, j.index)
    if not found:
        return "consistent with rounding on the way"
    for name, index in found[:MOST_SOURCES]:
        whose = "the given" if (name, index) in report.handed else "your"
        entry = report.trace[name].entry(tuple(i + 1 for i in index)).name
        told.append(f"{whose} {entry} = {_cut(report.numbers.readings[name][index].text)}")
    more = len(found) - MOST_SOURCES
    return "follows from " + (f"{', '.join(told)} and {more} more" if more > 0 else " and ".join(told))


def working(report: "Report") -> tuple[Step, list[tuple[str, str]]]:
    """Work out the first wrong entry with the student's own numbers: the entry, and lines of (label, text)."""
    j = report.wrong[0]
    step, places = report.trace[j.step], _places(j.number)
    exact = _in_full(j, places)
    if step.given:
        return j.entry, [("it is given", exact), ("you wrote", j.number.text)]
    assert step.rule is not None  # it is not given
    spelled, value = report.numbers.worked_out(step.rule, j.index)
    own = report.numbers.sources(j.step, j.index)
    lines = [("with your numbers" if own else "in numbers", _equation(spelled, value, places))]
    lines.append(("you wrote", j.number.text))
    if notation.result(value, places) != notation.result(j.exact, places):
        lines.append(("with exact numbers", exact))
    return j.entry, lines


def _in_full(j: "Judgement", places: int) -> str:
    text, result = notation.number(j.entry.value), notation.result(j.exact, places)
    return f"{text} {result}" if "/" in text else result[2:]


def _equation(spelled: str, value: float, places: int) -> str:
    """Write "0.445 + 1 = 1.445"; a number alone where nothing is left to be worked out."""
    result = notation.result(value, places)
    if " if " in spelled:
        return f"{spelled}; here {result.removeprefix('= ')}"
    return spelled if f"= {spelled}" == result else f"{spelled} {result}"


def diagnosis(report: "Report", calculations: bool = True) -> Iterator[Block]:
    """Say what the first wrong step looks like; where there are several explanations, leave the choice open.

    With `calculations`, what a mistake gives is worked out.
    """
    j = report.wrong[0]
    found = report.explanations
    if report.trace[j.step].given:
        yield Sentences("", "Copied wrongly: this number is given.")
        return
    if j.number.note:
        yield Sentences("", f"Within your own line, {j.number.note}.")
    if not found:
        yield Sentences(f"{_sure(report)}Work out this line again.", "No known mistake leads here.")
        return
    names = [f"Two mistakes together: {e.name}." if len(e.hypotheses) > 1 else f"{e.name}." for e in found]
    details = [_details(report, j, e, calculations) for e in found]
    if len(found) == 1:
        yield Sentences("", f"{'Looks like: ' if len(found[0].hypotheses) == 1 else ''}{names[0]}")
        yield Items(details)
    else:
        yield Sentences("", "Any of these would explain it:")
        told = [f"{name[0].upper()}{name[1:]} {text}" for name, text in zip(names, details, strict=True)]
        yield Items(told, numbered=True)
    yield Sentences(_by_chance(found[0].chance))


def _by_chance(chance: float) -> str:
    """Say how many random numbers a known mistake would fit, unless these are very few."""
    if chance < WORTH_SAYING:
        return ""
    if chance < 1:
        return f"A known mistake would fit about {100 * chance:.0f} of 100 random numbers here."
    about = "one mistake" if chance < 1.5 else f"{chance:.0f} mistakes"
    return f"With so few digits, about {about} would fit any number: one more digit would decide."


def _details(report: "Report", j: "Judgement", explanation: "Explanation", calculations: bool) -> str:
    """Return what happened, what that gives, and what contradicts it."""
    sentences = [explanation.sentence]
    if calculations and explanation.rule and report.numbers.allows(explanation.rule, j.index, j.number):
        spelled, value = report.numbers.worked_out(explanation.rule, j.index)
        if spelled:
            sentences.append(f"That gives {_equation(spelled, value, _places(j.number))}.")
    if n := explanation.against:
        sentences.append(f"But {n} {'answer contradicts' if n == 1 else 'answers contradict'} it.")
    return " ".join(sentences)


def _later_steps(report: "Report") -> list[str]:
    """Say what the later wrong steps look like."""
    later = list(report.diagnoses.items())[1:]
    return [f"{name} looks like: {found[0].name}. {found[0].sentence}" for name, found in later if found]


def also_wrong(report: "Report") -> str:
    """Name the other wrong answers; what only follows from the first one is not among them."""
    names = [j.entry.name for j in report.wrong[1:]]
    more = len(names) - MOST_WRONG
    return f"Also wrong: {', '.join(names[:MOST_WRONG])}{f', and {more} more' if more > 0 else ''}." if names else ""
