"""One cell of text: a number with whatever stands around it, or a calculation up to its result."""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from .expressions import NUMERAL, NotNumeric, Value, evaluate
from .spelling import PLAIN, WRAPPED, plain

LONGEST = 200  # characters
MOST_PARTS = 8  # of "8/9 = 0.89 ≈ 0.9"
EDGES = " \t\r\n\f\v\xa0\u202f\ufeff\"'“”‘’`"  # what may stand around a number
SHORT = 40  # characters of a text that is kept as it is
MANY_DIGITS = 7  # from so many on, a number comes from a computer, in single precision at worst
SINGLE = Fraction(1, 10**6)

BLANKS = (
    "x|xx+|n/?a|n\\.\\s?a\\.?|#n/?a|nan|none|null|nil|idk|dunno|tbd|todo|to do|i? ?don'?t know|no idea|unknown"
    "|skip(?:ped)?|blank|empty|not? (?:answer|done)|missing|later|k\\.? ?a\\.?"
)
BLANK = re.compile(rf"[?_\s-]*|[/.]{{3,}}|[?.\s]*\?[?.\s]*|\(?(?:{BLANKS})[.!?]?\)?")
ABOUT = re.compile(
    r"\(?(?:≈|<=>|about|approx(?:imately|imate)?\b\.?|ca\.|ca\b|circa|c\.|roughly|around|nearly|almost|ungefähr|etwa"
    r"|rund|env(?:iron)?\b\.?|(?:the )?(?:answer|result|value|solution|ans)\b(?: is)?|(?:so |thus )?(?:it|this|that) is"
    r"|is|equals|i (?:get|got|have)|gives|so|thus|therefore|hence|∴)\s*:?\s*"
)
DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
LITERAL = re.compile(r"[+-]?\s*(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|\d+\s*/\s*\d+)", re.ASCII)
JOINTS = re.compile(r"\s*([=≈→])\s*")
WORDS = re.compile(  # behind a number, as in "0.5 px" or "0.5 for channel 1"
    r"(?<=[\d)%.]),?\s*((?:[^\W\d_]+[°²]?)(?:[\s.,'/-]+[^\W\d_]+)*"
    r"|(?:for|with|rounded|correct|at|in|on|using|because|since|from|see|channel|to (?=\d+ ?[dsp]))\b[^=≈→]*)$"
)
COMMENT = re.compile(r"(?<=[\d)%.,;])\s+(?:#|//\s*(?=[^\W\d])).*$")  # as behind code
COLUMN = re.compile(r"(?<=[\d)%.])\s*[;|]\s*([^\W\d_]{2}[^=≈→]*)$")  # a further column, of remarks
UNCERTAINTY = re.compile(r"(?<=[\d)])\s*(?:±|\+\s*/\s*-|\+-(?=\s))\s*[\d.,]+%?$")
REPEATING = re.compile(r"(\d*\.)((\d)\3*)\s*\(?(?:period(?:e|isch|ic)?|repeating|recurring|rep\.|rec\.)\)?$")
REMARK = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]$")
COUNTING = r"minus|negative|hundred|thousand|million|half|not"  # words that change a number
TELLING = re.compile(rf"\b(?:or|and|to|plus|times|over|per|mal|durch|{COUNTING})\b(?! \d+ ?[dsp])")
TELLING_WITHIN = re.compile(rf"\b(?:{COUNTING})\b")
ENDINGS = " .,;:!?'\"✓✔√*"
NAME = re.compile(r"[^\W\d][^.]*$")
GOING_ON = re.compile(rf"\d(\.\.\.?)[{re.escape(ENDINGS)}]*$")
SYMBOLIC = re.compile(r"[^\W\d]|[\[\]{}']")
LETTERS = str.maketrans("OolI|", "00111")
NEAR_A_NUMBER = re.compile(r"[+-]?[0-9OolI|]*(?:\s*[.,]\s*)?[0-9OolI|]+(?:/[0-9OolI|]+)?")


class Written(NamedTuple):
    """One number as it was written.

    Parameters
    ----------
    text : str
        As written, without spaces, quotes or ≈ around it.
    value : Fraction
        The number.
    tolerance : Fraction
        How far it may be off: half a unit of the last place written, 0 for whole numbers and fractions.
    read_as : str
        The number that was read, where the text is more than a plain number; else "".
    note : str
        What does not fit within the text itself, such as "7/8 is not 0.98"; mostly "".
    """

    text: str
    value: Fraction
    tolerance: Fraction
    read_as: str = ""
    note: str = ""

    @property
    def numeral(self) -> str:
        """The number as a plain numeral."""
        return self.read_as or self.text


