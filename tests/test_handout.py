"""Worksheets on paper and as notebooks."""

import csv
import html
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from cbam_np.teach.calculation import notation
from cbam_np.teach.example import lecture
from cbam_np.teach.worksheets.controls import answers_csv, control_table, key_csv
from cbam_np.teach.worksheets.jupyter import notebook
from cbam_np.teach.worksheets.layout import is_whole
from cbam_np.teach.worksheets.levels import LEVELS, blanks_of, size_of
from cbam_np.teach.worksheets.paper import class_key, class_page, page
from cbam_np.teach.worksheets.roster import RosterError, Student, from_spreadsheet, read_roster
from cbam_np.teach.worksheets.worksheet import Worksheet, printed_of

NASTY = ("<script>alert(1)</script>", "=1+1", "$x$", "**bold**", 'a"b; } body { display: none }', "O'Neil & <b>")

NOBODY = Student("", seed=7)


def make_sheet(level="full", mlp="slides", seed=7, **options):
    """Return the lecture's example as a worksheet."""
    trace = lecture.trace(mlp)
    blanks = blanks_of(trace, level)
    return Worksheet(seed, level, options, trace, printed_of(trace, blanks, level), blanks)


class Reader(HTMLParser):
    """Read a page: its tables by their labels, its text, its attributes; every tag must be closed in its place."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.text, self.attributes, self.tags = [], {}, [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)
        if tag == "table":
            self.cells = self.tables[dict(attrs)["aria-label"]] = []
        if tag == "td" and "tbody" in self.open:
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)
        if "tbody" in self.open and self.open[-1] == "td":
            self.cells[-1] += data.replace("−", "-")

    def of(self, step):
        """Return the cells of a step, a stack's matrices one after the other."""
        parts = range(1, step.shape[0] + 1) if len(step.shape) == 3 else ()
        labels = [f"{step.name}[{i}]" for i in parts] or [step.name]
        labels = [label for label in labels if label in self.tables] or [step.name]
        return [cell for label in labels for cell in self.tables[label]]


def flat_blanks(sheet, name):
    """Tell, for a step of which a part is printed, which of its cells are blank."""
    return np.array(sheet.printed[name], object).ravel() == ""


def flat(nested):
    return [text for part in nested for text in flat(part)] if isinstance(nested, list) else [nested]


