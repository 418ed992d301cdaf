"""What a student writes is read for what it says, to the precision it says it with; what is no number gets a hint."""

import json
import os
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbam_np
from benchmarks import handwriting
from cbam_np.teach.answers.cells import show
from cbam_np.teach.answers.expressions import Value
from cbam_np.teach.answers.lists import split_list
from cbam_np.teach.answers.names import find_name
from cbam_np.teach.answers.notebooks import read_notebook
from cbam_np.teach.answers.numerals import shown
from cbam_np.teach.answers.reading import AnswerError, Unread, read_answers, read_file, written

from .helpers import examples

TRACE = cbam_np.lecture.trace()


@pytest.fixture
def file(tmp_path):
    """Write a file and return its path."""

    def write(content, suffix=".csv"):
        path = tmp_path / f"answers{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def entry(name, index):
    return f"{name}[{','.join(str(i + 1) for i in index)}]"


def texts(answers):
    """Read answers and return them as 1-based names and what was written."""
    read = read_answers(answers, TRACE)
    assert not read.unplaced
    return {entry(name, at): number.text for name, own in read.numbers().items() for at, number in own.items()}


def hints(answers):
    """Read answers and return what could not be read or has no place: names and hints."""
    read = read_answers(answers, TRACE)
    unread = {
        entry(name, at): number.hint
        for name, own in read.found.items()
        for at, number in own.items()
        if isinstance(number, Unread)
    }
    return unread | {answer.where: answer.hint for answer in read.unplaced}


def hinted(answers, *messages):
    """Demand one hint with all of these words in it; return it."""
    (hint,) = hints(answers).values()
    for message in messages:
        assert message in hint
    return hint


def refused(answers, *messages):
    """Demand an AnswerError with all of these words in it; return its text."""
    with pytest.raises(AnswerError) as error:
        read_answers(answers, TRACE)
    for message in messages:
        assert message in str(error.value)
    return str(error.value)


# --- one number ---

NUMBERS = [  # as written, value, tolerance
    ("0.81", "0.81", "0.005"),
    ("0.80", "0.8", "0.005"),
    ("0.8", "0.8", "0.05"),
    ("2.0", "2", "0.05"),
    ("8/9", "8/9", "0"),
    ("-8 / 9", "-8/9", "0"),
    ("8/09", "8/9", "0"),
    ("2", "2", "0"),
    ("+1", "1", "0"),
    ("5.", "5", "0"),
    (".5", "0.5", "0.05"),
    ("-.5", "-0.5", "0.05"),
    ("-1.2e-3", "-0.0012", "0.00005"),
    ("1E-3", "0.001", "0.0005"),
    ("1.5e3", "1500", "50"),
    ("0,81", "0.81", "0.005"),
    ("−0.5", "-0.5", "0.05"),
    ("– 0.5", "-0.5", "0.05"),
    ("8⁄9", "8/9", "0"),
    ("≈ 0.81", "0.81", "0.005"),
    ("~0.81", "0.81", "0.005"),
    ("= 0.81", "0.81", "0.005"),
    ("'0.81", "0.81", "0.005"),
    (' "0.81"\t', "0.81", "0.005"),
    ("“0.81”\xa0", "0.81", "0.005"),
    (0.81, "0.81", "0.005"),
    (0.80, "0.8", "0.05"),
    (1e-5, "1e-5", "5e-6"),
    (2, "2", "0"),
    (-(10**20), str(-(10**20)), "0"),
    (Fraction(8, 9), "8/9", "0"),
    (Decimal("0.80"), "0.8", "0.005"),
    (np.float64(0.81), "0.81", "0.005"),
    (np.int8(-3), "-3", "0"),
    (np.array(0.81), "0.81", "0.005"),
    (np.array(Decimal("0.80")), "0.8", "0.005"),
]


@pytest.mark.parametrize(("answer", "value", "tolerance"), NUMBERS)
def test_a_number_is_as_precise_as_it_was_written(answer, value, tolerance):
    number = written(answer, "M_c[1]")
    assert (number.value, number.tolerance) == (Fraction(value), Fraction(tolerance))


READINGS = [  # as written, the number, what it is read as ("" where it is read as it stands)
    ("⁸⁄₉", "8/9", "8/9"),
    ("8:9", "8/9", "8/9"),
    ("8÷9", "8/9", ""),
    ("1 4/9", "13/9", "13/9"),
    ("1+4/9", "13/9", "13/9"),
    ("-1 4/9", "-13/9", "-13/9"),
    ("1⁴⁄₉", "13/9", "13/9"),
    ("2½", "5/2", "5/2"),
    (r"$1\frac{4}{9}$", "13/9", "13/9"),
    ("0.(8)", "8/9", "8/9"),
    ("0.8\u0305", "8/9", "8/9"),
    ("0.1(6)", "1/6", "1/6"),
    (r"\approx 0.25", "0.25", "0.25"),
    ("ca. 0,25", "0.25", "0.25"),
    ("25%", "0.25", "0.250"),
    ("2.5·10⁻¹", "0.25", "2.5e-1"),
    (r"2.5 \cdot 10^{-1}", "0.25", "2.5e-1"),
    ("0.25.", "0.25", "0.25"),
    ("2 (twice)", "2", "2"),
    ("0.25 px", "0.25", "0.25"),
    ("0.25 (2 d.p.)", "0.25", "0.25"),
    ("1/4 (0.25)", "1/4", "1/4"),
    ("0.5·0.5", "0.25", "1/4"),
    ("0.5(0.5)", "0.25", "1/4"),
    ("(1 + 0 + 1 + 2)/16", "0.25", "1/4"),
    ("0.5 x 0.5 = 0.25", "0.25", "0.25"),
    ("z_avg + z_max = 0.2 + 0.05 = 0.25", "0.25", "0.25"),
    ("1/4 → 0.25", "0.25", "0.25"),
    ("0.2500 -> 0.25", "0.25", "0.25"),
    ("M_c[3]=0.25", "0.25", "0.25"),
    ("sigmoid(0)", "0.5", "1/2"),
    ("--5", "5", "5"),
    ("sigmoid(-800) + 1", "1", "1"),
    ("1\u28004/9", "13/9", "13/9"),
    ("1/(1+e^0)", "0.5", "1/2"),
    (r"\frac{1}{1+e^{0}}", "0.5", "1/2"),
    ("√4", "2", "2"),
    ("np.float64(0.25)", "0.25", "0.25"),
    ("tensor([[0.25]], dtype=torch.float64)", "0.25", "0.25"),
    ("Fraction(1, 4)", "1/4", "1/4"),
    ("\u200b0.25\u2060", "0.25", "0.25"),
    ("٣", "3", "3"),
]


