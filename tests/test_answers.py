"""What a student writes is read for what it says, to the precision it says it with; all else is an AnswerError."""

import json
import os
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cbam_np
from cbam_np.teach.answers.reading import AnswerError, read_answers, read_file, written

TRACE = cbam_np.lecture.trace()


@pytest.fixture
def file(tmp_path):
    """Write a file and return its path."""

    def write(content, suffix=".csv"):
        path = tmp_path / f"answers{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def texts(answers):
    """Read answers and return them as 1-based names and what was written."""
    return {
        f"{name}[{','.join(str(i + 1) for i in index)}]": number.text
        for name, numbers in read_answers(answers, TRACE).items()
        for index, number in numbers.items()
    }


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


@pytest.mark.parametrize("blank", [None, "", "  ", "?", "??", "-", "–", "_", "____", "…", "...", "= ____", "''"])
def test_a_blank_is_no_answer(blank):
    assert written(blank, "M_c[1]") is None
    assert read_answers({"M_c[1]": blank, "M_s": blank, "F_avg": [blank, "8/9", blank]}, TRACE).keys() == {"F_avg"}


def test_text_is_kept_without_what_stands_around_it():
    assert written(" ≈ '−0,80' ", "M_c[1]").text == "−0,80"
    assert written(0.80, "M_c[1]").text == "0.8"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_other_floats_have_a_relative_tolerance(dtype):
    number = written(dtype(80.9), "M_c[1]")
    assert abs(number.value - Fraction("80.9")) < number.tolerance < 0.1
    assert written(np.float32(80.9), "M_c[1]").tolerance == pytest.approx(80.9e-5)


NO_NUMBERS = [
    ("σ(1.445)", "M_c[1] is 'σ(1.445)', expected a number such as 0.81 or 8/9: work it out and write the result"),
    ("=A1+2", "is '=A1+2' | work it out"),
    ("1/(1+e^-1)", "work it out"),
    ("0.89/2", "work it out"),
    ("0.445 + 1", "work it out"),
    ("8/-9", "work it out"),
    ("nan", "is 'nan', "),
    ("-Infinity", "is '-Infinity', "),
    ("#DIV/0!", "is '#DIV/0!', "),
    ("1_000", "work it out"),
    ("0x1F", "work it out"),
    ("٣", "expected a number"),
    ("81%", "divide by 100 and leave out the %"),
    ("1/0", "nothing can be divided by 0"),
    ("1,234.5", "one number, without separators of thousands"),
    ("1.234.567", "one number, without separators"),
    (",5", "write one number"),
    (".", "write one number"),
    ("0.8 0.9", "write one number"),
    ("0.8; 0.9", "write one number"),
    ("1e31", "is '1e31' | an exponent from -30 to 30"),
    ("1e-31", "an exponent from -30 to 30"),
    ("1e999999999", "an exponent from -30 to 30"),
    ("0." + "1" * 39, f"is '0.{'1' * 37}…' | at most 40 characters"),
    ("9" * 10_000_000, f"is '{'9' * 39}…' | at most 40 characters"),
    ("−" * 10_000_000, "at most 40 characters"),
    ("\ud800\x1b[31m", r"is '\ud800\x1b[31m', "),
    (True, "is True, "),
    (np.False_, "is False, "),
    (1j, "is 1j, "),
    (np.complex64(1j), "is 1j, "),
    (float("nan"), "is nan, "),
    (float("-inf"), "is -inf, "),
    (np.float32("nan"), "is nan, "),
    (Decimal("NaN"), "is 'NaN', "),
    (Decimal("1e999999"), "exponent"),
    (10**5000, "is of type int, "),
    (Fraction(1, 10**400), "is of type Fraction, "),
    ([0.81], "is of type list, "),
    ({"a": 1}, "is of type dict, "),
    (b"0.81", "is of type bytes, "),
    (object(), "is of type object, "),
]


@pytest.mark.parametrize(("answer", "message"), NO_NUMBERS, ids=lambda x: type(x).__name__)
def test_what_is_no_number_is_answered_in_words(answer, message):
    with pytest.raises(AnswerError) as error:
        written(answer, "M_c[1]")
    assert all(words in str(error.value) for words in message.split(" | "))
    assert str(error.value).startswith("M_c[1] is ") and "expected a number such as 0.81 or 8/9: " in str(error.value)
    assert len(str(error.value)) < 160 and str(error.value).isprintable()


@given(st.fractions(-50, 50), st.integers(0, 6))
def test_what_was_rounded_is_within_its_tolerance(exact, places):
    number = written(f"{float(round(exact, places)):.{places}f}", "M_c[1]")
    assert abs(number.value - exact) <= number.tolerance or places == 0


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read(x):
    assert float(written(x, "M_c[1]").value) == x


