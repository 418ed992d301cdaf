"""What is likely before any number is looked at: of mistakes that fit equally well, the likelier is named first."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of mistake: what it is called, how unlikely it is, and the names of its mistakes.

    Of two kinds with the same number, the mistake comes first that lies nearer to the wrong line.
    """

    name: str
    unlikely: int
    mistakes: tuple[str, ...]


PRIOR = (
    Kind("rounding", 0, ("rounded too early", "rounded further than written")),
    Kind("a slip of the pen", 0, ("the sign lost", "the decimal point in the wrong place", "two digits swapped")),
    Kind("a common mistake", 0, ()),  # whatever is in no other row
    Kind(
        "matrices, rows and columns, or indices swapped",
        1,
        (
            "W_0 and W_1 swapped",
            "W_0 and W_1 swapped as they stand",
            "W_0 transposed",
            "W_1 transposed",
            "W_0 not transposed on the way back",
            "W_1 not transposed on the way back",
            "dW_0 transposed",
            "dW_1 transposed",
            "M_c along rows or columns instead of channels",
            "M_s with rows and columns swapped",
            "row and column swapped",
            "the kernel's rows and columns swapped",
            "an index counted from 0",
            "an index one too low",
        ),
    ),
)
"""What people do wrong, the likeliest kind first."""

UNLIKELY = {name: kind.unlikely for kind in PRIOR for name in kind.mistakes}


def unlikeliness(name: str) -> int:
    """Return how unlikely a mistake is before any number is looked at; 0 is likely.

    Examples
    --------
    >>> unlikeliness("two digits swapped") < unlikeliness("W_0 transposed")
    True
    """
    return UNLIKELY.get(name, 0)