@pytest.mark.parametrize(("answer", "value", "read_as"), READINGS)
def test_numbers_as_people_write_them(answer, value, read_as):
    number = written(answer, "M_c[1]")
    assert abs(number.value - Fraction(value)) < Fraction(1, 10**12)
    assert number.read_as == read_as and not number.note


@pytest.mark.parametrize(
    ("answer", "value", "tolerance"),
    [
        ("0.88…", 0.8825, 0.0075),  # the digits go on, or were rounded here
        ("80.9%", 0.809, 0.0005),
        ("81 %", 0.81, 0.005),
        ("8.09·10⁻¹", 0.809, 0.0005),
        ("0.445 + 1", 1.445, 0.0005),
        ("0.5·0.89", 0.445, 0.00445),  # 0.5 is a weight; the result is as good as two decimals, or to 1 %
        ("0.125·0.375", 0.046875, 0),  # weights, and exact
        ("0.29/0.7", 0.414286, 0.005 / 0.65 + 0.05 * 0.29 / (0.7 * 0.65)),  # 0.7 may be 0.65, and 0.29 may be 0.295
        ("1/(1+e^-1.445)", 0.80923, 0.0005),
        ("0.8091571", 0.8091571, 1e-6),  # from seven digits on, a number comes from a computer
        (0.8091570734977722, 0.8091570734977722, 1e-6),
    ],
)
def test_how_precise_a_reading_is(answer, value, tolerance):
    number = written(answer, "M_c[1]")
    assert float(number.value) == pytest.approx(value, abs=1e-5)
    assert float(number.tolerance) == pytest.approx(tolerance, rel=1e-6)


def test_the_parts_of_a_chain_have_to_agree():
    assert written("8/9 = 0.89 ≈ 0.9", "x").text == "8/9 = 0.89 ≈ 0.9"
    assert written("8/9 = 0.89 ≈ 0.9", "x").value == Fraction("0.9")
    assert written("7/8 = 0.98", "x").note == "7/8 is not 0.98"
    assert written("0.445 + 1 = 1.545", "x").note == "0.445 + 1 is not 1.545"
    assert written("7/8 = 0.87", "x").note == ""  # cut off
    assert written("1/1000000000 = 0", "x").note == ""  # as near as what a float may lose
    assert written("1/999999999 = 0", "x").note == "1/999999999 is not 0"
    assert written("1.4 → 0.8", "x").note == ""  # an arrow leads on to something else


BLANKS = [
    None,
    "",
    "  ",
    "?",
    "??",
    "-",
    "–",
    "_",
    "____",
    "…",
    "...",
    "= ____",
    "''",
    "x",
    "n/a",
    "N/A",
    "nan",
    "none",
]
BLANKS += ["idk", "I don't know", "--", "—", "?!"[:1], float("nan"), np.float32("nan"), Decimal("NaN"), "#N/A", "TBD"]


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_is_no_answer(blank):
    assert written(blank, "M_c[1]") is None
    read = read_answers({"M_c[1]": blank, "M_s": blank, "F_avg": [blank, "8/9", blank]}, TRACE)
    assert read.numbers().keys() == {"F_avg"} and read.found["M_c"] == {(0,): None}
    assert hints({"M_c[1]": blank}) == {}


def test_text_is_kept_without_what_stands_around_it():
    assert written(" ≈ '−0,80' ", "M_c[1]").text == "−0,80"
    assert written(0.80, "M_c[1]").text == "0.8"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_other_floats_have_a_relative_tolerance(dtype):
    number = written(dtype(80.9), "M_c[1]")
    assert abs(number.value - Fraction("80.9")) < number.tolerance < 0.1
    assert written(np.float32(80.9), "M_c[1]").tolerance == pytest.approx(80.9e-5)


NO_NUMBERS = [
    ("=A1+2", "is '=A1+2' | with numbers only"),
    ("O.25", "did you mean 0.25?"),
    ("l.25", "did you mean 1.25?"),
    ("0. 25", "did you mean 0.25?"),
    ("-Infinity", "is '-Infinity', "),
    ("#DIV/0!", "is '#DIV/0!', "),
    ("1_000", "a calculation with numbers"),
    ("2 or 3", "is '2 or 3', "),
    ("not 0.25", "is 'not 0.25', "),
    ("0.25 negative", "is '0.25 negative', "),
    ("z_avg + z_max", "is 'z_avg + z_max', "),
    ("import os", "is 'import os', "),
    ("__import__('os').getcwd()", "is "),
    ("9^9^9^9", "too large"),
    ("(" * 90 + "1" + ")" * 90, "fewer parentheses"),
    ("1/2√3", "write a · where you multiply"),
    ("0.5 (0.25)", "write a · where you multiply"),
    ("1/0", "nothing can be divided by 0"),
    ("1,234.5", "one number, without separators of thousands"),
    ("1.234.567", "write "),
    ("1'000", "separators of thousands"),
    (".", "write "),
    ("0.8 0.9", "write one number"),
    ("0.8; 0.9", "write "),
    ("1e31", "is '1e31' | an exponent from -30 to 30"),
    ("1e-31", "an exponent from -30 to 30"),
    ("1e999999999", "an exponent from -30 to 30"),
    ("0." + "1" * 199, f"is '0.{'1' * 37}…' | at most 200 characters"),
    ("9" * 10_000_000, f"is '{'9' * 39}…' | at most 200 characters"),
    ("−" * 10_000_000, "at most 200 characters"),
    ("\ud800\x1b[31m", r"is '\ud800\x1b[31m', "),
    (True, "is True, "),
    (np.False_, "is False, "),
    (1j, "is 1j, "),
    (np.complex64(1j), "is 1j, "),
    (float("-inf"), "is -inf, "),
    (np.float32("inf"), "is inf, "),
    (Decimal("1e999999"), "exponent"),
    (10**5000, "is of type int, "),
    (Fraction(1, 10**400), "is of type Fraction, "),
    ([0.81, 0.82], "is of type list, "),
    ({"a": 1}, "is of type dict, "),
    (b"0.81", "is of type bytes, "),
    (object(), "is of type object, "),
]


