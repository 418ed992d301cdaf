"""Notebooks can be changed: what they invite a student to do has been done here, and they still run to their end.

In a notebook, a code cell tagged "yours" belongs to the student. The code cells after it, up to the next text, show
what the change did, and the next text has the answer, folded. Here each such cell runs with several changes, then
with the answer.
"""

import copy
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from .helpers import THOROUGH

FOLDER = Path(__file__).parent.parent / "notebooks"
WORDS_PER_MINUTE = 100
NUMBERS = ["01", "02", "03", "04", "05", "06", "07"]
SLOW = {"04", "05", "06"}  # some of them train or time something again and again

# For each notebook and exercise: (what is replaced in the student's cell, by what, what is then said), one run each.
CHANGES = {
    ("01", 1): [
        ([('"F_avg[3]": ""', '"F_avg[3]": "8/9"'), ('"M_c[3]": ""', '"M_c[3]": "a"')], "is wrong.*could not be read"),
        ([('"M_c[3]": ""', '"M_c[3]": "0.9"')], "wrong"),
    ],
    ("01", 2): [
        ([("[[1, 0, 1]", "[[5, 0, 1]"), ('"F_max[1]": ""', '"F_max[1]": "2"')], "wrong"),
        ([("[[2, 2, 1]", "[[2, -3, 0.5]")], "blank"),
    ],
    ("01", 3): [([("lecture.kernel()", "-lecture.kernel()"), ('""', '"1.489"')], "wrong")],
    ("01", 4): [
        (
            [
                ('lecture.parameters()["W0"]', "[[2, 0, 0], [0, 2, 1], [0, 0, 3]]"),
                ('"a_max[1]": ""', '"a_max[1]": "4"'),
            ],
            "right",
        )
    ],
    ("02", 1): [
        ([('"dM_s[1,1]": ""', '"dM_s[1,1]": "1"'), ('"dz_s[1,1]": ""', '"dz_s[1,1]": "0.25"')], "wrong.*follows")
    ],
    ("02", 2): [([("[1, 1, 1]", "[3, 2, 1]"), ("0.0", "-0.00045")], "The prediction is good.*Another entry")],
    ("02", 3): [([('"dh_avg[1]": ""', '"dh_avg[1]": "0.5"')], "wrong")],
    ("02", 4): [
        ([("dout * M", "dout * F")], "The check notices"),
        ([("(dout * F).sum(", "(dout * F).mean(")], "The check notices"),
        ([("dF = dout * M", "dF = dout * M  # right")], "0 of 27 entries"),
    ],
    ("03", 1): [
        ([('"F_avg": ["", "", ""]', '"F_avg": ["11/9", "11/9", "1/9"]')], "wrong.*Work out"),
        ([('"h_avg": ["", ""]', '"h_avg": ["1/9", "7/9"]'), ('help="hint"', 'help="mistake"')], "wrong"),
    ],
    ("03", 2): [
        ([('"a_avg": ""', '"a_avg": "1/9 -7/9"'), ('"z_avg": ""', '"z_avg": "23/18 -10/9 -5/9"')], "ReLU forgotten"),
        (
            [('"11/9 11/9 -1/9"', '""'), ('"1/9 -7/9"', '""'), ('"M_c": ""', '"M_c": "0.0978 0.3518 0.9500"')],
            "ReLU forgotten",
        ),
    ],
    ("03", 3): [
        ([("x.mean(axis=(2, 3))", "x.sum(axis=(2, 3)) / x.shape[1]")], "wrong on 3"),
        ([('W0, W1 = params["W0"], params["W1"]', 'W1, W0 = params["W0"], params["W1"]')], "."),
    ],
    ("04", 1): [
        ([("my_prediction = 0", "my_prediction = 8192")], "What about the kernel"),
        ([("my_prediction = 0", "my_prediction = 8192 + 49")], "how many maps"),
    ],
    ("04", 2): [([("0.07", "0.0007"), ('""', '"diverges"')], "prediction is wrong")],
    ("04", 3): [([("240", "480"), ("epochs=16", "epochs=2")], "gap")],
    ("05", 1): [([("1, 1", "1, 3"), ("0.0", "0.71")], "is good.*A larger gain is possible")],
    ("05", 2): [([('"stage3"', '"stage2"')], "stage2: 0.26")],
    ("06", 1): [
        ([("0.0", "0.5")], "How many bytes does a number have"),
        ([("0.0", "1 / 4")], "has to be written as well"),
    ],
    ("06", 2): [([("()", "(2, 5)")], "2 images, .* 5 images")],
    ("06", 3): [([("my_prediction = 0", "my_prediction = 72")], "Not yet")],
    ("07", 1): [([("1 / 4", "-3"), ('"M_c[1]": ""', '"M_c[1]": "0.2"')], "wrong")],
    ("07", 2): [([("1.0, 0.0", "9.0, -1.0"), ('"M_s[1,1]": ""', '"M_s[1,1]": "0.88"')], "wrong")],
    ("07", 3): [([("mlp(x.mean(axis=(2, 3))) + mlp(x.max(axis=(2, 3)))", "mlp(x.mean(axis=(2, 3)))")], "CBAM.*")],
}