# --- their places ---


def test_entries_by_step_and_by_index_from_zero():
    found = read_answers({"M_s[2,3]": "0.5", "M_c[1]": "0.81", "M_c[3]": "0.83"}, TRACE)
    assert {name: list(numbers) for name, numbers in found.items()} == {"M_s": [(1, 2)], "M_c": [(0,), (2,)]}
    assert found["M_c"][2,].text == "0.83"
    assert read_answers({}, TRACE) == {}


@pytest.mark.parametrize(
    ("spelling", "entry"),
    [
        ("F'_avg[1,1]", "Fs_avg[1,1]"),
        ("F′_avg[1,1]", "Fs_avg[1,1]"),
        ("Mc[1]", "M_c[1]"),
        (" M_c [ 1 ] ", "M_c[1]"),
        ("M_c(1)", "M_c[1]"),
        ("M_s[2 3]", "M_s[2,3]"),
        ("F’’[1,2,3]", "F''[1,2,3]"),
        ('F"[1,2,3]', "F''[1,2,3]"),
        ("F″(1, 2, 3)", "F''[1,2,3]"),
        ("F´[1,2,3]", "F'[1,2,3]"),
        ("dF' via Fs avg[1,2,3]", "dF'_via_Fs_avg[1,2,3]"),
    ],
)
def test_names_as_people_spell_them(spelling, entry):
    assert texts({spelling: "0.5"}) == {entry: "0.5"}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("m_c[1]", "no step 'm_c'; the nearest are"),
        ("z_c_1", "no step 'z_c_1'; the nearest are z_c"),
        ("M_c[0]", "indices start at 1"),
        ("M_c[1,2]", "M_c has 3 entries"),
        ("F'[4]", "F' has 3×3×3 entries"),
        ("M_c[-1]", "'M_c[-1]' is no step: write a name"),
        ("M_c[1", "'M_c[1' is no step"),
        ("M_c[" + "9" * 5000 + "]", "99…' is no step"),
        ("", "'' is no step"),
        (("M_c", 1), "a name is of type tuple, expected text such as 'M_c[1]'"),
    ],
)
def test_a_name_without_a_place_is_answered_in_words(key, message):
    refused({key: "0.5"}, message)


def test_whole_maps():
    rows = [["0.51", "?", "0,53"], [None, "1/2", ""], ["1", "2", 3]]
    expected = {"M_s[1,1]": "0.51", "M_s[1,3]": "0,53", "M_s[2,2]": "1/2"} | {f"M_s[3,{i}]": str(i) for i in (1, 2, 3)}
    assert texts({"M_s": rows}) == expected
    inside = {name.replace("M_s[", "F'[2,"): text for name, text in expected.items()}
    assert texts({"F'[2]": rows}) == texts({"F'": [None, rows, "?"]}) == inside
    assert texts({"F'[2,3]": (1, 2, 3)}) == {f"F'[2,3,{i}]": str(i) for i in (1, 2, 3)}


def test_the_trace_itself_is_an_answer():
    found = read_answers({step.name: step.value for step in TRACE}, TRACE)
    assert list(found) == list(TRACE.names)
    for step in TRACE:
        assert set(found[step.name]) == set(np.ndindex(step.shape))
        for index, number in found[step.name].items():
            assert number.value == pytest.approx(float(step.value[index]), rel=1e-15, abs=1e-300)
    short = read_answers({"F''": TRACE["F''"].value.astype(np.float32)}, TRACE)["F''"]
    assert all(abs(number.value - TRACE["F''"].value[at]) <= number.tolerance for at, number in short.items())


LOOP = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"F'": LOOP}, "F' has 3×3×3 entries, got 1×1×1×1"),
        ({"M_c": np.array(0.5)}, "M_c has 3 entries, got one answer, of type ndarray"),
        ({"F'": [["1", "2"], ["3", "4"]]}, "F' has 3×3×3 entries, got 2×2"),
        ({"F'": np.ones((3, 2, 3))}, "F'[1] has 3×3 entries, got 2×3"),
        ({"M_s": [[1, 2, 3], [1, 2], [1, 2, 3]]}, "M_s[2] has 3 entries, got 2"),
        ({"M_s": [[1, 2, 3], "0.5", [1, 2, 3]]}, "M_s[2] has 3 entries, got one answer, '0.5'"),
        ({"M_s": [[]] * 3}, "M_s[1] has 3 entries, got 0"),
        ({"M_c": [1, [2], 3]}, "M_c[2] is of type list, expected a number"),
        ({"M_c": [1, "x", 3]}, "M_c[2] is 'x', expected a number"),
        ({"M_c": "0.81"}, "M_c has 3 entries, got one answer, '0.81': say which entry it is, as in M_c[1]"),
        ({"F'[1,2]": 1}, "F'[1,2] has 3 entries, got one answer, of type int: say which entry it is, as in F'[1,2,1]"),
    ],
)
def test_a_map_of_another_shape_is_answered_in_words(answers, message):
    refused(answers, message)