@pytest.mark.parametrize("mlp", ["slides", "shared"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_page_has_a_blank_for_every_number_asked_and_every_number_given(level, mlp):
    sheet = make_sheet(level, mlp)
    read = Reader(page(sheet))
    for name, indices in sheet.blanks.items():
        if name not in sheet.printed:
            assert read.of(sheet.trace[name]) == [""] * len(indices), name
    for name, printed in sheet.printed.items():
        dots = {"0": "·"} if name == "W7" else {}
        assert read.of(sheet.trace[name]) == [dots.get(text, text) for text in flat(printed)], name
        assert flat(printed).count("") == len(sheet.blanks.get(name, ()))
    assert {label.partition("[")[0] for label in read.tables} == {*sheet.asked, *sheet.printed}
    assert "CBAM by hand · worksheet 7" in read.text and "Name " in read.text and "Date" in read.text


@pytest.mark.parametrize("level", LEVELS)
def test_the_key_is_the_same_page_filled_in(level):
    sheet = make_sheet(level)
    blank, key = Reader(page(sheet)), Reader(page(sheet, key=True))
    for name, indices in sheet.blanks.items():
        right = [notation.number(sheet.trace[name].value[index], 3) for index in indices]
        found = key.of(sheet.trace[name])
        assert found == right or [found[at] for at in np.flatnonzero(flat_blanks(sheet, name))] == right, name
    assert list(key.tables) == list(blank.tables) and "KEY · CBAM by hand · worksheet 7" in key.text


def test_a_blank_page_does_not_tell_an_answer():
    sheet = make_sheet("full")
    text = " ".join(Reader(page(sheet)).text)
    answers = {notation.number(value, 3) for name in sheet.asked for value in sheet.trace[name].value.flat}
    told = [answer for answer in answers if len(answer) > 2 and re.search(rf"(?<!\S){re.escape(answer)}(?!\S)", text)]
    assert set(told) <= set(flat(sheet.printed["W0"]) + flat(sheet.printed["W7"])), told
    assert "8/9" in answers - set(told) and "0.809" in answers - set(told)


def test_fractions_stay_fractions_on_the_key():
    read = Reader(page(make_sheet(), key=True))
    assert read.tables["F_avg"] == ["8/9", "8/9", "10/9"] and read.tables["M_c"] == ["0.809", "0.809", "0.826"]


@pytest.mark.parametrize("write", [page, lambda s: class_page([NOBODY], [s]), lambda s: class_key([NOBODY], [s])])
def test_a_page_needs_nothing_from_anywhere(write):
    text = write(make_sheet())
    read = Reader(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(read.tags)
    assert not {"src", "href", "srcset"} & {name for name, _ in read.attributes}
    assert not re.search(r"://|url\(|@import|@font-face", text)
    assert text.startswith("<!doctype html>") and '<html lang="en">' in text and '<meta charset="utf-8">' in text


def test_every_step_has_its_name_and_its_formula():
    sheet = make_sheet("full")
    text = page(sheet)
    for name in sheet.asked:
        assert f"<code>{html.escape(name)}</code> <math" in text, name
    assert "<merror" not in text and "\\" not in "".join(Reader(text).text)


def test_formulas_read_as_in_print():
    text = page(make_sheet("full"))
    assert "<mtext>avg</mtext>" in text and "<mi>a</mi><mi>v</mi>" not in text  # a word, not a product
    assert "<mi>F</mi><mtext>″</mtext>" in text and "&#x02033;" not in text  # a prime is raised once
    assert "<munder><mo>max</mo>" in text and "<msub><mo>max</mo>" not in text
    assert "<msup><mrow>" not in text  # (F^c_avg)ᵀ in brackets


def test_the_sections_come_in_the_lecture_s_order():
    headings = re.findall("<h2>(.*?)</h2>", page(make_sheet("full")))
    assert [heading.partition(" ·")[0] for heading in headings] == [
        *("Step 0", "Step 1", "Step 2", "Step 3"),
        *("The way back", "The way back"),
    ]
    assert len(re.findall("<h2>", page(make_sheet("forward")))) == 4


def test_what_is_printed_is_escaped():
    sheet = make_sheet()
    sheet.printed["F"][0][0][0] = '<b>&"'
    text = page(sheet)
    assert "<b>" not in text and "&lt;b&gt;&amp;&quot;" in text
    assert Reader(text).tables["F[1]"][0] == '<b>&"'


@pytest.mark.parametrize("level", LEVELS)
def test_a_notebook_is_valid_and_its_blanks_have_the_right_shapes(level):
    sheet = make_sheet(level)
    book = json.loads(json.dumps(notebook(sheet)))
    nbformat.validate(book)
    checked, answers = [], {}
    counting = SimpleNamespace(check=lambda given: checked.append(len(given)))
    for cell in book["cells"]:
        if cell["cell_type"] == "code" and "import" not in "".join(cell["source"]):
            exec(compile("".join(cell["source"]), cell["id"], "exec"), {"answers": answers, "sheet": counting})
    shapes = {name: sheet.trace[name].shape for name in sheet.asked if name not in sheet.printed}
    whole = {name: shape for name, shape in shapes.items() if is_whole(sheet, sheet.trace[name])}
    assert {name: np.shape(blanks) for name, blanks in answers.items() if name in sheet.trace.names} == whole
    texts = [text for blanks in answers.values() for text in (flat(blanks) if isinstance(blanks, list) else [blanks])]
    assert texts == ["?"] * size_of(sheet.blanks)
    assert checked == sorted(checked) and checked[-1] == len(answers)


def test_a_notebook_makes_its_sheet_from_the_seed_and_has_no_key():
    book = notebook(make_sheet("forward", seed=12, ties=True, channels=2))
    sources = ["".join(cell["source"]) for cell in book["cells"]]
    assert 'sheet = cbam_np.Practice(12, "forward", ties=True, channels=2)' in sources[1]
    assert "40 minutes" in sources[0] and "120 numbers" in sources[0]
    assert not re.search(r"tfrac\{8\}\{9\}|8/9|0\.809", "\n".join(sources))
    assert book == notebook(make_sheet("forward", seed=12, ties=True, channels=2))


def test_a_notebook_shows_what_is_given():
    text = "\n".join("".join(cell["source"]) for cell in notebook(make_sheet("backward"))["cells"])
    assert r"$$W_0 = \begin{bmatrix} \tfrac{1}{2} & 0 & 0 \\" in text
    assert r"\cdot & \cdot & -\tfrac{1}{2} & \cdot" in text
    assert r"$$M_c = \begin{bmatrix} 0.8091 & 0.8091 & 0.8257 \end{bmatrix}$$" in text


def test_blanks_can_be_read():
    book = notebook(make_sheet("forward"))
    lines = [line.rstrip("\n") for cell in book["cells"] if cell["cell_type"] == "code" for line in cell["source"]]
    assert 'answers["F_avg"] = ["?", "?", "?"]' in lines
    start = lines.index('answers["F\'"] = [')
    assert lines[start + 1 : start + 6] == ["    [  # channel 1", *['        ["?", "?", "?"],'] * 3, "    ],"]


def test_the_key_of_a_class_has_one_number_per_cell():
    sheets = [make_sheet("full", seed=1), make_sheet("forward", "shared", seed=2)]
    students = [Student("anna", "Anna"), Student("ben")]
    head, first, second = csv.reader(key_csv(students, sheets).splitlines())
    assert head[:5] == ["worksheet", "level", "id", "F_avg[1]", "F_avg[2]"] and len(head) == 3 + size_of(
        sheets[0].blanks
    )
    assert first[:4] == ["1", "full", "anna", "0.889"]  # 8/9 would be the 8th of September in a spreadsheet
    numbers = dict(zip(head, first, strict=True))
    assert numbers["M_c[1]"] == "0.809" and numbers["dF[3,3,3]"] == f"{sheets[0].trace['dF[3,3,3]'].value:.3f}"
    assert second[:3] == ["2", "forward", "ben"] and dict(zip(head, second, strict=True))["dF[3,3,3]"] == ""
    cells = Reader(control_table(students, sheets)).tables["control numbers"]
    assert cells[:4] == ["Anna (anna)", "0.809", "0.809", "0.826"]
    assert all(re.fullmatch(r"|-?[\d./]+", cell) for cell in cells if cell not in ("Anna (anna)", "ben"))


def test_answers_can_be_typed_into_a_table():
    sheets = [make_sheet("quick", seed=1)]
    head, row = csv.reader(answers_csv([Student("anna")], sheets).splitlines())
    assert head[:4] == ["id", "worksheet", "level", "F_avg[1]"] and row[:3] == ["anna", "1", "quick"]
    assert head[3:] == list(sheets[0].entries) and set(row[3:]) == {""}


@pytest.mark.parametrize("nasty", NASTY)
def test_what_a_name_contains_is_shown_as_text(nasty):
    students, sheets = [Student(nasty, nasty.upper())], [make_sheet("quick")]
    for text in (class_page(students, sheets), class_key(students, sheets)):
        read = Reader(text)
        assert not {"script", "b"} & set(read.tags) and "<script" not in text and "script>" not in text
        shown = " ".join(read.text)
        assert nasty.upper().replace("-", "−") in shown.replace("-", "−") or nasty.upper() in shown
        style = re.sub(r'"(\\.|[^"])*"', "", text[text.index("<style>") : text.index("</style>")])
        assert "display: none" not in style and "Neil" not in style
    for text in (key_csv(students, sheets), answers_csv(students, sheets)):
        cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
        assert not [cell for cell in cells if cell[:1] in "=+@\t\r" and cell]
        assert nasty in map(from_spreadsheet, cells)


def test_each_sheet_has_its_own_footer():
    students = [Student("anna", seed=7), Student("ben", seed=7)]
    text = class_page(students, [make_sheet("quick")] * 2)
    assert text.count('<article class="sheet" style="page:sheet-') == 2
    for n, student in enumerate(students, start=1):
        assert re.search(rf"@page sheet-{n} {{ @bottom-right {{ content: .*worksheet 7 .*{student.id}", text)


# --- the class ---


def roster(tmp_path, text):
    path = tmp_path / "class.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_roster(path)


def test_a_list_of_ids_is_a_class(tmp_path):
    students = roster(tmp_path, "anna\n\n ben \nЖанна\n")
    assert [s.id for s in students] == ["anna", "ben", "Жанна"]
    assert all(100_000 <= s.seed < 1_000_000 for s in students) and len({s.seed for s in students}) == 3
    again = roster(tmp_path, "ben\nanna\n")
    assert {s.id: s.seed for s in again} == {s.id: s.seed for s in students if s.id != "Жанна"}


def test_a_heading_says_which_column_is_which(tmp_path):
    students = roster(tmp_path, "\ufeffName;ID;Level;Worksheet\nAnna;a1;QUICK;12\nBen;b2;;\n")
    assert students[0] == Student("a1", "Anna", 12, "quick") and students[0].shown == "Anna (a1)"
    assert students[1].id == "b2" and students[1].level == "" and students[1].seed >= 100_000
    assert [s.id for s in roster(tmp_path, "name\nAnna Berg\n")] == ["Anna Berg"]


def test_worksheets_drawn_from_ids_never_meet(tmp_path):
    ids = [f"student-{n}" for n in range(1000)]
    students = roster(tmp_path, "\n".join(ids))
    assert len({s.seed for s in students}) == 1000  # 1,000 of 900,000: about one pair would meet half of the time
    assert [s.seed for s in students] == [s.seed for s in roster(tmp_path, "\n".join(ids))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'class.csv': lists nobody: write one id or name per line"),
        ("id,name\n", "lists nobody"),
        ("anna\nanna\n", "line 2: 'anna' is listed twice"),
        ("id,worksheet\na,1\nb,1\n", "a worksheet is listed twice"),
        ("id,worksheet\na,one\n", "line 2: worksheet is 'one', expected a whole number"),
        ("id,name\n,\n,Anna\na\x07,Ben\n", "line 4: expected an id and a name of at most 80 printable characters"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        ("\n".join(map(str, range(1001))), "lists 1001 students, expected at most 1000"),
    ],
)
def test_a_class_that_cannot_be_read(text, message, tmp_path):
    with pytest.raises(RosterError, match=re.escape(message)):
        roster(tmp_path, text)


def test_a_class_that_is_not_there(tmp_path):
    with pytest.raises(RosterError, match="cannot read 'none.csv'"):
        read_roster(tmp_path / "none.csv")


@pytest.mark.parametrize("cell", ["=1+1", "+49 170", "-x", "@a", "\tx", "plain", "-0.5", "", "'quoted"])
def test_no_cell_is_a_formula(cell):
    from cbam_np.teach.worksheets.roster import for_spreadsheet

    written = for_spreadsheet(cell)
    assert written[:1] not in ("=", "+", "@", "\t") and from_spreadsheet(written) == cell
    assert (written == cell) == (cell in ("plain", "-0.5", "", "'quoted"))