@pytest.mark.parametrize(("answer", "message"), NO_NUMBERS, ids=lambda x: type(x).__name__)
def test_what_is_no_number_is_answered_in_words(answer, message):
    with pytest.raises(AnswerError) as error:
        written(answer, "M_c[1]")
    assert all(words in str(error.value) for words in message.split(" | "))
    assert str(error.value).startswith("M_c[1] is ") and "expected a number such as 1.75 or 7/4: " in str(error.value)
    assert len(str(error.value)) < 170 and str(error.value).isprintable()
    assert str(error.value).endswith(error.value.hint)


def test_one_cell_that_cannot_be_read_leaves_the_others():
    answers = {"F_avg[1]": "8/9", "M_c[1]": "O.81", "Q": "1", "M_c[0]": "0.5", "F_max": "2, 2, 2", "M_s": [1, 2]}
    report = cbam_np.check(answers, TRACE)
    assert {j.entry.name: j.verdict for j in report.judgements} == {
        "F_avg[1]": "right",
        "F_max[1]": "right",
        "F_max[2]": "right",
        "F_max[3]": "right",
        "M_c[1]": "not read",
    }
    assert report.ok and [answer.where for answer in report.unplaced] == ["Q", "M_c[0]", "M_s"]
    assert "did you mean 0.81?" in str(report) and "No place for Q" in str(report)
    assert "no step 'Q'" in report.to_json()


def test_readings_of_the_grammar_are_right_and_soon():
    result = handwriting.run(6000, seed=2)
    assert (result["wrong"], result["slow"]) == (0, 0), (result["examples"], result["slow texts"])
    assert result["counts"]["grammar, read"] == 3000


def test_a_wrong_reading_would_be_noticed():
    assert handwriting.off("1.5", Fraction(8, 5)) == "read as 1.5"
    assert handwriting.off("many", Fraction(1)).startswith("not read: ")
    assert handwriting.off("?", Fraction(1)) == "read as a blank"


@given(st.fractions(-50, 50), st.integers(0, 6))
def test_what_was_rounded_is_within_its_tolerance(exact, places):
    number = written(f"{float(round(exact, places)):.{places}f}", "M_c[1]")
    assert abs(number.value - exact) <= number.tolerance or places == 0


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read(x):
    assert float(written(x, "M_c[1]").value) == x


# --- their places ---


def test_entries_by_step_and_by_index_from_zero():
    found = read_answers({"M_s[2,3]": "0.5", "M_c[1]": "0.81", "M_c[3]": "0.83"}, TRACE).found
    assert {name: list(numbers) for name, numbers in found.items()} == {"M_s": [(1, 2)], "M_c": [(0,), (2,)]}
    assert found["M_c"][2,].text == "0.83"
    assert read_answers({}, TRACE).found == {}


@pytest.mark.parametrize(
    ("spelling", "entry"),
    [
        ("F'_avg[1,1]", "Fs_avg[1,1]"),
        ("F′_avg[1,1]", "Fs_avg[1,1]"),
        ("F^s_avg[1,1]", "Fs_avg[1,1]"),
        ("F^s_{avg}[1,2]", "Fs_avg[1,2]"),
        ("F_avg^s[1,2]", "Fs_avg[1,2]"),
        ("M_c(F)_1", "M_c[1]"),
        ("M_c(F)[1]", "M_c[1]"),
        ("m_c[1]", "M_c[1]"),
        ("Mc[1]", "M_c[1]"),
        ("Mc1", "M_c[1]"),
        ("Mc 1", "M_c[1]"),
        ("$M_{c}$[1]", "M_c[1]"),
        ("M_c₁", "M_c[1]"),
        ("z_c_1", "z_c[1]"),
        ("z_{avg}[2]", "z_avg[2]"),
        (" M_c [ 1 ] ", "M_c[1]"),
        ("M_c(1)", "M_c[1]"),
        ("M_c[1", "M_c[1]"),
        ("F_avg_1", "F_avg[1]"),
        ("F_avg^c[1]", "F_avg[1]"),
        ("F^c_{avg}[1]", "F_avg[1]"),
        ("F_avg[c=1]", "F_avg[1]"),
        ("F_avg channel 1", "F_avg[1]"),
        ("AvgPool(F)_1", "F_avg[1]"),
        ("M_s[2 3]", "M_s[2,3]"),
        ("M_s(F')[2,3]", "M_s[2,3]"),
        ("M_s(F')_{2,3}", "M_s[2,3]"),
        ("F'[1][2][1]", "F'[1,2,1]"),
        ("F'_1,3,2", "F'[1,3,2]"),
        ("F′₁,₃,₂", "F'[1,3,2]"),
        ("F'_132", "F'[1,3,2]"),
        ("F'_2[1,3]", "F'[2,1,3]"),
        ("F_1[2,3]", "F[1,2,3]"),
        ("W_0[1,1]", "W0[1,1]"),
        ("F’’[1,2,3]", "F''[1,2,3]"),
        ('F"[1,2,3]', "F''[1,2,3]"),
        ("F″(1, 2, 3)", "F''[1,2,3]"),
        ("F´[1,2,3]", "F'[1,2,3]"),
        ("∂L/∂F'[1,2,3]", "dF'[1,2,3]"),
        ("dL/dM_c[1]", "dM_c[1]"),
        ("dF' via Fs avg[1,2,3]", "dF'_via_Fs_avg[1,2,3]"),
        (("M_s", 2, 3), "M_s[2,3]"),
    ],
)
def test_names_as_people_write_them(spelling, entry):
    assert texts({spelling: "0.5"}) == {entry: "0.5"}


def test_every_entry_of_every_step_is_found_in_many_spellings():
    for step in TRACE:
        index = step.shape
        numbers = ",".join(map(str, index))
        for name in (f"{step.name}[{numbers}]", f"{step.name}({numbers})", f"{step.name}_{numbers}"):
            assert find_name(name, TRACE)[:2] == (step.name, index)
        assert find_name(step.name, TRACE)[:2] == (step.name, ())


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("Q_c[1]", "no step 'Q_c[1]'; the nearest are "),
        ("M_c[0]", "indices start at 1"),
        ("M_c[1,2]", "M_c has 3 entries"),
        ("F'[4]", "F' has 3×3×3 entries"),
        ("M_c[-1]", "M_c has indices from 1 on"),
        ("M_c[" + "9" * 5000 + "]", "99…' ; the nearest are"),
        ("", "no step ''"),
        (7, "a name is of type int, expected text such as 'M_c[1]'"),
    ],
)
def test_a_name_without_a_place_is_answered_in_words(key, message):
    hint = hints({key: "0.5", "M_c[2]": "0.5"}).popitem()[1]
    assert all(words in hint for words in message.split(" ;"))
    assert hint.count(", ") <= 3 and len(hint) < 160  # three nearest names, not all