def test_a_step_with_one_entry_takes_a_plain_number():
    trace = cbam_np.trace_cbam([[[2]]], cbam_np.init_cbam(1, 1, 1, rng=np.random.default_rng(0)))
    for name in ("F_max", "M_c", "M_s", "F'"):
        index = (0,) * len(trace[name].shape)
        assert read_answers({name: "2"}, trace)[name][index].value == 2
        assert list(read_answers({name: trace[name].value}, trace)[name]) == [index]


def test_an_entry_has_one_answer():
    refused({"F'_avg[1,1]": "0.5", "Fs_avg[1, 1]": "0.6"}, "Fs_avg[1,1] is 0.6, but F'_avg[1,1] is 0.5", "keep one")
    refused({"M_c": ["0.81", "?", "?"], "M_c[1]": "0.810"}, "M_c[1] is 0.810, but M_c[1] is 0.81")
    assert texts({"M_c": ["0.81", "?", "?"], "M_c[1]": "0.81"}) == {"M_c[1]": "0.81"}


def test_problems_are_told_together_up_to_ten():
    message = refused({"M_c[1]": "x", "M_c[2]": "0.81", "Q": "1", "M_c[9]": "1"})
    assert [line.split()[0] for line in message.split("\n")] == ["M_c[1]", "there", "M_c"]
    lines = refused({f"F[{i}]": "1" for i in range(50)}).split("\n")
    assert len(lines) == 11 and "perhaps more" in lines[-1]


@pytest.mark.parametrize("answers", [None, 7, ["0.81"], b"answers.csv"])
def test_neither_a_dict_nor_a_path(answers):
    refused(answers, "answers is of type", 'expected a dict such as {"M_c[1]": "0.81"}, or a path')


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
    ],
)
def test_commas_and_quotes_within_a_line(file, line, entry, text):
    assert texts(str(file(line, ".txt"))) == {entry: text}


def test_problems_in_a_file_have_their_line(file):
    path = file("step,answer\nM_c[1],0.81\n\nM_c[2],σ(1)\nQ,1\nMc[1],0.82\nhello world\nM_c[3],,5\nM_c,1,2,3\n,5")
    lines = refused(path, "line 4: M_c[2] is 'σ(1)', expected a number", "line 5: there is no step 'Q'").split("\n")
    assert [line.partition(":")[0] for line in lines] == [f"line {i}" for i in (4, 5, 6, 7, 8, 9, 10)]
    assert lines[2].endswith("Mc[1] is 0.82, but M_c[1] in line 2 is 0.81: the same entry, keep one")
    assert "M_c has 3 entries, got one answer, '1,2,3'" in lines[5]
    with pytest.raises(AnswerError, match="has 'M_c' twice, with different answers"):
        read_file(file("M_c,1\nM_c,2"))


def test_json_keeps_the_digits(file):
    path = file('{"M_c": [0.80, 1, null], "M_s[2,3]": "0.5", "M_s[1,1]": -1.50E-2}', ".json")
    assert read_file(path) == {"M_c": ["0.80", "1", None], "M_s[2,3]": "0.5", "M_s[1,1]": "-1.50E-2"}
    assert texts(path) == {"M_c[1]": "0.80", "M_c[2]": "1", "M_s[2,3]": "0.5", "M_s[1,1]": "-1.50E-2"}


def test_toml_keeps_the_digits(file):
    path = file('M_c = [0.80, 1, "?"] # a comment\n"M_s[2,3]" = 0.50\n"F\'[1]" = [[1,2,3],[4,5,6],[7,8,9]]\n', ".toml")
    assert read_file(path)["M_c"] == ["0.80", 1, "?"]
    assert texts(path)["M_s[2,3]"] == "0.50" and texts(path)["F'[1,3,2]"] == "8"


