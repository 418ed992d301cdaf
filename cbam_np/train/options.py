"""Options of a run, told once: an option's help, its range and its choices stand beside its type and default.

`Settings` and `Recipe` are dataclasses whose fields are made by `option`. The same words then check a value, fill the
docstring, and make the command line.
"""

import inspect
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, TypeVar

import numpy as np

from ..ops.checks import check_option

T = TypeVar("T")
Needs = Mapping[str, tuple[str, ...]]
NAMES = {int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Range:
    """The numbers that are allowed.

    Parameters
    ----------
    kind : {int, float}
        Whole numbers, or any.
    least, most : float, optional
        The ends.
    ends : str
        "[]" where both ends are allowed themselves; "(" and ")" leave one out.
    """

    kind: type[int] | type[float]
    least: float = 0
    most: float = np.inf
    ends: str = "[]"

    def __contains__(self, value: object) -> bool:
        """Tell whether a value is of the right kind and within the ends; True and False are no numbers here."""
        kinds = (int, np.integer) if self.kind is int else (int, float, np.integer, np.floating)
        if isinstance(value, bool) or not isinstance(value, kinds) or value != value or abs(value) == np.inf:
            return False
        enough = value > self.least if self.ends[0] == "(" else value >= self.least
        return bool(enough and (value < self.most if self.ends[1] == ")" else value <= self.most))

    def __str__(self) -> str:
        """Say it in words, as in "a whole number, 1 to 1000"."""
        if self.ends == "[]" and np.isfinite(self.most):
            return f"{NAMES[self.kind]}, {self.least} to {self.most}"
        words = f"more than {self.least}" if self.ends[0] == "(" else f"{self.least} or more"
        if np.isfinite(self.most):
            words += f" and {'less than' if self.ends[1] == ')' else 'at most'} {self.most}"
        return f"{NAMES[self.kind]}, {words}"

    def check(self, value: object, name: str) -> None:
        """Raise a ValueError unless the value is allowed."""
        if value not in self:
            raise ValueError(f"{name} is {value}, expected {self}")

    def read(self, text: str) -> Any:
        """Read a number that somebody typed; raise a ValueError unless it is allowed."""
        try:
            value: object = self.kind(text)
        except ValueError:
            value = text
        if value not in self:
            shown = text if len(text) <= 30 else f"{text[:30]}…"
            raise ValueError(f"{shown!r}: expected {self}")
        return value


@dataclass(frozen=True)
class Option:
    """What is told of one option.

    Parameters
    ----------
    help : str
        What it is.
    allowed : Range, or a collection of str, or None
        What it may be; any text where it is None.
    metavar : str
        What a value is called in the help of the command line.
    usual : str
        What happens where none is given, if the default itself does not say so.
    only : dict of str to tuple
        Other options, and the values of each of them without which this one has no effect.
    """

    help: str
    allowed: Range | tuple[str | None, ...] | None = None
    metavar: str = ""
    usual: str = ""
    only: Needs = field(default_factory=dict)

    def check(self, value: object, name: str) -> None:
        """Raise a ValueError unless the value is allowed."""
        if isinstance(self.allowed, Range):
            self.allowed.check(value, name)
        elif self.allowed is not None:
            check_option(value, name, self.allowed)
        elif not isinstance(value, str):
            raise ValueError(f"{name} is {value!r}, expected text")


def option(
    default: Any,
    help: str,
    allowed: Range | Iterable[str | None] | None = None,
    *,
    metavar: str = "",
    usual: str = "",
    only: Needs | None = None,
) -> Any:
    """Return a dataclass field that carries an `Option`."""
    allowed = allowed if allowed is None or isinstance(allowed, Range) else tuple(allowed)
    return field(default=default, metadata={"option": Option(help, allowed, metavar, usual, only or {})})


def options_of(cls: type) -> dict[str, Option]:
    """Return the options among the fields of a dataclass, by name."""
    return {f.name: f.metadata["option"] for f in fields(cls) if "option" in f.metadata}


@cache
def _types(cls: type) -> dict[str, Any]:
    """Return the types of a class's fields, which is slow to find out."""
    return typing.get_type_hints(cls)


def takes_many(cls: type, name: str) -> bool:
    """Tell whether an option takes several values: whether its type is a tuple."""
    hint = _types(cls)[name]
    hints = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return any(typing.get_origin(h) is tuple for h in hints)


def check_options(settings: Any) -> None:
    """Check every option of a dataclass.

    Raises
    ------
    ValueError
        If a value is not allowed, or if an option is set that has no effect.
    """
    defaults = {f.name: f.default for f in fields(settings)}
    for name, told in options_of(type(settings)).items():
        value = _plain(getattr(settings, name))
        object.__setattr__(settings, name, value)  # it may be frozen
        if value is None and defaults[name] is None:
            continue
        if not takes_many(type(settings), name):
            told.check(value, name)
        elif not isinstance(value, tuple) or not value:
            raise ValueError(f"{name} is {value!r}, expected a tuple of one value or more")
        else:
            for one in value:
                told.check(one, name)
    check_effect(type(settings), defaults, vars(settings))


def check_effect(cls: type, names: Collection[str], values: Mapping[str, Any]) -> None:
    """Raise a ValueError for the first of these options that has no effect.

    Parameters
    ----------
    cls : type
        Dataclass of the options.
    names : collection of str
        The names of the options that are checked.
    values : mapping
        All that is known, also of other dataclasses: an option of a recipe may need one of the settings.
    """
    for name in without_effect(cls, values):
        if name in names:
            needs = options_of(cls)[name].only
            other = next(other for other, allowed in needs.items() if values[other] not in allowed)
            raise ValueError(
                f"{name} is {values[name]}, but it has an effect only where {other} is "
                f"{' or '.join(needs[other])}, and {other} is {values[other]}: leave {name} out"
            )


def _plain(value: Any) -> Any:
    """Return NumPy's numbers, and a tuple's, as Python's, which JSON can hold."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def without_effect(cls: type, values: Mapping[str, Any]) -> list[str]:
    """Return the names of the options that are set and have no effect, because of the values of others.

    A field of `cls` that is missing in `values` has its default. An option may need what is no field of `cls`; where
    `values` does not tell it, the option counts as one with an effect.
    """
    defaults = {f.name: f.default for f in fields(cls)}
    known = defaults | dict(values)
    return [
        name
        for name, told in options_of(cls).items()
        if known[name] != defaults[name]
        and any(known[other] not in needed for other, needed in told.only.items() if other in known)
    ]


def documented(cls: type[T]) -> type[T]:
    """Add the options to the docstring of a dataclass, as its parameters: a class decorator."""
    lines = ["Parameters", "----------"]
    hints = typing.get_type_hints(cls)
    for name, told in options_of(cls).items():
        kind = getattr(hints[name], "__name__", "") if hints[name] in (int, float, str) else str(hints[name])
        if isinstance(told.allowed, tuple):
            allowed = f" One of {', '.join(map(str, told.allowed))}."
        else:
            allowed = f" Allowed: {told.allowed}." if told.allowed else ""
        lines += [f"{name} : {kind}", f"    {told.help[0].upper()}{told.help[1:]}.{allowed}"]
    cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n" + "\n".join(lines) + "\n"
    return cls