def test_whole_maps():
    rows = [["0.51", "?", "0,53"], [None, "1/2", ""], ["1", "2", 3]]
    expected = {"M_s[1,1]": "0.51", "M_s[1,3]": "0,53", "M_s[2,2]": "1/2"} | {f"M_s[3,{i}]": str(i) for i in (1, 2, 3)}
    assert texts({"M_s": rows}) == expected
    inside = {name.replace("M_s[", "F'[2,"): text for name, text in expected.items()}
    assert texts({"F'[2]": rows}) == texts({"F'": [None, rows, "?"]}) == inside
    assert texts({"F'[2,3]": (1, 2, 3)}) == {f"F'[2,3,{i}]": str(i) for i in (1, 2, 3)}


def test_the_trace_itself_is_an_answer():
    found = read_answers({step.name: step.value for step in TRACE}, TRACE).numbers()
    assert list(found) == list(TRACE.names)
    for step in TRACE:
        assert set(found[step.name]) == set(np.ndindex(step.shape))
        for index, number in found[step.name].items():
            assert number.value == pytest.approx(float(step.value[index]), rel=1e-15, abs=1e-300)
    short = read_answers({"F''": TRACE["F''"].value.astype(np.float32)}, TRACE).numbers()["F''"]
    assert all(abs(number.value - TRACE["F''"].value[at]) <= number.tolerance for at, number in short.items())


def test_lists_in_one_cell():
    assert texts({"F_max": "2 2 2"}) == {f"F_max[{i}]": "2" for i in (1, 2, 3)}
    for text in ("8/9, 8/9, 10/9", "(8/9; 8/9; 10/9)", "[8/9, 8/9, 10/9]", "8/9 8/9 10/9", "8/9 | 8/9 | 10/9"):
        assert texts({"F_avg": text}) == {"F_avg[1]": "8/9", "F_avg[2]": "8/9", "F_avg[3]": "10/9"}
    assert texts({"M_c": "0,81; 0,81; 0,83"})["M_c[3]"] == "0,83"
    assert texts({"M_c": "0,81 0,81 0,83"})["M_c[3]"] == "0,83"
    assert texts({"M_c": "tensor([0.81, 0.81, 0.83])"})["M_c[3]"] == "0.83"
    square = {f"M_s[{i + 1},{j + 1}]": f"{3 * i + j}" for i in range(3) for j in range(3)}
    for text in (
        "0 1 2; 3 4 5; 6 7 8",
        "0 1 2\n3 4 5\n6 7 8",
        "[[0, 1, 2], [3, 4, 5], [6, 7, 8]]",
        "0,1,2,3,4,5,6,7,8",
    ):
        assert texts({"M_s": text}) == square
    assert texts({"F'[2]": "0 1 2; 3 4 5; 6 7 8"}) == {k.replace("M_s[", "F'[2,"): v for k, v in square.items()}


def test_rows_in_brackets_are_split_one_by_one():
    assert split_list("[0,5 0,25], [0,75 0,5]", (2, 2)) == [["0,5", "0,25"], ["0,75", "0,5"]]


@pytest.mark.parametrize(
    ("text", "shape", "parts"),
    [
        ("0,75 1", (2,), ["0,75", "1"]),
        ("-0,5 -1", (2,), ["-0,5", "-1"]),
        ("0,75 1; 2 0,5", (2, 2), [["0,75", "1"], ["2", "0,5"]]),
        ("1 1/2,3", (2,), ["1 1/2", "3"]),
        ("1 1/2, 3", (2,), ["1 1/2", "3"]),
        ("1,3/4", (2,), ["1", "3/4"]),
    ],
)
def test_a_decimal_comma_in_a_row_with_spaces_parts_no_numbers(text, shape, parts):
    assert split_list(text, shape) == parts


def test_a_list_has_its_limit():
    assert split_list("1, " + "2" * 3997, (2,)) == ["1", "2" * 3997]
    assert split_list("1, " + "2" * 3998, (2,)) is None and split_list("1", ()) is None


def test_entries_in_a_dict_of_their_own():
    assert texts({"M_c": {"1": "0.81", 3: "0.83"}}) == {"M_c[1]": "0.81", "M_c[3]": "0.83"}
    assert texts({"M_c": {"1": {"2": "0.81"}, "2": "0.82"}}) == {"M_c[2]": "0.82"}  # a dict is no number


def test_arrays_with_other_axes_of_length_1():
    column = [["0.81"], ["0.81"], ["0.83"]]
    assert texts({"M_c": column}) == texts({"M_c": np.array(column)[None]}) == texts({"M_c": ["0.81", "0.81", "0.83"]})
    assert len(texts({"F'": np.ones((1, 3, 3, 3)), "M_s": np.ones((1, 1, 3, 3)), "M_c": np.ones((1, 3, 1, 1))})) == 39
    assert texts({"M_c[1]": [["0.81"]], "M_c[2]": np.array([0.5])}) == {"M_c[1]": "0.81", "M_c[2]": "0.5"}


