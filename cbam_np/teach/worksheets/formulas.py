"""Formulas for pages that load nothing: LaTeX to MathML, which browsers draw by themselves."""

import re

from latex2mathml.converter import convert

from ..calculation.tables import Markup

MATHML = [  # LaTeX as it is best for MathML: words upright, primes not raised twice, limits below max
    (r"\{(F\^c_\{\w+\})\}\^", r"(\1)^"),
    (r"\\mathrm\{", r"\\text{"),
    (r"_\{([a-z]{4,}|avg|max)\}", r"_{\\text{\1}}"),
    (r"(\\[A-Za-z]+|\w)''", r"{\1\\text{″}}"),
    (r"(\\[A-Za-z]+|\w)'", r"{\1\\text{′}}"),
    (r"\\max_", r"\\max\\limits_"),
]


def mathml(latex: str, display: str = "block") -> Markup:
    """Return one of the project's formulas as MathML, by itself ("block") or in a line of text ("inline")."""
    for pattern, text in MATHML:
        latex = re.sub(pattern, text, latex)
    return Markup(re.sub(r' xmlns="[^"]*"', "", convert(latex, display=display)))