# What the folded answer leads to, where that is not that everything is right.
ANSWERS = {
    ("02", 2): "The prediction is good.*No entry",
    ("02", 4): "27 of 27 entries.*The check notices",
    ("03", 2): "1 of 7 answers is wrong",
    ("03", 3): "Same result as: ReLU after W_1",
    ("04", 1): "Right",
    ("04", 2): "prediction is right",
    ("04", 3): "gap",
    ("05", 1): "is good.*No other choice",
    ("05", 2): "stage1: 0.15",
    ("06", 1): "Right",
    ("06", 2): "32 images",
    ("06", 3): r"^\s*Right",
    ("07", 3): r"right.*Choices.*\[max; avg\]",
}


def notebook_of(number):
    (path,) = FOLDER.glob(f"{number}_*.ipynb")
    return nbformat.read(path, as_version=4)


def exercises_of(cells):
    """Return (place of the student's cell, places of the cells that show what changed, the answer's code or None)."""
    found = []
    for place, cell in enumerate(cells):
        if "yours" not in cell.metadata.get("tags", []):
            continue
        end = next(i for i in range(place + 1, len(cells)) if cells[i].cell_type == "markdown")
        answer = re.search(r"<details>.*?```python\n(.*?)```", cells[end].source, re.DOTALL)
        found.append((place, range(place + 1, end), answer and answer[1]))
    return found


def changed(cells, number):
    """Return the cells with every change and every answer in place, and what each must say: [(last cell, words)]."""
    new, expected, after = [], [], 0
    for exercise, (place, shown, answer) in enumerate(exercises_of(cells), start=1):
        new += cells[after:place]
        after = shown.stop
        versions = []
        for replacements, words in CHANGES.get((number, exercise), []):
            source = cells[place].source
            for old, by in replacements:
                assert old in source, (number, exercise, old)
                source = source.replace(old, by)
            versions.append((source, words))
        if answer:
            versions.append((answer, ANSWERS.get((number, exercise), r"(are|is) right|are exact")))
        for source, words in versions:
            first = len(new)
            new += [copy.deepcopy(cells[i]) for i in (place, *shown)]
            new[first].source = source
            expected.append((range(first, len(new)), words))
    new += cells[after:]
    return new, expected


def said(cell):
    """Return what a cell shows, as text."""
    outputs = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
    texts = [output.get("text") or output.get("data", {}).get("text/html", "") for output in outputs]
    return " ".join(texts)


@pytest.mark.parametrize("number", [pytest.param(n, marks=pytest.mark.slow) if n != "03" else n for n in NUMBERS])
def test_a_changed_notebook_runs_to_its_end(number):
    if number in SLOW and not THOROUGH:
        pytest.skip("takes a minute or more: CBAM_NP_TESTS=thorough runs it")
    notebook = notebook_of(number)
    notebook.cells, expected = changed(notebook.cells, number)
    assert expected, "nothing in the notebook is the student's"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": FOLDER}}).execute()
    for places, words in expected:
        text = " ".join(said(notebook.cells[i]) for i in places)
        source = notebook.cells[places.start].source
        assert re.search(words, text, re.DOTALL), (source, words, text)
        if words.startswith("(are|is) right"):
            assert "wrong" not in text, (source, text)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_exercise_has_an_answer_and_every_cell_of_the_student_s_is_changed_here(number):
    cells = notebook_of(number).cells
    headings = [
        cell for cell in cells if cell.source.lstrip("# \n").startswith("Exercise ") or "### Exercise " in cell.source
    ]
    folded = [cell for cell in cells if "<details><summary>Answer" in cell.source]
    assert len(headings) == len(folded) > 0
    for exercise in range(1, 1 + len(exercises_of(cells))):
        assert (number, exercise) in CHANGES


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_that_is_asserted_depends_on_a_cell_of_the_student_s(number):
    cells = notebook_of(number).cells
    for place, shown, _ in exercises_of(cells):
        assert not any("assert" in cells[i].source for i in (place, *shown))


@pytest.mark.parametrize("number", NUMBERS)
def test_the_minutes_are_counted(number):
    cells = notebook_of(number).cells
    texts = [re.sub(r"<details>.*?</details>", "", cell.source, flags=re.DOTALL) for cell in cells]
    minutes = sum(len(text.split()) for text in texts) / WORDS_PER_MINUTE
    (written,) = re.findall(r"About (\d+) minutes of reading", cells[0].source)
    assert int(written) - 5 < minutes <= int(written) + 1, "count again"
    listed = (FOLDER.parent / "docs" / "lessons.md").read_text(encoding="utf-8")
    assert re.search(rf"\| \[{number}_.* \| {written} \|", listed), "docs/lessons.md says other minutes"