class Tensor:
    """What PyTorch's tensors have, as far as it is asked for."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def cpu(self):
        return self.array

    def tolist(self):
        return self.array.tolist()


def test_tensors():
    read = read_answers({"M_c": Tensor(np.array([0.5, 0.25, 1.0])), "z_c[1]": Tensor(np.array(1.5))}, TRACE)
    assert [float(number.value) for number in read.found["M_c"].values()] == [0.5, 0.25, 1.0]
    assert float(read.found["z_c"][0,].value) == 1.5


def test_a_forward_pass_in_single_precision_is_right():
    from cbam_np import cbam_forward

    params = {k: np.asarray(v, np.float32) for k, v in cbam_np.lecture.parameters("shared").items()}
    out, cache = cbam_forward(cbam_np.lecture.F[None].astype(np.float32), params)
    for answers in ({"F''": out, "M_c": cache.channel.Mc}, {"F''": out.tolist(), "M_c": cache.channel.Mc.tolist()}):
        report = cbam_np.check(answers, cbam_np.lecture.trace("shared"))
        assert len(report.judgements) == 30 and {j.verdict for j in report.judgements} == {"right"}


LOOP = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"F'": LOOP}, "F' has 3×3×3 entries, got 1×1×1×1"),
        ({"M_c": np.array(0.5)}, "M_c has 3 entries, got one answer, 0.5"),
        ({"F'": [["1", "2"], ["3", "4"]]}, "F' has 3×3×3 entries, got 2×2"),
        ({"F'": np.ones((3, 2, 3))}, "F'[1] has 3×3 entries, got 2×3"),
        ({"M_s": [[1, 2, 3], [1, 2], [1, 2, 3]]}, "M_s[2] has 3 entries, got 2"),
        ({"M_s": [[1, 2, 3], "0.5", [1, 2, 3]]}, "M_s[2] has 3 entries, got one answer, '0.5'"),
        ({"M_s": [[]] * 3}, "M_s[1] has 3 entries, got 0"),
        ({"M_c": [1, [2, 3], 3]}, "write it as text or as a plain number"),
        ({"M_c": [1, "z", 3]}, "with numbers only"),
        ({"M_c": "0.81"}, "M_c has 3 entries, got one answer, '0.81': say which entry it is, as in M_c[1]"),
        ({"F'[1,2]": 1}, "F'[1,2] has 3 entries, got one answer, of type int: say which entry it is, as in F'[1,2,1]"),
    ],
)
def test_a_map_of_another_shape_is_answered_in_words(answers, message):
    hinted(answers, message)


def test_a_step_with_one_entry_takes_a_plain_number():
    trace = cbam_np.trace_cbam([[[2]]], cbam_np.init_cbam(1, 1, 1, rng=np.random.default_rng(0)))
    for name in ("F_max", "M_c", "M_s", "F'"):
        index = (0,) * len(trace[name].shape)
        assert read_answers({name: "2"}, trace).found[name][index].value == 2
        assert list(read_answers({name: trace[name].value}, trace).found[name]) == [index]


def test_what_cannot_be_read_gives_way_to_a_number():
    read = read_answers({"M_c[1]": "seven", "Mc[1]": "0.81"}, TRACE)
    assert read.found["M_c"][0,].text == "0.81" and not read.unplaced
    read = read_answers({"M_c[1]": "seven", "Mc[1]": "?"}, TRACE)
    assert isinstance(read.found["M_c"][0,], Unread) and not read.unplaced
    read = read_answers({"M_c[1]": "0.81", "Mc[1]": "seven"}, TRACE)
    assert read.found["M_c"][0,].text == "0.81" and "M_c[1] is 0.81 already" in read.unplaced[0].hint


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(Fraction(1, 3)), "1/3"),
        (Value(Fraction(1, 3), Fraction(5, 10**4), 3), "0.333"),
        (Value(Fraction(1, 3), Fraction(5, 10**6), 5), "0.33333"),
        (Value(Fraction(1, 3), Fraction(5, 10**6)), "0.3333"),
        (Value(Fraction(999_999_999), Fraction(1), 0), "999999999.000"),
        (Value(Fraction(2_000_000_000), Fraction(1), 0), "2e+09"),
    ],
)
def test_how_what_was_read_is_shown(value, text):
    assert show(value) == text


def test_a_long_text_is_quoted_in_40_characters():
    assert shown("x" * 40) == repr("x" * 40) and shown("x" * 41) == repr("x" * 39 + "…")


def test_a_long_numeral_is_quoted_as_it_is_read():
    """Up to 40 characters, a number is shown as it was written, with its comma."""
    assert written("0," + "3" * 38, "M_c[1]").text == "0," + "3" * 38
    assert written("0," + "3" * 39, "M_c[1]").text == "0." + "3" * 39


def test_whole_numbers_have_up_to_1000_binary_digits():
    assert written(2**999, "M_c[1]").value == 2**999
    assert written(Fraction(1, 2**999), "M_c[1]").value == Fraction(1, 2**999)
    for long in (2**1000, -(2**1000), Fraction(1, 2**1000)):
        with pytest.raises(AnswerError, match="write it as text or as a plain number"):
            written(long, "M_c[1]")


def test_an_entry_has_one_answer():
    hinted({"F'_avg[1,1]": "0.5", "Fs_avg[1, 1]": "0.75"}, "Fs_avg[1,1] is 0.5 already: keep one of the two")
    hinted({"M_c": ["0.81", "?", "?"], "M_c[1]": "0.83"}, "M_c[1] is 0.81 already")
    assert texts({"M_c": ["0.81", "?", "?"], "M_c[1]": "0.810"}) == {"M_c[1]": "0.81"}  # the same number
    assert texts({"M_c[1]": "?", "M_c(F)_1": "0.81"}) == {"M_c[1]": "0.81"}


@pytest.mark.parametrize("answers", [None, 7, ["0.81"], b"answers.csv"])
def test_neither_a_dict_nor_a_path(answers):
    refused(answers, "answers is of type", 'expected a dict such as {"M_c[1]": "0.25"}, or a path')


# --- files ---

LINES = [
    "F_avg[1],8/9",
    '"F_avg[1]","8/9"',
    "F_avg[1],8/9,,,",
    'F_avg[1],"8/9","",',
    "F_avg[1];8/9;;",
    "F_avg[1]\t8/9\t\t",
    "F_avg[1] = 8/9",
    "F_avg[1]: 8/9",
    "F_avg[1] 8/9",
    "- F_avg[1]: 8/9",
    "1. F_avg[1] = 8/9",
    "a) F_avg[1] = 8/9",
    "| step | answer |\n|---|---|\n| F_avg[1] | 8/9 |",
    '  "F_avg[1]" , \'8/9',
    '\n\n# F_avg[1],1\n"# F_avg[1]",1\n,,,\nF_avg[1],8/9\n\n',
    "step,answer\nF_avg[1],8/9",
    '"Name";"Answer"\r\nF_avg[1];8/9\r\n',
    "sep=;\nF_avg[1];8/9",
    "F_avg[1],8/9\nF_avg[1],8/9\nF_avg[2],?\nF_avg[3]",
]


@pytest.mark.parametrize("content", LINES)
def test_a_line_is_a_name_and_an_answer(file, content):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert texts(file(content.encode(encoding))) == {"F_avg[1]": "8/9"}
    assert read_file(file(content))["F_avg[1]"].strip("'") == "8/9"


@pytest.mark.parametrize(
    ("line", "entry", "text"),
    [
        ("M_s[2,3],0.50", "M_s[2,3]", "0.50"),
        ('"M_s[2,3]","0.50"', "M_s[2,3]", "0.50"),
        ("M_s[2,3];0,50", "M_s[2,3]", "0,50"),
        ('"M_s[2,3]","0,50"', "M_s[2,3]", "0,50"),
        ("F''[1,2,3],≈ −1,5", "F''[1,2,3]", "−1,5"),
        ('"F""[1,2,3]",0.5', "F''[1,2,3]", "0.5"),
        ('F"[1,2,3],0.5', "F''[1,2,3]", "0.5"),
        ('F_avg[1],"=""0.89"""', "F_avg[1]", "0.89"),
        ("F_avg(F)_1 = 8/9", "F_avg[1]", "8/9"),
        ("F_avg_1, 8/9", "F_avg[1]", "8/9"),
        ("F_avg1 8/9", "F_avg[1]", "8/9"),
        ("F_avg,1,8/9", "F_avg[1]", "8/9"),
        ("F'_1,3,2 = 1.62", "F'[1,3,2]", "1.62"),
        ("F'_1,3,2: 1.62", "F'[1,3,2]", "1.62"),
        ("F'_1,3,2,1.62", "F'[1,3,2]", "1.62"),
        ("F'_{1,3,2}, 1.62", "F'[1,3,2]", "1.62"),
        ("F'[1][3][2]; 1,62", "F'[1,3,2]", "1,62"),
        ("F',1,3,2,1.62", "F'[1,3,2]", "1.62"),
        ("M_s(F')_2,3 = 0.5", "M_s[2,3]", "0.5"),
        ("F_avg[1]: 8:9", "F_avg[1]", "8:9"),
    ],
)
def test_commas_and_quotes_within_a_line(file, line, entry, text):
    assert texts(str(file(line, ".txt"))) == {entry: text}