def is_blank(text: str) -> bool:
    """Tell whether a text is no answer: "", "?", "-", "n/a", "idk", "…".

    Examples
    --------
    >>> is_blank(" ? "), is_blank("0")
    (True, False)
    """
    if len(text) > LONGEST or DECIMAL.fullmatch(text):
        return False
    return BLANK.fullmatch(_bare(plain(text)).casefold()) is not None


def read_cell(text: str) -> Written | None:
    """Read what stands in a cell.

    Parameters
    ----------
    text : str
        A number, a calculation, or several parts joined by = ≈ →, of which the last one is the answer.

    Returns
    -------
    Written or None
        None for a blank.

    Raises
    ------
    NotNumeric
        Where no number can be made of it, with a hint.

    Examples
    --------
    >>> read_cell("ca. 3/4 (rounded)").value
    Fraction(3, 4)
    >>> read_cell("7/8 = 0.98").note
    '7/8 is not 0.98'
    """
    if len(text) > LONGEST:
        raise NotNumeric(f"write at most {LONGEST} characters")
    bare = _bare(text)
    if DECIMAL.fullmatch(bare) and len(bare) <= SHORT:  # most cells hold a plain number
        places = len(bare.partition(".")[2])
        return _finished(bare, Value(Fraction(bare), _half_a_unit(places)), bare, "")
    line = _bare(_unwrapped(plain(bare.strip("*_"))))
    if BLANK.fullmatch(line.casefold()):
        return None
    literal = _decimal_points(line)
    if LITERAL.fullmatch(literal.casefold()):
        found = evaluate(literal.casefold())
        as_it_stands = LITERAL.fullmatch(_decimal_points(bare.translate(PLAIN)).casefold())
        return _finished(bare if _one_line(bare) else literal, found, literal, "" if as_it_stands else literal)
    value, numeral, note = _read_chain(UNCERTAINTY.sub("", COMMENT.sub("", line)))
    return _finished(bare, value, numeral, numeral, note)


@lru_cache(maxsize=SHORT)
def _half_a_unit(places: int) -> Fraction:
    """Return how far a number with so many decimals may be off; a whole number is exact."""
    return Fraction(bool(places), 2 * 10**places)


def _bare(text: str) -> str:
    text = text.strip(EDGES)
    while text[:1] and text[0] in "≈~=":
        text = text[1:].strip(EDGES)
    return text


def _one_line(text: str) -> bool:
    return len(text) <= SHORT and text.isprintable()


def _unwrapped(line: str) -> str:
    """Take a number out of "np.float64( )" or "tensor([[ ]])"."""
    match = WRAPPED.fullmatch(line)
    line = match[1] if match else line
    while (line[:1], line[-1:]) == ("[", "]"):
        line = line[1:-1].strip()
    return line


def _finished(text: str, found: Value, literal: str, read_as: str, note: str = "") -> Written:
    """Return a reading; long decimals come from a computer and are right to single precision."""
    tolerance = found.tolerance
    if (
        len(re.sub(r"^0+|e.*|[^0-9]", "", literal.casefold().lstrip("+-0.").partition("/")[0])) >= MANY_DIGITS
        and tolerance
    ):
        tolerance = max(tolerance, SINGLE * max(Fraction(1), abs(found.value)))
    return Written(text, found.value, tolerance, read_as, note)


def show(value: Value) -> str:
    """Write what was read: a short fraction, or the decimals that are known."""
    fraction = str(value.value)
    if not value.tolerance and len(fraction) <= 9:
        return fraction
    decimals = (
        4 if value.places is None else min(max(value.places, 4 if value.tolerance < Fraction(1, 10**4) else 3), 9)
    )
    return f"{float(value.value):.{decimals}f}" if abs(value.value) < 10**9 else f"{float(value.value):.4g}"


