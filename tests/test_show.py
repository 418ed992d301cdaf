"""Numbers, arrays and formulas as text, LaTeX and HTML."""

from fractions import Fraction

import numpy as np
import pytest

from cbam_np.teach.calculation import notation
from cbam_np.teach.example import lecture


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(8, 9), "8/9"),
        (Fraction(2), "2"),
        (3, "3"),
        (0.80914, "0.8091"),
        (0.0, "0"),
        (-1e-5, "0.0000"),
        (-1.5, "-1.5000"),
    ],
)
def test_number(value, text):
    assert notation.number(value) == text


def test_matrices_stand_side_by_side():
    assert notation.text(np.array([[[1, 10], [2, 3]], [[4, 5], [6, 7]]])) == [
        "[1]     [2]",
        "1  10   4  5",
        "2   3   6  7",
    ]
    assert notation.text(Fraction(1, 2)) == ["1/2"] and notation.text([1, 2]) == ["1  2"]


def test_latex():
    assert notation.latex(Fraction(-8, 9)) == r"-\tfrac{8}{9}"
    assert notation.latex([[1, 2], [3, 4]]) == r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}"


def test_html_is_escaped_and_has_every_cell():
    assert notation.html_array(np.arange(12).reshape(3, 2, 2)).count("<td") == 12
    named = notation.html_array(np.arange(12).reshape(3, 2, 2), "F")
    assert [f"F[{i}]" in named for i in range(5)] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"F^c_{avg}[c] = \frac{1}{HW} \sum_{i,j} F[c,i,j]", "F^c_avg[c] = 1/HW Σ_ij F[c,i,j]"),
        (r"\mathrm{d}F_{\text{via }F^c_{avg}}", "dF_via_F^c_avg"),
        (r"f^{7 \times 7}([A; B])", "f^7×7([A; B])"),
    ],
)
def test_plain(latex, text):
    assert notation.plain(latex) == text


def test_no_formula_of_the_lecture_keeps_a_backslash():
    for step in lecture.trace():
        assert not set("\\{}$") & set(notation.plain(step.formula)), step.name
