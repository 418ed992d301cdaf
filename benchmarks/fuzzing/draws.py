"""Random choices, and damage of the kinds that files, fields and people do to bytes, text and data."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

LETTERS = "0123456789.,;:-+*/^()[]{}<>=_'\"\\ \t\n|%#&~$eExXcFMzσ√≈′″π½"
ODD = [
    *("٣", "३", "５", "²", "Ⅷ", "๓", "𝟙"),  # digits elsewhere in the world
    *("\x00", "\x1b[2J", "\r", "\u2028", "\u202e", "\ufeff", "\u200b", "é", "e\u0301", "ß", "İ", "🐆", "\ud800"),
    *("nan", "inf", "-inf", "1e999", "1e-999", "0x10", "1_000", "--", "..", "__class__", "$(id)", "../..", "None"),
    *("(" * 60, "[" * 500, "9" * 400, "a." * 50, "1/" * 30, "^9" * 9, "-" * 300, "{" * 200, "'" * 40),
]
NUMBERS = [0, 1, -1, 2, 3, 7, 255, 256, 2**15, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 10**12, 10**30, -(2**63)]
OTHERS = [None, True, False, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "0", [], {}, [[]], [1, [2]], {"a": {}}]


class Draws:
    """Random choices from one generator.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where they come from.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def below(self, most: int) -> int:
        """Return a whole number from 0 to most - 1."""
        return int(self.rng.integers(most))

    def chance(self, p: float) -> bool:
        """Return True with probability p."""
        return bool(self.rng.random() < p)

    def one(self, choices: Sequence[T]) -> T:
        """Return one of several."""
        return choices[self.below(len(choices))]

    def some(self, choices: Sequence[T], most: int) -> list[T]:
        """Return 0 to `most` of several, in a random order."""
        count = min(self.below(most + 1), len(choices))
        return [choices[int(at)] for at in self.rng.permutation(len(choices))[:count]]

    def text(self, most: int = 12) -> str:
        """Return a short text of odd characters."""
        return "".join(self.one(ODD) if self.chance(0.15) else self.one(LETTERS) for _ in range(self.below(most + 1)))

    def damaged_text(self, text: str) -> str:
        """Return a text with one piece of it changed."""
        at = self.below(len(text) + 1)
        to = min(len(text), at + 1 + self.below(6))
        changes: list[Callable[[], str]] = [
            lambda: text[:at] + text[to:],
            lambda: text[:at] + self.text(3) + text[at:],
            lambda: text[:at] + self.text(3) + text[to:],
            lambda: text[:to] + text[at:],
            lambda: text[:at],
            lambda: text[:at] + self.one(ODD) + text[to:],
            lambda: text.swapcase(),
            lambda: text[:at] + text[at:to] * (1 + self.below(50)) + text[to:],
        ]
        return self.one(changes)()

    def damaged_bytes(self, data: bytes) -> bytes:
        """Return bytes with a few places of them changed."""
        changed = bytearray(data)
        for _ in range(1 + self.below(4)):
            at = self.below(len(changed) + 1)
            if self.chance(0.4):  # where headers are
                at = min(at, self.below(64))
            to = min(len(changed), at + 1 + self.below(8))
            kind = self.below(7)
            if kind == 0:
                del changed[at:to]
            elif kind == 1:
                changed[at:at] = self.rng.bytes(1 + self.below(8))
            elif kind == 2:
                changed[at:to] = self.one([b"\xff", b"\x00", b"\x7f", b"\x80"]) * (to - at)
            elif kind == 3:
                del changed[at:]
            elif kind == 4:
                changed[at:to] = self.rng.bytes(to - at)
            elif kind == 5 and at < len(changed):
                changed[at] ^= 1 << self.below(8)
            else:
                changed[at:at] = changed[at:to]
        return bytes(changed)

    def damaged_data(self, data: Any) -> Any:
        """Return JSON data with one value or name somewhere in it changed."""
        data = json.loads(json.dumps(data))
        here = data
        while True:
            places = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not places:
                return self.odd_value()
            place = self.one(places)
            if isinstance(here[place], dict | list) and here[place] and self.chance(0.7):
                here = here[place]
                continue
            break
        kind = self.below(4)
        if kind == 0:
            del here[place]
        elif kind == 1 and isinstance(here, dict):
            here[self.text()] = here.pop(place)
        elif kind == 2 and isinstance(here[place], str):
            here[place] = self.damaged_text(here[place])
        else:
            here[place] = self.odd_value()
        return data

    def odd_value(self) -> Any:
        """Return a value that nobody expects."""
        kind = self.below(4)
        if kind == 0:
            return self.one(NUMBERS)
        if kind == 1:
            return self.text()
        if kind == 2:
            deep: Any = self.one(OTHERS)
            for _ in range(self.below(4)):
                deep = [deep] if self.chance(0.5) else {"a": deep}
            return deep
        return self.one(OTHERS)


def as_text(data: bytes) -> str:
    """Return bytes as text that JSON can hold."""
    return base64.b64encode(data).decode()


def as_bytes(text: str) -> bytes:
    """Return what `as_text` was given."""
    return base64.b64decode(text)
