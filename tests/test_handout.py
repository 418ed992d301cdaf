"""Worksheets on paper and as notebooks."""

import csv
import html
import json
import math
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from cbam_np.teach.calculation import notation
from cbam_np.teach.example import lecture
from cbam_np.teach.worksheets.jupyter import notebook
from cbam_np.teach.worksheets.marking import class_csv, class_table
from cbam_np.teach.worksheets.paper import page

LEVELS = ("forward", "full", "backward")


def make_sheet(level="full", mlp="slides", seed=7, **options):
    """Return the lecture's example as a worksheet."""
    trace = lecture.trace(mlp)
    back = trace.names.index("dF''")
    steps = {"forward": trace[1:back], "full": trace, "backward": trace[back:]}[level]
    asked = tuple(step.name for step in steps if not step.given)
    shown = trace[:back] if level == "forward" else trace
    write = np.vectorize(notation.number, otypes=[object])
    printed = {step.name: write(step.value, 3).tolist() for step in shown if step.name not in asked}
    return SimpleNamespace(seed=seed, level=level, options=options, trace=trace, printed=printed, asked=asked)


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
        return [cell for label in labels for cell in self.tables[label]]


def flat(nested):
    return [text for part in nested for text in flat(part)] if isinstance(nested, list) else [nested]


@pytest.mark.parametrize("mlp", ["slides", "shared"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_page_has_a_blank_for_every_number_asked_and_every_number_given(level, mlp):
    sheet = make_sheet(level, mlp)
    read = Reader(page(sheet))
    for name in sheet.asked:
        assert read.of(sheet.trace[name]) == [""] * math.prod(sheet.trace[name].shape), name
    for name, printed in sheet.printed.items():
        dots = {"0": "·"} if name == "W7" else {}
        assert read.of(sheet.trace[name]) == [dots.get(text, text) for text in flat(printed)], name
    assert {label.partition("[")[0] for label in read.tables} == {*sheet.asked, *sheet.printed}
    assert "CBAM by hand · worksheet 7" in read.text and "Name" in read.text and "Date" in read.text


@pytest.mark.parametrize("level", LEVELS)
def test_the_key_is_the_same_page_filled_in(level):
    sheet = make_sheet(level)
    blank, key = Reader(page(sheet)), Reader(page(sheet, key=True))
    for name in sheet.asked:
        step = sheet.trace[name]
        assert key.of(step) == [notation.number(value, 3) for value in step.value.flat], name
    assert list(key.tables) == list(blank.tables) and "CBAM by hand · worksheet 7 · key" in key.text


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


@pytest.mark.parametrize("write", [page, lambda sheet: class_table([sheet])])
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
    sheet.check = lambda given: checked.append(len(given))
    for cell in book["cells"]:
        if cell["cell_type"] == "code" and "import" not in "".join(cell["source"]):
            exec(compile("".join(cell["source"]), cell["id"], "exec"), {"answers": answers, "sheet": sheet})
    asked = {name: sheet.trace[name].shape for name in sheet.asked}
    assert {name: np.shape(blanks) for name, blanks in answers.items()} == asked
    assert list(answers) == list(sheet.asked)
    assert {text for blanks in answers.values() for text in flat(blanks)} == {"?"}
    assert checked == sorted(checked) and checked[-1] == len(asked)


def test_a_notebook_makes_its_sheet_from_the_seed_and_has_no_key():
    book = notebook(make_sheet("forward", seed=12, ties=True, channels=2))
    sources = ["".join(cell["source"]) for cell in book["cells"]]
    assert 'sheet = cbam_np.worksheet(12, "forward", ties=True, channels=2)' in sources[1]
    assert "40 minutes" in sources[0] and "120 numbers" in sources[0]
    assert not re.search(r"tfrac\{8\}\{9\}|0\.809(?!\"`)", "\n".join(sources[1:]))
    assert book == notebook(make_sheet("forward", seed=12, ties=True, channels=2))


def test_a_notebook_shows_what_is_given():
    text = "\n".join("".join(cell["source"]) for cell in notebook(make_sheet("backward"))["cells"])
    assert r"$$W_0 = \begin{bmatrix} \tfrac{1}{2} & 0 & 0 \\" in text
    assert r"\cdot & \cdot & -\tfrac{1}{2} & \cdot" in text
    assert r"$$M_c = \begin{bmatrix} 0.809 & 0.809 & 0.826 \end{bmatrix}$$" in text


def test_blanks_can_be_read():
    book = notebook(make_sheet("forward"))
    lines = [line.rstrip("\n") for cell in book["cells"] if cell["cell_type"] == "code" for line in cell["source"]]
    assert 'answers["F_avg"] = ["?", "?", "?"]' in lines
    start = lines.index('answers["F\'"] = [')
    assert lines[start + 1 : start + 6] == ["    [  # channel 1", *['        ["?", "?", "?"],'] * 3, "    ],"]


def test_a_class_has_a_row_a_sheet():
    sheets = [make_sheet("full", seed=1), make_sheet("forward", "shared", seed=2)]
    head, first, second = csv.reader(class_csv(iter(sheets)).splitlines())
    assert head == ["worksheet", "level", "M_c", "M_s", "F''", "dM_c", "dW0", "dF"]
    assert first[:3] == ["1", "full", "0.809  0.809  0.826"]
    dF = sheets[0].trace["dF"].value
    assert first[-1] == f"[1,1,1] {dF[0, 0, 0]:.3f}  [3,3,3] {dF[2, 2, 2]:.3f}"
    assert second[0] == "2" and second[-3:] == ["", "", ""]
    text = class_table(sheets)
    assert Reader(text).tables["control numbers"] == first[1:] + second[1:]
    assert text.count('<th scope="row">') == 2 and "key to 2 worksheets" in text


def test_controls_skip_entries_that_are_0():
    sheet = make_sheet("full", "shared")
    sheet.trace = {"dW0": lecture.trace("shared")["dF_via_F_avg"], "dF": lecture.trace("shared")["dF_via_F_max"]}
    sheet.asked = tuple(sheet.trace)
    assert class_csv([sheet]).splitlines()[1] == '7,full,all 0,"[1,2,1] -0.395  [3,1,1] 0.790"'
