"""What goes wrong in a student's function, told in words."""

import traceback
from pathlib import Path

PACKAGE = str(Path(__file__).parents[2])
LONGEST = 500  # characters of what an exception says
HINTS = (
    (
        "broadcast",
        "to be multiplied onto (N, C, H, W), M_c needs the shape (N, C, 1, 1) and M_s (N, 1, H, W): "
        "keepdims=True in the pools keeps such axes; and a convolution without padding makes its map smaller",
    ),
    (
        "must match the size of tensor",
        "to be multiplied onto (N, C, H, W), M_c needs the shape (N, C, 1, 1) and M_s (N, 1, H, W): keepdim=True in "
        "the pools keeps such axes; and a k×k convolution keeps the size of its map with an odd k and padding k // 2",
    ),
    ("max() received an invalid", "torch.max takes one axis; x.amax(dim=(2, 3)) takes several"),
    ("matmul", "W0 is (C/r, C) and W1 (C, C/r): pooled vectors (N, C) go through them as v @ W0.T"),
    ("not aligned", "W0 is (C/r, C) and W1 (C, C/r): pooled vectors (N, C) go through them as v @ W0.T"),
)


class Unusable(Exception):
    """What a function did or returned cannot be compared; the message says why, to a person.

    Parameters
    ----------
    text : str
        The message.
    same : object, optional
        What the same failure has in common on other inputs, where the text may differ.
    """

    def __init__(self, text: str, same: object = None) -> None:
        super().__init__(text)
        self.same = same


def told(error: BaseException, how: str) -> Unusable:
    """Return an exception in words: where it happened in the student's own lines, and what may be behind it."""
    said = _text_of(error)
    hint = next((f" ({hint})" for word, hint in HINTS if word in said), "")
    frames = traceback.extract_tb(error.__traceback__)[1:]
    if not frames:
        return Unusable(
            f"it cannot be called as {how}: {said}; if it takes other arguments, pass a lambda that calls it"
        )
    places = ("site-packages", "dist-packages", "<__array_function__", "<frozen", PACKAGE)
    own = [frame for frame in frames if not any(place in frame.filename for place in places)]
    last = (own or frames)[-1]
    line = f", `{last.line}`" if last.line else ""
    text = f"{type(error).__name__} in {last.name}, line {last.lineno}{line}: {said}{hint}"
    return Unusable(text, (type(error), last.filename, last.lineno))


def _text_of(error: BaseException) -> str:
    """Return what an exception says, short; its own code runs for that, and may fail, too."""
    try:
        text = str(error)
    except Exception as another:
        return f"(what it says cannot be shown: {type(another).__name__})"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
