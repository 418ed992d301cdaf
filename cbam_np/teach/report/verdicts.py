"""What can be said of an answer. A new verdict is one more constant and one more row of `VERDICTS`."""

from typing import NamedTuple

RIGHT, CUT, FOLLOWS, WRONG = "right", "right, but cut off", "follows", "wrong"
BLANK, UNREAD = "not judged", "not read"

BLUE, ORANGE, GREY = (
    "#0072B2",
    "#D55E00",
    "#808080",
)  # Okabe and Ito's, and a grey


class Verdict(NamedTuple):
    """How a verdict is shown, and what it counts.

    Parameters
    ----------
    mark : str
        One character beside the answer; colour is never alone.
    colour : str
        Of the mark.
    one, many : str
        How it is said of one answer and of several: "is right", "are right".
    judged : bool
        Whether it is a judgement of a number; blanks and what cannot be read are only listed.
    points : float
        What part of its points an answer earns.
    """

    mark: str
    colour: str
    one: str
    many: str
    judged: bool = True
    points: float = 0.0


VERDICTS = {
    RIGHT: Verdict("✓", BLUE, "is right", "are right", points=1),
    CUT: Verdict("✂", BLUE, "is right, but cut off", "are right, but cut off", points=0.5),
    FOLLOWS: Verdict("↳", BLUE, "follows from {whose} numbers", "follow from {whose} numbers", points=1),
    WRONG: Verdict("✗", ORANGE, "is wrong", "are wrong"),
    BLANK: Verdict("–", GREY, "is blank", "are blank", judged=False),
    UNREAD: Verdict("?", GREY, "could not be read", "could not be read", judged=False),
}
JUDGED = tuple(name for name, verdict in VERDICTS.items() if verdict.judged)
SOUND = tuple(name for name in JUDGED if VERDICTS[name].points)  # nothing wrong with these
LISTED = tuple(name for name, verdict in VERDICTS.items() if not verdict.judged)
