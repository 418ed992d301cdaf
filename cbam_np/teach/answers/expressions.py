"""Numbers and expressions of numbers: a small reader, so that nothing a student writes is ever run.

    expression = term (("+" | "-") term)*
    term       = factor (("*" | "/") factor | factor)*       2(3+1) is a product too
    factor     = ("+" | "-") factor | power
    power      = operand "%"* ("^" factor)?
    operand    = number | "(" expression ")" | "e" | function "(" expression ")" | "√" operand

Every value is carried with how far it may be off: a decimal was rounded to its last place, whole numbers and fractions
are exact. Within an expression, halves, quarters and eighths are exact too: the 0.5 of "0.5·0.89" is a weight.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

LARGEST_EXPONENT = 30
MOST_BITS = 1000  # of a fraction's two numbers, so that it still fits a float
DEEPEST = 20  # parentheses in parentheses
ONE = Fraction(1)
SHARE = Fraction(1, 100)  # of its value, as far as a worked out number may be off

NUMERAL = r"(?:\d+(?:\.\d*)?|\.\d+)(?:\(\d+\))?(?:e[+-]?\d+)?"
TOKEN = re.compile(
    rf"\s*(?:(?P<mixed>\d+\s+\d+\s*/\s*\d+)(?![\d.(])|(?P<number>{NUMERAL})(?P<dots>\.\.\.?)?|(?P<name>[a-z]+|[σ√])"
    r"|(?P<sign>[-+*/^()%]))",
    re.ASCII,
)


class NotNumeric(ValueError):
    """Why a text is no number, in words for the student."""


class Value(NamedTuple):
    """A number and what is known of its precision.

    Parameters
    ----------
    value : Fraction
        The number.
    tolerance : Fraction
        How far it may be off.
    places : int or None
        Decimals of the finest number that was rounded; None where none was.
    """

    value: Fraction
    tolerance: Fraction = Fraction(0)
    places: int | None = None


def evaluate(text: str) -> Value:
    """Work out a text of numbers, signs, parentheses and the lecture's functions.

    Parameters
    ----------
    text : str
        Plain text: "." for the decimal point, "-", "*", "/", "^" as signs, lower case.

    Returns
    -------
    Value
        The number and how far it may be off: for a single decimal, half a unit of its last place.

    Raises
    ------
    NotNumeric
        If it is no such text, or leads out of the numbers.

    Examples
    --------
    >>> evaluate("(1 + 0.5)*3").value
    Fraction(9, 2)
    >>> evaluate("0.36").tolerance
    Fraction(1, 200)
    """
    parser = _Parser(_tokens(text))
    found = parser.expression()
    if parser.here is not None:
        raise NotNumeric("write one number")
    if parser.steps == 0 or found.places is None:
        return found
    unit = Fraction(10) ** -max(found.places, 2)
    return found._replace(tolerance=max(found.tolerance, min(unit / 2, abs(found.value) * SHARE)))


class _Token(NamedTuple):
    kind: str
    text: str
    dots: bool
    spaced: bool


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise NotNumeric("write a number, a fraction, or a calculation with numbers")
        kind = "number" if match.lastgroup == "dots" else str(match.lastgroup)
        tokens.append(_Token(kind, match[kind], match["dots"] is not None, text[at].isspace()))
        at = match.end()
    return tokens


class _Parser:
    """Reads tokens from left to right; `steps` counts the calculations on the way."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at, self.steps, self.depth = tokens, 0, 0, 0

    @property
    def here(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def sign(self, signs: str) -> str:
        """Take one of these signs, if it comes next."""
        if self.here is not None and self.here.kind == "sign" and self.here.text in signs:
            self.at += 1
            return self.tokens[self.at - 1].text
        return ""

    def expression(self) -> Value:
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotNumeric("write it with fewer parentheses")
        total = self.term()
        while sign := self.sign("+-"):
            other = self.term()
            total, other = _finer(total, other), _finer(other, total)
            total = self.worked(total.value + other.value * (1 if sign == "+" else -1), total, other, (ONE, ONE))
        self.depth -= 1
        return total

    def term(self) -> Value:
        total, divided = self.factor(), False
        while True:
            if self.sign("*"):
                total = self.multiplied(total, self.factor())
            elif self.sign("/"):
                total, divided = self.divided(total, self.factor()), True
            elif self.starts_a_product():
                if divided:
                    raise NotNumeric("write a · where you multiply")
                total = self.multiplied(total, self.power())
            else:
                return total

    def starts_a_product(self) -> bool:
        """Tell whether a parenthesis or a function follows at once, as in "2(1+3)"."""
        here = self.here
        return here is not None and not here.spaced and (here.text == "(" or here.kind == "name")

    def factor(self) -> Value:
        depth = 0
        negative = False
        while sign := self.sign("+-"):
            negative, depth = negative != (sign == "-"), depth + 1
            if depth > 2:
                raise NotNumeric("write one sign")
        found = self.power()
        return found._replace(value=-found.value) if negative else found

    def power(self) -> Value:
        base = self.operand()
        while self.sign("%"):
            base = _percent(base)
        if not self.sign("^"):
            return base
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotNumeric("write it with fewer exponents")
        exponent = self.factor()
        self.depth -= 1
        return self.raised(base, exponent)

    def operand(self) -> Value:
        token = self.here
        if token is None:
            raise NotNumeric("something is missing at the end")
        self.at += 1
        if token.kind == "mixed":
            return Value(_mixed(token.text))
        if token.kind == "number":
            return _literal(token.text, token.dots)
        if token.text == "(":
            inner = self.expression()
            if not self.sign(")"):
                raise NotNumeric("a parenthesis is not closed")
            return inner
        if token.text == "e":
            return Value(Fraction(math.e))
        if token.text in FUNCTIONS:
            closed = self.here is not None and self.here.text == "("
            if not closed and token.text != "√":
                raise NotNumeric(f"write {token.text}( ) with parentheses")
            return self.applied(FUNCTIONS[token.text], self.operand())
        raise NotNumeric("write it with numbers only" if token.kind == "name" else "write one number")

    # --- calculations ---

    def worked(self, value: Fraction, first: Value, second: Value, slopes: tuple[Fraction, Fraction]) -> Value:
        """Return a result of two values; it moves by so much, `slopes`, when they do."""
        self.steps += 1
        tolerance = sum((abs(s) * v.tolerance for s, v in zip(slopes, (first, second), strict=True)), Fraction(0))
        places = [v.places for v in (first, second) if v.places is not None]
        return _bounded(Value(value, tolerance, max(places, default=None)))

    def multiplied(self, a: Value, b: Value) -> Value:
        a, b = _weight(a), _weight(b)
        return self.worked(a.value * b.value, a, b, (b.value, abs(a.value) + a.tolerance))

    def divided(self, a: Value, b: Value) -> Value:
        if b.value == 0:
            raise NotNumeric("nothing can be divided by 0")
        b = _weight(b)
        least = abs(b.value) - b.tolerance
        if least <= 0:
            raise NotNumeric("the number that you divide by may be 0")
        return self.worked(a.value / b.value, a, b, (1 / least, abs(a.value) / (abs(b.value) * least)))

    def raised(self, base: Value, exponent: Value) -> Value:
        if exponent.value.denominator == 1 and abs(exponent.value) <= LARGEST_EXPONENT and not exponent.tolerance:
            if base.value == 0 and exponent.value < 0:
                raise NotNumeric("nothing can be divided by 0")
            if max(base.value.numerator.bit_length(), base.value.denominator.bit_length()) <= MOST_BITS // 8:
                value = base.value ** int(exponent.value)
                slope = exponent.value * value / base.value if base.value else Fraction(0)
                return self.worked(value, base, exponent, (slope, Fraction(0)))
        if base.value <= 0:
            raise NotNumeric("write it without a power of a negative number")
        log = math.log(base.value)
        value = _fraction(lambda: math.exp(float(exponent.value) * log))
        return self.worked(value, base, exponent, (exponent.value * value / base.value, value * Fraction(log)))

    def applied(self, function: Callable[[float], float], inner: Value) -> Value:
        value = _fraction(lambda: function(float(inner.value)))
        ends = [_fraction(lambda e=e: function(float(inner.value + e * inner.tolerance))) for e in (-1, 1)]
        self.steps += 1
        return _bounded(Value(value, max(abs(end - value) for end in ends), inner.places))


def _percent(v: Value) -> Value:
    """Return hundredths; a whole number of them was rounded."""
    if v.places is None and v.value.denominator == 1:
        return Value(v.value / 100, Fraction(1, 200), 2)
    return Value(v.value / 100, v.tolerance / 100, None if v.places is None else v.places + 2)


def _mixed(text: str) -> Fraction:
    whole, quotient = text.split(maxsplit=1)
    part = _quotient(quotient)
    if part >= 1:
        raise NotNumeric("write a + between the whole number and the fraction, or a · where you multiply")
    return int(whole) + part


def _quotient(text: str) -> Fraction:
    upper, lower = map(int, text.split("/"))
    if lower == 0:
        raise NotNumeric("nothing can be divided by 0")
    return Fraction(upper, lower)


def _literal(text: str, dots: bool) -> Value:
    """Read one numeral; with dots after it, the digits go on, or were rounded where they stop."""
    digits, _, exponent = text.partition("e")
    if abs(int(exponent or 0)) > LARGEST_EXPONENT:
        raise NotNumeric(f"write an exponent from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}")
    digits, _, period = digits.partition("(")
    scale = Fraction(10) ** int(exponent or 0)
    decimals = len(digits.partition(".")[2])
    unit = scale * Fraction(10) ** -decimals
    value = Fraction(digits) * scale
    if period:
        if "." not in digits:
            raise NotNumeric("write a · where you multiply")
        period = period.rstrip(")")
        return Value(value + unit * Fraction(int(period), 10 ** len(period) - 1))
    if dots:
        if not decimals:
            raise NotNumeric("write a few decimals before the dots")
        return Value(value + unit / 4, unit * 3 / 4, decimals)
    if decimals == 0 and not exponent:
        return Value(value)
    return Value(value, unit / 2, max(0, decimals - int(exponent or 0)))


def _weight(v: Value) -> Value:
    """Take a decimal that is a multiple of 1/8, such as 0.5 or 0.25, as exact: it is a weight, and not a result."""
    return Value(v.value) if v.value.denominator in (1, 2, 4, 8) else v


def _finer(v: Value, other: Value) -> Value:
    """Take such a decimal as exact in a sum, too, where the other number has more decimals."""
    return _weight(v) if v.places is not None and other.places is not None and v.places < other.places else v


def _bounded(v: Value) -> Value:
    if max(v.value.numerator.bit_length(), v.value.denominator.bit_length()) > MOST_BITS:
        v = v._replace(value=_fraction(lambda: float(v.value)))
    return v


def _fraction(compute: Callable) -> Fraction:
    """Return a float as a fraction; it has to be one."""
    try:
        return Fraction(compute())
    except (OverflowError, ValueError, ZeroDivisionError):
        raise NotNumeric("the result is too large, or no number") from None


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "σ": _sigmoid,
    "sigmoid": _sigmoid,
    "sigm": _sigmoid,
    "sigma": _sigmoid,
    "√": math.sqrt,
    "sqrt": math.sqrt,
    "relu": lambda x: max(x, 0.0),
    "tanh": math.tanh,
    "ln": math.log,
    "abs": abs,
}
