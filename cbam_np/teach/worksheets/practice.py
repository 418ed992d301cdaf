"""A worksheet that checks itself while it is filled in, and does not show its answers."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ...ops.checks import check_option
from ..report.advice import HELP, Advice, advise
from .worksheet import Worksheet, worksheet


class Practice:
    """A worksheet to practise with: it tells what is right and what to work out again, not the right numbers.

    It holds no answers; it makes its worksheet from the seed whenever it checks something. That is no secret: whoever
    has this package can make the worksheet with its key, as `cbam_np.worksheet` does.

    Parameters
    ----------
    seed, level, **options
        As for `cbam_np.worksheet`.
    help : {"verdicts", "hint", "mistake", "values"}
        How much help `check` gives, see `advise`.

    Raises
    ------
    ValueError
        If there is no such worksheet, or no such help.

    Examples
    --------
    >>> practice = Practice(7, "quick")
    >>> print(practice.check({"F_max": ["4", "4", "9"]}))
    1 of 3 answers is wrong: F_max[3]. 2 are right.
    <BLANKLINE>
       answer    written  verdict
    ✓  F_max[1]        4  right
    ✓  F_max[2]        4  right
    ✗  F_max[3]        9  wrong
    <BLANKLINE>
    F_max[3]: F^c_max[c] = max_ij F[c,i,j]   (Step 1)
    <BLANKLINE>
    Everything before F_max[3] is right. Work out this line again.
    """

    def __init__(self, seed: int, level: str = "forward", help: str = "hint", **options: Any) -> None:
        check_option(help, "help", HELP)
        self.seed, self.level, self.help, self.options = seed, level, help, options
        _made(seed, level, tuple(sorted(options.items())))

    def check(self, answers: Mapping[str, object], help: str | None = None) -> Advice:
        """Check answers, with more or less help than usual if `help` says so.

        Raises
        ------
        AnswerError
            If the answers cannot be read.
        """
        sheet = _made(self.seed, self.level, tuple(sorted(self.options.items())))
        return advise(sheet.check(answers), help or self.help)

    def __repr__(self) -> str:
        return f"<Practice: worksheet {self.seed}, {self.level}>"


@lru_cache(maxsize=32)
def _made(seed: int, level: str, options: tuple[tuple[str, Any], ...]) -> Worksheet:
    return worksheet(seed, level, **dict(options))
