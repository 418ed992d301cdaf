"""Names of steps as people write them: the slide's M_c(F)_1, F'[1][2][1], F_avg^c[1], Mc1, F′₁,₃,₂."""

import difflib
import re
from functools import lru_cache

from ..calculation.trace import ALIASES, Trace
from .numerals import AnswerError, shown

LONGEST = 60  # characters
NEAREST = 3
MARKS = str.maketrans(  # what keyboards and word processors make of primes, brackets and indices
    dict.fromkeys("′’‘´`ʹ", "'")
    | dict.fromkeys('″”"“ʺ', "''")
    | {"‴": "'''", "∂": "d", "δ": "d", "∇": "d"}
    | dict.fromkeys("({⟨", "[")
    | dict.fromkeys(")}⟩", "]")
    | dict(zip("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹", "01234567890123456789", strict=True))
    | dict(zip("ₐₑₕᵢⱼₖₗₘₙₒₚₛₜᵥₓᶜˢ", "aehijklmnopstvxcs", strict=True))
    | dict.fromkeys("\xa0\u202f\u200b\u2009，", " ")
)
NUMBERED = re.compile(r"[\d\s\[\]_^,;.:|·×-]*", re.ASCII)  # what an index consists of
AXES = re.compile(r"(?:channel|pixel|row|column|col|[chwij])\s*[=.]?\s*(?=\d)")  # F_avg[c=1], F_avg channel 1
PARTS = (  # what a name may have beside the step, and what is left of it
    (r"\$|\\left|\\right|\\,|\\!|~", ""),
    (r"\\(?:mathrm|text|mathbf|operatorname|partial|mathit|bm)\b", ""),
    (r"\\prime", "'"),
    (r"\^\s*\[\s*('+)\s*\]|\^\s*('+)", r"\1\2"),
    (r"[?]+$", ""),
    (r"d\s*L\s*/\s*(?:d\s*)?", "d"),
    (r"\[\s*F\s*'*\s*\]", ""),  # M_c(F), M_s(F')
    (r"\[\s*(avg|max|[cs](?!\s*=))\s*\]?", r"\1"),  # F_{avg}
    (r"\b(?:double prime|prime prime)\b|_?pp(?=[\s_\[\d]|$)", "''"),
    (r"\s*_?prime\b", "'"),
    (r"^(.*)\^\s*\[?c\]?(?![a-z])", r"\1"),  # F_avg^c and F^c_avg are F_avg
)
WORDS = {  # other names of steps
    "avg": "F_avg",
    "average": "F_avg",
    "avgpool": "F_avg",
    "max": "F_max",
    "maximum": "F_max",
    "maxpool": "F_max",
    "z": "z_c",
    "zc": "z_c",
    "f'avg": "Fs_avg",
    "f'max": "Fs_max",
    "fsavg": "Fs_avg",
    "fsmax": "Fs_max",
    "favgs": "Fs_avg",
    "fmaxs": "Fs_max",
    "fcavg": "F_avg",
    "fcmax": "F_max",
    "favgc": "F_avg",
    "fmaxc": "F_max",
    "fout": "F''",
    "dfout": "dF''",
}


def find_name(key: object, trace: Trace) -> tuple[str, tuple[int, ...], str]:
    """Find the step that a name means.

    Parameters
    ----------
    key : str
        A name, with a 1-based index, a part of one, or none.
    trace : Trace
        Whose steps are meant.

    Returns
    -------
    step : str
        The step's name.
    index : tuple of int
        1-based; it may be shorter than the step has axes.
    name : str
        The step as it was written.

    Raises
    ------
    AnswerError
        If no step is meant, with the three nearest names, or if the index is outside.

    Examples
    --------
    >>> import cbam_np
    >>> find_name("M_c(F)_1", cbam_np.lecture.trace())[:2]
    ('M_c', (1,))
    """
    if not isinstance(key, str):
        raise AnswerError(f"a name is {shown(key)}, expected text such as 'M_c[1]'")
    short = key.strip() if len(key) <= LONGEST else key.strip()[: LONGEST - 1] + "…"
    text = short.translate(MARKS)
    for pattern, left in PARTS:
        text = re.sub(pattern, left, text)
    if "^" in text or re.match(r"F_?s", text):  # F^s_avg, F_avg^s
        text = re.sub(r"^(d?F'*)(.*)\^\s*\[?s\]?", r"\1s\2", text)
    for fold in (str, str.casefold):
        squeezed = re.sub(r"[\s_]+", "", fold(text))
        for known, name in _known(trace.names, fold is str.casefold):
            rest = _rest(text, len(known)) if squeezed.startswith(known) else None
            if rest is not None and NUMBERED.fullmatch(AXES.sub("", rest)):
                shape = trace[name].shape
                return name, _index(rest, name, shape), _as_written(short, rest)
    near = nearest_names(text, trace)
    raise AnswerError(f"there is no step {short!r}; the nearest are {', '.join(near)}")


def nearest_names(text: str, trace: Trace) -> list[str]:
    """Return the three steps whose names are most like a text."""
    stem = _squeezed(re.sub(r"\[.*|[_\d,\s]+$", "", text.translate(MARKS)))
    by_spelling = {_squeezed(name): name for name in trace.names}
    near = difflib.get_close_matches(stem, by_spelling, n=NEAREST, cutoff=0.0)
    return [by_spelling[spelling] for spelling in near]


@lru_cache(maxsize=32)
def _known(names: tuple[str, ...], folded: bool) -> list[tuple[str, str]]:
    """Return (spelling, name) of all names, the longest first."""
    spellings = {re.sub(r"[\s_]+", "", name.casefold() if folded else name): name for name in names}
    spellings |= {re.sub(r"_", "", alias): name for alias, name in ALIASES.items() if name in names}
    if folded:
        spellings = {word: name for word, name in WORDS.items() if name in names} | spellings
    return sorted(spellings.items(), key=lambda item: -len(item[0]))


def _rest(text: str, length: int) -> str | None:
    """Return what follows the first so many characters that are neither spaces nor underscores."""
    for at, character in enumerate(text):
        if length == 0:
            return text[at:]
        length -= character not in "_ \t\n\r"
    return "" if length == 0 else None


def _index(rest: str, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the 1-based index that is written behind a name."""
    if re.search(r"(?<!\w)-\s*\d", rest):
        raise AnswerError(f"{name} has indices from 1 on, as on the slides, not negative ones")
    numbers = re.findall(r"\d+", rest)
    if len(numbers) == 1 and len(numbers[0]) == len(shape) > 1:
        numbers = list(numbers[0])  # F'_132
    size = f"{name} has {'×'.join(map(str, shape))} entries" if shape else f"{name} is a single number"
    if any(len(n) > 9 for n in numbers) or len(numbers) > len(shape):
        raise AnswerError(f"{size}: it takes {len(shape)} indices, got {len(numbers)}")
    index = tuple(map(int, numbers))
    if not all(1 <= i <= n for i, n in zip(index, shape, strict=False)):
        raise AnswerError(f"{size}: {list(index)} is outside, since indices start at 1, as on the slides")
    return index


def _as_written(short: str, rest: str) -> str:
    tail = len(rest)
    return short[: len(short) - tail].rstrip(" [_(") if tail else short


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_]", "", name).casefold()
