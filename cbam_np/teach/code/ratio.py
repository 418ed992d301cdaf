"""Whether the reduction ratio that a class accepts has any effect: other objects of it are made, with other ratios."""

import inspect
from collections.abc import Callable
from typing import Any

from .subject import Subject

NAMES = ("ratio", "reduction", "reduction_ratio", "r", "ratios", "reduction_factor", "radio", "rd_ratio", "red_ratio")
TRIED = (2, 4)


def ignores_its_ratio(f: Any, subject: Subject, shapes_of: Callable[[Any], list]) -> str:
    """Return the name of a ratio that an object's class accepts and ignores; "" if there is none.

    Parameters
    ----------
    f : object
        What is checked.
    subject : Subject
        How it is run: its C goes into the class's first argument.
    shapes_of : callable
        Takes an object and returns the shapes of its parameters.
    """
    try:
        parameters = list(inspect.signature(type(f)).parameters.values())
    except (TypeError, ValueError):
        return ""
    name = next((p.name for p in parameters if p.name.lower() in NAMES), "")
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if not name or parameters[0].name == name or set(needed) - {parameters[0].name, name}:
        return ""
    inverse = isinstance(next(p.default for p in parameters if p.name == name), float)
    made = []
    for ratio in TRIED:
        try:
            made.append(shapes_of(type(f)(subject.channels, **{name: 1 / ratio if inverse else ratio})))
        except Exception:  # whatever a stranger's constructor raises, it only says that nothing can be learned
            return ""
    return name if made[0] == made[1] else ""