def test_problems_in_a_file_have_their_line(file):
    path = file("step,answer\nM_c[1],0.81\n\nM_c[2],many\nQ,1\nMc[1],0.83\nhello world\nM_c[3],5,,5\nM_c,1,2\n,5")
    found = hints(path)
    assert found["M_c[2]"] == "write it with numbers only"
    assert found["line 6: Mc[1]"] == "M_c[1] is 0.81 already: keep one of the two"
    assert {name.partition(":")[0] for name in found} >= {f"line {i}" for i in (5, 6, 7, 10)}
    with pytest.raises(AnswerError, match="has 'M_c' twice, with different answers"):
        read_file(file("M_c,1\nM_c,2"))


ONE_TO_NINE = {f"F'[1,{n // 3 + 1},{n % 3 + 1}]": str(n + 1) for n in range(9)}
LAYOUTS = [
    ("F_avg[1] = 8/9; F_max[1] = 2; M_c[1] = 0,81", {"F_avg[1]": "8/9", "F_max[1]": "2", "M_c[1]": "0,81"}),
    ("F_avg[1]=0.89, F_max[1]=2, M_c(F)_1=0.81", {"F_avg[1]": "0.89", "F_max[1]": "2", "M_c[1]": "0.81"}),
    ("M_c:\n0.25\n0.5\n0.75\n\nz_c[1] = 1", {"M_c[1]": "0.25", "M_c[2]": "0.5", "M_c[3]": "0.75", "z_c[1]": "1"}),
    ("F'[1] =\n1 2 3\n4 5 6\n7 8 9\n", ONE_TO_NINE),
    ("F'[1]: [[1 2 3]\n [4 5 6]\n [7 8 9]]", ONE_TO_NINE),
    ("F_max,,,\n2,2,2,\nM_c[1],,\n0.81,,", {"F_max[1]": "2", "F_max[2]": "2", "F_max[3]": "2", "M_c[1]": "0.81"}),
    ("channel;F_max;M_c\n1;2;0,81\n3;2;", {"F_max[1]": "2", "F_max[3]": "2", "M_c[1]": "0,81"}),
    ("c,F_max,M_c\n1,2,0.81\n3,2,?", {"F_max[1]": "2", "F_max[3]": "2", "M_c[1]": "0.81"}),
    ('"F_avg[1]","M_s[1,2]"\n8/9,0.5', {"F_avg[1]": "8/9", "M_s[1,2]": "0.5"}),
    ("\\[ M_c(F)_3 \\approx 0.83 \\]", {"M_c[3]": "0.83"}),
    ("M_c[3] = \\(0.83\\)", {"M_c[3]": "\\(0.83\\)"}),
    ("F_avg[1] = (1+0+1+2+1+0+0+2+1)/9, that is 8/9 = 0.89", {"F_avg[1]": "(1+0+1+2+1+0+0+2+1)/9, that is 8/9 = 0.89"}),
]


@pytest.mark.parametrize(("text", "found"), LAYOUTS, ids=[text for text, _ in LAYOUTS])
def test_answers_are_laid_out_in_many_ways(file, text, found):
    assert {name: text.removeprefix("\\approx ") for name, text in texts(file(text, ".txt")).items()} == found


STRANGE = ["M_c\n" + "1 2 3\n" * 15_000, "F_avg," * 20_000 + "\n1", " " * 400_000 + "1\nM_c[1],1", ",[" * 200_000]


@pytest.mark.parametrize("text", STRANGE, ids=["long", "wide", "empty", "brackets"])
def test_a_strange_layout_takes_no_time(file, text):
    began = time.process_time()
    read_answers(file(text), TRACE)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("Größe;Wert;Bemerkung\n", ""),
        ("answer,value\n", ""),
        ("Homework CBAM, Mia K., group 3\n# channel part\n", "\ntime: about 25 min"),
        ("Name: Jonas\nDate: 12.3.\n", "\ncomment; the sigmoid took long"),
    ],
)
def test_titles_and_rows_about_the_sheet_are_no_answers(file, above, below):
    assert texts(file(f"{above}M_c[1];0,81{below}", ".txt")) == {"M_c[1]": "0,81"}


def test_a_row_that_could_be_an_answer_is_no_title(file):
    assert list(hints(file("weight,0.81\nM_c[1],0.81"))) == ["line 1: weight"]
    assert list(hints(file("M_c[1],0.81\nhello,world"))) == ["line 2: hello"]
    assert list(hints(file("hello,world"))) == ["line 1: hello"]
    assert texts({"Name": "Jonas", "M_c[1]": "0.81"}) == {"M_c[1]": "0.81"}


