"""Who gets the gradient of a maximum that is reached twice: any shares that are not negative and add up to 1."""

from typing import NamedTuple

import numpy as np

from .draws import Draw
from .found import Found
from .gradients import Slopes, Winners
from .subject import Subject

NEAR = 1e-3
STEP = 1e-4  # larger than elsewhere: one pixel has little weight, and its maximum is held


class Shares(NamedTuple):
    """What the first and the last of two equal ones got of a maximum's gradient."""

    over: str
    first: float
    last: float

    @property
    def ok(self) -> bool:
        """Whether they are shares."""
        return abs(self.first + self.last - 1) < NEAR and min(self.first, self.last) > -NEAR

    @property
    def words(self) -> str:
        """Who got it, for a person."""
        for (first, last), words in KNOWN.items():
            if abs(self.first - first) < NEAR and abs(self.last - last) < NEAR:
                return words
        return f"{self.first:.2g} of it to the first, {self.last:.2g} to the last"


KNOWN = {
    (1, 0): "all of it to the first",
    (0, 1): "all of it to the last",
    (0.5, 0.5): "half of it to each",
    (1, 1): "all of it to each",
    (0, 0): "nothing to either",
}


def with_ties(draw: Draw) -> tuple[np.ndarray, dict[str, tuple[tuple, tuple]]]:
    """Return an input in which two pixels of a channel, and two channels of a pixel, are equal and largest: 0.

    0 stays 0 under any weight, so they are equal in F' as well.
    """
    x = draw.x.copy()
    flat = x.reshape(*x.shape[:2], -1)
    C, P = flat.shape[1:]
    first, last = 1, P - 2
    flat[0, 0] = -np.abs(flat[0, 0])
    flat[0, 0, [first, last]] = 0
    flat[0, -1, [first, last]] = np.abs(flat[0, -1, [first, last]]) + 1  # another channel is larger there
    found = {"space": ((0, 0, first), (0, 0, last))}
    if C > 2:
        flat[1, :, first] = -np.abs(flat[1, :, first])
        flat[1, [0, 2], first] = 0
        flat[1, [0, 2], last] = np.abs(flat[1, [0, 2], last]) + 1  # these channels are larger elsewhere
        found["channels"] = ((1, 0, first), (1, 2, first))
    return flat.reshape(x.shape), found


@np.errstate(all="ignore")
def shares_of_ties(subject: Subject, found: Found, draw: Draw, rng: np.random.Generator) -> list[Shares]:
    """Return who gets what where a maximum over space, and one over channels, is reached twice."""
    x, ties = with_ties(draw)
    dout = rng.normal(size=draw.out.shape)
    result = subject.gradients(x, draw.values, dout)
    if result is None:
        return []
    dx = result[0].reshape(*x.shape[:2], -1)
    ways = [Slopes(found, x, draw.values, dout, Winners(last=last)) for last in (False, True)]
    least = (1e-4 if subject.exact else 0.1) * float(np.sqrt((dx**2).mean()))  # below, rounding hides who got it
    seen = []
    for over, places in ties.items():
        got = []
        for place, (winning, losing) in zip(places, (ways, ways[::-1]), strict=True):
            direction = np.zeros(dx.shape)
            direction[place] = 1
            direction = direction.reshape(x.shape)
            with_all, with_none = winning.along(direction, step=STEP), losing.along(direction, step=STEP)
            if abs(with_all - with_none) > least:
                got.append((dx[place] - with_none) / (with_all - with_none))
        if len(got) == 2:
            seen.append(Shares(over, *got))
    return seen
