"""Assignments for nbgrader and otter-grader, run with the real tools: who is perfect, and who made one mistake."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

import cbam_np
from benchmarks.student import Student
from cbam_np.teach.marking.cells import COUNTS, Marking
from cbam_np.teach.mistakes import occurrences
from cbam_np.teach.worksheets.assignments import assignment_of, nbgrader_files, otter_files, points_of
from cbam_np.teach.worksheets.files import write_files
from cbam_np.teach.worksheets.worksheet import worksheet

MISTAKE = "the maximum's branch missing"
SEED = 7
NAME = f"cbam-worksheet-{SEED}"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(cbam_np.__file__).parent.parent), "PYTHONWARNINGS": "ignore"}


def sheet():
    return worksheet(SEED, "quick")


def answers_of(sheet, mistake=None):
    """Return a student's answers by entry: all right, or with a mistake that is carried on."""
    changes = next((o[2] for o in occurrences(sheet.trace) if o[0].name == mistake), None)
    parts = {name: np.array(value, object) for name, value in sheet.handed.items()}
    written = {name: {at: text for at, text in np.ndenumerate(value) if text} for name, value in parts.items()}
    texts = Student(sheet.trace, 3, changes, written=written).answers(sheet.asked)
    return {name: texts[step][index] for name, (step, index) in sheet.entries.items()}


def filled_in(book, answers):
    """Return a notebook with the answers in the place of the question marks, as a student types them."""
    step_of = {}
    for name, text in answers.items():
        step_of.setdefault(name.partition("[")[0], []).append((name, text))
    for cell in book["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and '"?"' in source and "Marking" not in source:
            lines = [line for line in source.splitlines() if "?" not in line and line.strip() not in ("]", "],")]
            asked = [step for step in step_of if f'answers["{step}"]' in source or f'answers["{step}[' in source]
            lines += [f"answers[{name!r}] = {text!r}" for step in asked for name, text in step_of[step]]
            cell["source"] = "\n".join(lines)
    return book


def run(*command, cwd):
    return subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, encoding="utf-8", timeout=300
    )


def test_a_step_earns_its_points_and_names_the_mistake(capsys):
    marking, quick = Marking(SEED, "quick"), sheet()
    right, wrong = answers_of(quick), answers_of(quick, MISTAKE)
    assert sum(marking.step(name, right) for name in quick.asked) == points_of(quick) == 28
    assert marking.step("z_c", wrong) == 0.0 and type(marking.step("z_c", wrong)) is float
    assert sum(marking.step(name, wrong) for name in quick.asked) == 27  # one step's loss, not all
    assert MISTAKE in capsys.readouterr().out
    assert {marking.entry(name, right) for name in quick.entries} == {COUNTS}
    assert marking.entry("z_c[1]", wrong).startswith("wrong. Looks like:") and MISTAKE in marking.entry("z_c[1]", wrong)
    assert marking.entry("M_c[1]", wrong) == COUNTS and marking.entry("M_c[1]", {}) == "not judged."
    assert marking.maximum("F_max") == 3


@pytest.mark.parametrize("files", [nbgrader_files, otter_files])
@pytest.mark.parametrize("level", ["quick", "full"])
def test_assignments_are_valid_notebooks(files, level):
    (book,) = (json.loads(text) for name, text in files(worksheet(3, level)).items() if name.endswith(".ipynb"))
    nbformat.validate(book)
    assert assignment_of(worksheet(3, level)) == "cbam-worksheet-3"


def test_nbgrader_s_cells_are_locked_where_they_must_be():
    book = json.loads(nbgrader_files(sheet())[f"source/{NAME}/{NAME}.ipynb"])
    graded = {c["metadata"]["nbgrader"]["grade_id"]: c for c in book["cells"] if "nbgrader" in c["metadata"]}
    locked = {name for name, cell in graded.items() if cell["metadata"]["nbgrader"]["locked"]}
    assert "setup" in locked and {name for name in graded if name.startswith("mark-")} <= locked
    points = [c["metadata"]["nbgrader"]["points"] for name, c in graded.items() if name.startswith("mark-")]
    assert sum(points) == 28 and len(points) == len(sheet().asked)
    for name in set(graded) - locked:
        source = "".join(graded[name]["source"])
        assert source.index('"?"') < source.index("### BEGIN SOLUTION") < source.index("### END SOLUTION")


@pytest.mark.nbgrader
def test_nbgrader(tmp_path):
    pytest.importorskip("nbgrader", reason="needs nbgrader: make test-gradebooks")
    if shutil.which("alembic", path=str(Path(sys.executable).parent)) is None and shutil.which("alembic") is None:
        pytest.skip("nbgrader needs alembic on PATH")
    write_files(nbgrader_files(sheet()), tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), ENVIRONMENT["PATH"]])
    ENVIRONMENT["PATH"] = path

    def nbgrader(*words):
        done = run(sys.executable, "-m", "nbgrader", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]

    nbgrader("generate_assignment", NAME)
    released = tmp_path / "release" / NAME / f"{NAME}.ipynb"
    text = released.read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in text and "HIDDEN" not in text and "marking.step" not in text
    for student, mistake in {"perfect": None, "branch": MISTAKE}.items():
        book = filled_in(json.loads(text), answers_of(sheet(), mistake))
        folder = tmp_path / "submitted" / student / NAME
        folder.mkdir(parents=True)
        (folder / f"{NAME}.ipynb").write_text(json.dumps(book), encoding="utf-8")
    nbgrader("autograde", NAME, "--create")
    nbgrader("generate_feedback", NAME)
    nbgrader("export")
    with open(tmp_path / "grades.csv", encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(rows["perfect"]["score"]) == float(rows["perfect"]["max_score"]) == 28
    assert float(rows["branch"]["score"]) == 27
    feedback = (tmp_path / "feedback" / "branch" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert MISTAKE in feedback.replace("&#39;", "'") and "z_c: 0 of 1 points" in feedback
    assert "0 of" not in (tmp_path / "feedback" / "perfect" / NAME / f"{NAME}.html").read_text(encoding="utf-8")


@pytest.mark.otter
def test_otter(tmp_path):
    pytest.importorskip("otter", reason="needs otter-grader: make test-gradebooks")
    write_files(otter_files(sheet()), tmp_path)
    done = run(sys.executable, "-m", "otter", "assign", f"{NAME}.ipynb", "dist", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]  # assign runs the solutions against the tests
    text = (tmp_path / "dist" / "student" / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    (zipped,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    for student, mistake, score in [("perfect", None, 28), ("branch", MISTAKE, 27)]:
        folder = tmp_path / student
        folder.mkdir()
        book = filled_in(json.loads(text), answers_of(sheet(), mistake))
        (folder / f"{NAME}.ipynb").write_text(json.dumps(book), encoding="utf-8")
        done = run(sys.executable, "-m", "otter", "run", f"{NAME}.ipynb", "-a", str(zipped), "-o", ".", cwd=folder)
        assert done.returncode == 0, done.stderr[-2000:]
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        tests = [test for test in results["tests"] if "max_score" in test]
        assert sum(test["score"] for test in tests) == pytest.approx(score), done.stderr[-2000:]
        assert (MISTAKE in json.dumps(results, ensure_ascii=False)) == bool(mistake)