BAD_FILES = [
    (".csv", b"", "has no answers: write them a line each, such as F_avg[1],8/9"),
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
    (".json", b"[0.81]", 'has no names, expected an object such as {"F_avg[1]": "8/9"}'),
    (".json", b"0.81", "has no names"),
    (".json", b"[" * 100_000, "is nested too deeply"),
    (".json", b'{"M_c[1]":' * 100_000, "is nested too deeply"),
    (".json", b'{"M_c[1]": 1, "M_c[1]": 2}', "has 'M_c[1]' twice"),
    (".json", b'{"M_c[1]": NaN}', "M_c[1] is 'NaN', expected a number"),
    (".json", b'{"M_c[1]": -Infinity}', "M_c[1] is '-Infinity', expected a number"),
    (".json", b'{"M_c[1]": true}', "M_c[1] is True, expected a number"),
    (".json", b'{"M_c[1]": {"a": 1}}', "M_c[1] is of type dict, expected a number"),
    (".json", b'{"M_c[1]": 1e999999999}', "an exponent from -30 to 30"),
    (".json", b'{"M_c[1]": ' + b"9" * 100_000 + b"}", "at most 40 characters"),
    (".json", rb'{"\ud800": 1}', r"no step '\ud800'"),
    (".toml", b"M_c[1] = 0.81", 'put names in quotes, as in "M_c[1]" = 0.81'),
    (".toml", b'"M_c[1]" = 1979-05-27', "M_c[1] is of type date, expected a number"),
    (".toml", b'"M_c[1]" = true', "M_c[1] is True"),
    (".toml", b'"M_c[1]" = nan', "M_c[1] is 'nan'"),
    (".toml", b'"M_c[1]" = 1\n"M_c[1]" = 2', "is not TOML: "),
    (".toml", b"[" + b"a" * 9000 + b"]\n[" + b"a" * 9000 + b"]", "is not TOML: "),
    (".toml", b"a = " + b"9" * 100_000, "is not TOML: "),
    (".toml", b"a = " + b"[" * 100_000, "is nested too deeply"),
    (".toml", b"a." * 400_000 + b"a = 1", "too many dots"),
    (".xlsx", b"PK", "'answers.xlsx' cannot be read as it is: export it as CSV"),
    (".ODS", b"PK", "export it as CSV"),
    (".ipynb", b"{}", "export it as CSV"),
    (".docx", b"PK", "'answers.docx' is of an unknown kind, expected a .csv, .json or .toml file"),
    ("", b"M_c[1],1", "'answers' is of an unknown kind"),
]


@pytest.mark.parametrize(("suffix", "content", "message"), BAD_FILES, ids=[message for *_, message in BAD_FILES])
def test_a_file_that_cannot_be_read_is_answered_in_words(file, suffix, content, message):
    text = refused(file(content, suffix), message)
    assert text.replace("\n", "").isprintable() and len(text) < 700


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
    """Read answers; an AnswerError in printable words is fine, anything else is not."""
    begin = time.perf_counter()
    try:
        read_answers(answers, TRACE)
    except AnswerError as error:
        assert str(error) and str(error).replace("\n", "").isprintable()
    assert time.perf_counter() - begin < 2


@given(suffix=suffixes, content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=150)
def test_arbitrary_files(tmp_path_factory, suffix, content):
    path = tmp_path_factory.getbasetemp() / f"arbitrary{suffix}"
    path.write_bytes(content)
    survives(path)


@given(
    valid=st.sampled_from(sorted(VALID.items())),
    cuts=st.lists(st.tuples(st.integers(0, 130), st.integers(0, 5), SNIPPETS | st.binary(max_size=3)), max_size=4),
)
@settings(max_examples=200)
def test_mutated_files(tmp_path_factory, valid, cuts):
    suffix, content = valid
    for at, width, snippet in cuts:
        content = content[:at] + snippet + content[at + width :]
    path = tmp_path_factory.getbasetemp() / f"mutated{suffix}"
    path.write_bytes(content)
    survives(path)


@given(st.dictionaries(names, json_values, max_size=4))
@settings(max_examples=200)
def test_arbitrary_dicts(answers):
    survives(answers)


@given(st.text(max_size=60) | NUMBER_LIKE)
@settings(max_examples=300)
def test_arbitrary_text_as_a_number(text):
    survives({"M_c[1]": text})


@pytest.mark.parametrize("suffix", [".csv", ".json", ".toml"])
@pytest.mark.parametrize(
    "unit", [b"\n", b'"', b'""', b"[", b"a", b"a,1\n", b"{", b"a.", b"\xff", b" ", b"\0", b"'''", b"#"]
)
def test_a_megabyte_of_anything_is_answered_soon(file, suffix, unit):
    survives(file((unit * 1_000_000)[:1_000_000], suffix))


def test_ten_megabytes_are_not_read(file):
    survives(file(b"M_c[1],0.81\n" * 900_000))
    refused(file(b"M_c[1],0.81\n" * 900_000), "larger than 1 MB")