def _read_chain(line: str) -> tuple[Value, str, str]:
    """Return the last number of a chain, as a value and as text, and what does not fit in the chain."""
    pieces = JOINTS.split(line.strip(" "))
    if len(pieces) > 2 * MOST_PARTS:
        raise NotNumeric(f"write at most {MOST_PARTS} parts")
    parts, joints = pieces[::2], ["", *pieces[1::2]]
    read: tuple[Value, str, str] | None = None  # value, number and whole part, as text
    problem: NotNumeric | None = None
    note = ""
    for part, joint in zip(parts, joints, strict=True):
        text = part.strip(ENDINGS)
        if not text:
            continue
        if _meant(part):
            raise NotNumeric(f"did you mean {_meant(part)}?")
        try:
            found, numeral = _read_part(part.casefold())
        except NotNumeric as error:
            if not SYMBOLIC.search(part) or (part is parts[-1] and not NAME.match(text)):
                raise
            problem = error
            continue
        if read is not None and joint != "→" and not _agree(read[0], found):
            note = f"{read[2]} is not {text}"
        read = found, numeral, text
    if read is None:
        raise problem or NotNumeric("write one number")
    return read[0], read[1], note


def _agree(a: Value, b: Value) -> bool:
    return abs(a.value - b.value) <= 2 * (a.tolerance + b.tolerance) + Fraction(1, 10**9)


def _decimal_points(line: str) -> str:
    """Turn decimal commas into points."""
    return re.sub(r"(?<![\d.]),(?=\d)|(?<=\d),(?=\d)", ".", line)


def _read_part(part: str) -> tuple[Value, str]:
    """Read one number or calculation, with a remark behind it or not; return its value, and the number as text."""
    part = part.strip(EDGES)
    if re.search(r"\d['\s]\d{3}(?!\d)|\d,\d.*\d\.\d|\d\.\d.*\d,\d|\d,\d+,\d", part):
        raise NotNumeric("write one number, without separators of thousands")
    part = REPEATING.sub(r"\1(\3)", _decimal_points(part))
    part = ABOUT.sub("", part, count=1).replace("[", "(").replace("]", ")")
    part = re.sub(r"(?<=\d)\s*(?:percent|prozent|pct)\b", "%", part)
    part = re.sub(r"(?<=[\d.)])\s*x\s*(?=[\d.(])", "*", part).replace(":", "/")
    part = re.sub(rf"({NUMERAL})\s*\*\s*10\s*\^\s*\(?\s*([+-]?)\s*(\d+)\s*\)?(?![\d(*^]|\.\d)", _scientific, part)
    try:
        found = evaluate(part)
    except NotNumeric as error:
        problem = error
    else:
        literal = part.rstrip(". ") if re.search(r"\.\d+\.\.", part) else part
        return found, literal if LITERAL.fullmatch(literal) else show(found)
    trimmed = _without_remark(part)
    if trimmed is None or trimmed == part:
        raise problem
    try:
        return _read_part(trimmed)
    except NotNumeric:
        raise problem from None


def _scientific(match: re.Match[str]) -> str:
    if "e" in match[1]:
        return match[0]
    return f"{match[1]}e{match[2]}{match[3]}"


def _without_remark(part: str) -> str | None:
    """Return a part without a remark at its end, or without the same number said again; None where there is none."""
    if part.endswith(tuple(ENDINGS)):
        going_on = GOING_ON.search(part)
        return part[: going_on.end(1)] if going_on else part.rstrip(ENDINGS)
    column = COLUMN.search(part)
    if column is not None and _value(column[1]) is None:
        return part[: column.start()]
    remark = REMARK.search(part)
    if remark is None:
        words = WORDS.search(part)
        return part[: words.start()] if words and not TELLING.search(words[1]) else None
    before, again = part[: remark.start()], _value(ABOUT.sub("", remark[1], count=1))
    if again is None:
        return before if re.search(r"[^\W\d_]", remark[1]) and not TELLING_WITHIN.search(remark[1]) else None
    value = _value(before)
    if value is None or not part[remark.start()].isspace():
        return None
    if not _agree(value, again):
        raise NotNumeric("write a · where you multiply")
    return before


def _value(text: str) -> Value | None:
    try:
        return evaluate(text)
    except NotNumeric:
        return None


def _meant(part: str) -> str:
    """Return the number that a part would be with 0 for O and 1 for l, or without a space; "" if that is no number."""
    part = part.strip(ENDINGS + "≈")
    swapped = "".join(part.translate(LETTERS).split())
    if swapped == "".join(part.split()) and not re.search(r"\s[.,]|[.,]\s", part):
        return ""
    if not NEAR_A_NUMBER.fullmatch(part) or not re.search(r"[0-9]", part):
        return ""
    return swapped if LITERAL.fullmatch(_decimal_points(swapped)) else ""