PRINTOUTS = [
    ("tensor([0.25, 0.5, 0.75], grad_fn=<SigmoidBackward0>)", "M_c", ["0.25", "0.5", "0.75"]),
    ("tensor([0.25, 0.5, 0.75], device='cuda:0', requires_grad=True)", "M_c", ["0.25", "0.5", "0.75"]),
    (r"\begin{pmatrix} 0.25 & 0.5 & 0.75 \end{pmatrix}", "M_c", ["0.25", "0.5", "0.75"]),
    (r"$\begin{bmatrix}0{,}25&0{,}5&0{,}75\end{bmatrix}$", "M_c", ["0,25", "0,5", "0,75"]),
    (r"\begin{pmatrix}1\\2\\3\end{pmatrix}", "F_max", ["1", "2", "3"]),
    (r"\begin{pmatrix} 1 & 2 & 3 \\ 4 & 5 & 6 \\ 7 & 8 & 9 \end{pmatrix}", "F'[1]", list("123456789")),
    (r"\left[\begin{array}{ccc}1&2&3\\4&5&6\\7&8&9\end{array}\right]", "F'[1]", list("123456789")),
]


@pytest.mark.parametrize(("text", "step", "cells"), PRINTOUTS, ids=[text for text, *_ in PRINTOUTS])
def test_printouts_and_matrices_fill_a_whole_step(text, step, cells):
    assert list(texts({step: text}).values()) == cells


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,25;mit Taschenrechner", "1/4"),
        ("2,000;zwei mal", "2"),
        ("0.25|ok, see page 3", "1/4"),
        ("0.25, rounded", "1/4"),
        ("0.25 # = 1/4, 2 digits", "1/4"),
        ("1/4 = 0.25; // rounded", "1/4"),
        ("0.250 ± 0.005", "1/4"),
        ("0,250 +- 0,005", "1/4"),
        ("0.250 +/- 0.005", "1/4"),
        ("1+-0.75", "1/4"),
        ("0.8 repeating", "8/9"),
        ("8/9 = 0,8 (periodisch)", "8/9"),
        ("1.11 recurring", "10/9"),
    ],
)
def test_remarks_uncertainties_and_repeating_digits(text, value):
    assert written(text, "M_c[1]").value == Fraction(value)


@pytest.mark.parametrize("text", ["0.25;0.5", "1;exp(2)", "0.25 // 3", "0.81 repeating 3"])
def test_a_second_number_is_no_remark(text):
    with pytest.raises(AnswerError):
        written(text, "M_c[1]")


def test_json_keeps_the_digits(file):
    path = file('{"M_c": [0.80, 1, null], "M_s[2,3]": "0.5", "M_s[1,1]": -1.50E-2}', ".json")
    assert read_file(path) == {"M_c": ["0.80", "1", None], "M_s[2,3]": "0.5", "M_s[1,1]": "-1.50E-2"}
    assert texts(path) == {"M_c[1]": "0.80", "M_c[2]": "1", "M_s[2,3]": "0.5", "M_s[1,1]": "-1.50E-2"}


def test_toml_keeps_the_digits(file):
    path = file('M_c = [0.80, 1, "?"] # a comment\n"M_s[2,3]" = 0.50\n"F\'[1]" = [[1,2,3],[4,5,6],[7,8,9]]\n', ".toml")
    assert read_file(path)["M_c"] == ["0.80", 1, "?"]
    assert texts(path)["M_s[2,3]"] == "0.50" and texts(path)["F'[1,3,2]"] == "8"


BAD_FILES = [
    (".csv", b"", "has no answers: write them a line each, such as F_avg[1],3/4"),
    (".csv", b"step,answer\n# nothing\n,,,\n", "has no answers"),
    (".csv", b"M_c[1],?\nM_c[2],\nM_c[3]\n", "has no answers yet: every one is blank"),
    (".json", b" \n", "has no answers"),
    (".json", b"{}", "has no answers"),
    (".toml", b"# nothing", "has no answers"),
    (".csv", b"M_c[1],\xe9", "is not UTF-8, see byte 8: save it as UTF-8"),
    (".csv", b"\xef\xbb\xbfM_c[1],\xe9", "see byte 11"),
    (".csv", b"\xff\xfeM", "is not UTF-16"),
    (".csv", b"#" * 1_000_001, "is larger than 1 MB"),
    (".json", b'{"M_c[1]": 0,81}', "is not JSON: "),
    (".json", b"[0.81]", 'has no names, expected an object such as {"F_avg[1]": "3/4"}'),
    (".json", b"0.81", "has no names"),
    (".json", b"[" * 100_000, "is nested too deeply"),
    (".json", b'{"M_c[1]":' * 100_000, "is nested too deeply"),
    (".toml", b"M_c[1] = 0.81", 'put names in quotes, as in "M_c[1]" = 0.81'),
    (".toml", b'"M_c[1]" = 1\n"M_c[1]" = 2', "is not TOML: "),
    (".toml", b"[" + b"a" * 9000 + b"]\n[" + b"a" * 9000 + b"]", "is not TOML: "),
    (".toml", b"a = " + b"9" * 100_000, "is not TOML: "),
    (".toml", b"a = " + b"[" * 100_000, "is nested too deeply"),
    (".toml", b"a." * 400_000 + b"a = 1", "too many dots"),
    (".xlsx", b"PK", "'answers.xlsx' cannot be read as it is: export it as CSV"),
    (".ODS", b"PK", "export it as CSV"),
    (".ipynb", b"{}", "'answers.ipynb' is no notebook: it has no cells"),
    (".ipynb", b'{"cells": []}', "'answers.ipynb' puts nothing into answers, expected lines such as answers["),
    (".docx", b"PK", "'answers.docx' is of an unknown kind, expected a .csv, .json or .toml file"),
    ("", b"M_c[1],1", "'answers' is of an unknown kind"),
]


@pytest.mark.parametrize(("suffix", "content", "message"), BAD_FILES, ids=[message for *_, message in BAD_FILES])
def test_a_file_that_cannot_be_read_is_answered_in_words(file, suffix, content, message):
    text = refused(file(content, suffix), message)
    assert text.replace("\n", "").isprintable() and len(text) < 700


def a_notebook(*cells):
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in cells]}).encode()


def test_a_notebook_is_read_and_not_run(file):
    """What a student hands in who has worked in a notebook; a cell that is not Python keeps nothing else back."""
    cells = ('answers["F_max"] = ["2", "?", "2"]', 'answers["M_c[1]"] = 0.80', "answers[", "import shutil; 1 / 0")
    read = read_answers(file(a_notebook(*cells), ".ipynb"), cbam_np.lecture.trace())
    assert [number and number.text for number in read.found["F_max"].values()] == ["2", None, "2"]
    assert read.found["M_c"][0,].text == "0.80"
    assert [problem.hint for problem in read.unplaced] == ["code cell 3 is not valid Python: its answers were not read"]
    report = cbam_np.check(file(a_notebook(cells[0]), ".ipynb"), cbam_np.lecture.trace())
    assert report.ok and len(report.having("right")) == 2


def test_what_a_notebook_says_is_kept_as_it_is_written(file):
    cells = ('answers = {"M_c": ("0.80", None, 0.80), "z_c[1]": None, "F_max[1]": 1 + 1, 7: 1}', "other = {'M_s': 1}")
    assert read_notebook(file(a_notebook(*cells), ".ipynb")).answers == {
        "M_c": ["0.80", None, "0.80"],
        "z_c[1]": None,
        "F_max[1]": "1 + 1",
    }


def test_lists_in_a_notebook_are_read_eight_deep(file):
    def answer(depth):
        cell = 'answers["a"] = ' + "[" * depth + "1" + "]" * depth
        found, levels = read_notebook(file(a_notebook(cell), ".ipynb")).answers["a"], 0
        while isinstance(found, list):
            (found,), levels = found, levels + 1
        return levels, found

    assert answer(8) == (8, "1") and answer(9) == (8, "[1]")


BAD_CELLS = [
    (".json", b'{"M_c[1]": 1, "M_c[1]": 2}', "M_c[1] is 1 already"),
    (".json", b'{"M_c[1]": -Infinity}', "with numbers only"),
    (".json", b'{"M_c[1]": true}', "as a plain number"),
    (".json", b'{"M_c": {"1": 0.5, "9": 1}}', "M_c has 3 entries: [9] is outside"),
    (".json", b'{"M_c[1]": 1e999999999}', "an exponent from -30 to 30"),
    (".json", b'{"M_c[1]": ' + b"9" * 100_000 + b"}", "at most 200 characters"),
    (".json", rb'{"\ud800": 1}', r"no step '\ud800'"),
    (".toml", b'"M_c[1]" = 1979-05-27', "as a plain number"),
    (".toml", b'"M_c[1]" = true', "as a plain number"),
]


@pytest.mark.parametrize(("suffix", "content", "message"), BAD_CELLS, ids=[message for *_, message in BAD_CELLS])
def test_an_answer_in_a_file_that_cannot_be_read_is_answered_in_words(file, suffix, content, message):
    assert hinted(file(content, suffix), message).isprintable()


def test_a_path_that_cannot_be_read_is_answered_in_words(tmp_path):
    refused(tmp_path / "none.csv", "cannot read", "none.csv': No such file or directory")
    (tmp_path / "folder.csv").mkdir()
    refused(tmp_path / "folder.csv", "cannot read")
    refused("a\0b.csv", "cannot read 'a\\x00b.csv'")
    refused("x" * 5000 + ".csv", "cannot read 'xxx")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root and Windows may read everything")
def test_a_file_without_permission(file):
    path = file("M_c[1],1")
    path.chmod(0)
    refused(path, "Permission denied")


# --- anything at all: an answer or an AnswerError, and soon ---

VALID = {
    ".csv": b'step,answer\n"M_s[2,3]","0.5"\nF\'\'[1,2,3];-1,5\nMc(1) = 0.81\nM_c[2]\t8/9\n# end',
    ".json": json.dumps({"M_c": ["0.81", 0.8, None], "F'[1]": [[1, 2, 3]] * 3, "M_s[2,3]": "8/9"}).encode(),
    ".toml": b'M_c = [0.80, 1, "?"]\n"M_s[2,3]" = 5e-1\n[F_avg]\n"F\'[1]" = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]\n',
}
SNIPPETS = st.sampled_from([b'"', b"[", b"]", b",", b"{", b"'", b"\n", b"e9", b"/0", b"\xff\xfe", b"\0", b"_", b"nan"])
suffixes = st.sampled_from([".csv", ".tsv", ".txt", ".json", ".toml", ".xlsx", ""])
NUMBER_LIKE = st.text("0123456789.,/eE+-−≈= '\"%?…", max_size=50)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | NUMBER_LIKE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
names = st.sampled_from(["M_c", "M_c[1]", "F'[1]", "F″", "Fs_avg[1, 1]", "F'_avg"]) | st.text(max_size=12)


def survives(answers):
    """Read answers; hints and an AnswerError in printable words are fine, anything else is not."""
    begin = time.process_time()
    try:
        assert all(hint and hint.isprintable() for hint in hints(answers).values())
    except AnswerError as error:
        assert str(error) and str(error).replace("\n", "").isprintable()
    assert time.process_time() - begin < 5  # of processor time, whatever else the machine does


@given(suffix=suffixes, content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@examples(150)
def test_arbitrary_files(tmp_path_factory, suffix, content):
    path = tmp_path_factory.getbasetemp() / f"arbitrary{suffix}"
    path.write_bytes(content)
    survives(path)


@given(
    valid=st.sampled_from(sorted(VALID.items())),
    cuts=st.lists(st.tuples(st.integers(0, 130), st.integers(0, 5), SNIPPETS | st.binary(max_size=3)), max_size=4),
)
@examples(200)
def test_mutated_files(tmp_path_factory, valid, cuts):
    suffix, content = valid
    for at, width, snippet in cuts:
        content = content[:at] + snippet + content[at + width :]
    path = tmp_path_factory.getbasetemp() / f"mutated{suffix}"
    path.write_bytes(content)
    survives(path)


@given(st.dictionaries(names, json_values, max_size=4))
@examples(200)
def test_arbitrary_dicts(answers):
    survives(answers)


@given(st.text(max_size=60) | NUMBER_LIKE)
@examples(300)
def test_arbitrary_text_as_a_number(text):
    survives({"M_c[1]": text})
    read_answers({"M_c[1]": text, text: "1", "M_s": text}, TRACE)  # never an error for a cell


@given(st.text(max_size=30) | st.text("MFzcavg_^{}[]()'0123,.$ ", max_size=20))
@examples(300)
def test_arbitrary_text_as_a_name(text):
    survives({text: "0.5", "M_c[1]": "0.5"})


@pytest.mark.parametrize("suffix", [".csv", ".json", ".toml"])
@pytest.mark.parametrize(
    "unit", [b"\n", b'"', b'""', b"[", b"a", b"a,1\n", b"{", b"a.", b"\xff", b" ", b"\0", b"'''", b"#"]
)
def test_a_megabyte_of_anything_is_answered_soon(file, suffix, unit):
    survives(file((unit * 1_000_000)[:1_000_000], suffix))


def test_ten_megabytes_are_not_read(file):
    survives(file(b"M_c[1],0.81\n" * 900_000))
    refused(file(b"M_c[1],0.81\n" * 900_000), "larger than 1 MB")
