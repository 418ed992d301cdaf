"""What TEACHING.md promises a teacher is true: its commands run, its numbers are counted, its demonstrations show."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cbam_np import cli
from cbam_np.cbam import cbam_forward, channel_attention_forward
from cbam_np.classroom.kernels import KERNELS
from cbam_np.classroom.mlps import mlps
from cbam_np.teach.example import lecture
from cbam_np.teach.marking.grading import grade
from cbam_np.teach.marking.questions import QUESTIONS
from cbam_np.teach.mistakes import MISTAKES, SLIPS
from cbam_np.teach.worksheets.levels import LEVELS, minutes_of, size_of
from cbam_np.teach.worksheets.worksheet import worksheet

ROOT = Path(__file__).parent.parent
TEACHING = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (cbam-np [^\n]*)$", TEACHING, flags=re.MULTILINE)


def rows(heading):
    """Return the rows of the table with a heading, cell by cell."""
    table = TEACHING[TEACHING.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def test_the_plan_takes_fifty_minutes():
    assert sum(int(minutes) for minutes, _, _ in rows("| minutes | what")) == 50


def test_the_questions_are_those_of_the_class_page():
    assert dict(rows("| what happened |")) == QUESTIONS
    assert set(QUESTIONS) <= {mistake.name for mistake in (*MISTAKES, *SLIPS)} and len(QUESTIONS) >= 15


def test_levels_are_as_long_as_it_says():
    told = {level.strip("`"): (int(numbers), int(minutes)) for level, _, numbers, minutes in rows("| level |")}
    sheets = {level: worksheet(1, level).blanks for level in LEVELS}
    assert told == {level: (size_of(blanks), minutes_of(blanks)) for level, blanks in sheets.items()}


def test_its_commands_run_and_write_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("class.csv").write_text("anna\nben\n", encoding="utf-8")
    make, mark = (shlex.split(command)[1:] for command in COMMANDS)
    assert cli.main(make) == 0
    written = {path.name for path in Path("sheets").iterdir()}
    named = {name.strip("`") for name, _ in rows("| file in `sheets` |")}
    assert {name for name in named if "…" not in name} <= written and any(n.endswith(".ipynb") for n in written)
    assert "KEY" not in Path("sheets/class.html").read_text(encoding="utf-8")
    Path("handed-in").mkdir()
    head, *lines = Path("sheets/answers.csv").read_text(encoding="utf-8").splitlines()
    at = next(n for n, cell in enumerate(re.split(r",(?![^\[]*\])", head)) if cell.strip('"') == "F_max[1]")
    filled = [",".join("3" if n == at else cell for n, cell in enumerate(line.split(","))) for line in lines]
    Path("handed-in/answers.csv").write_text("\n".join([head, *filled]), encoding="utf-8")
    assert cli.main(mark) == 0, capsys.readouterr().err
    assert {path.name for path in Path("report").iterdir()} == {"grades.csv", "class.html", "feedback"}
    assert len(list(Path("report/feedback").iterdir())) == 2
    for option in ("--points", "--following", "--cut-off", "--tell"):
        assert option in TEACHING
        with pytest.raises(SystemExit):
            cli.main(["mark", "--help"])
        assert option in capsys.readouterr().out


def test_the_formats_it_names_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for format, file in {
        "nbgrader": "nbgrader_config.py",
        "otter": "cbam-worksheet-7.ipynb",
        "moodle": "moodle.xml",
    }.items():
        assert f"--format {format}" in TEACHING
        command = ["worksheet", "--seed", "7", "--level", "quick", "--format", format, "--out", format]
        assert cli.main(command) == 0 and (tmp_path / format / file).exists()


def test_the_twenty_lines_for_other_systems_run():
    (code,) = re.findall(r"```python\n(.*?)```", TEACHING, flags=re.DOTALL)
    assert len(code.splitlines()) <= 20
    submitted = {"worksheet": 7, "level": "quick", "answers": {"F_max": ["4", "4", "9"]}}
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(submitted), capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["score"] == pytest.approx(2 / 28) and found["partial"]["F_max"] == 2
    assert found["feedback"] == grade(7, "quick", submitted["answers"])["feedback"]["html"]


def test_with_r_3_any_change_of_f_1_moves_all_of_m_c():
    """Set r to 3, change one number of F_1: all of M_c moves, by what three decimals show."""
    assert "Set r to 3, change one number of F_1: all of M_c moves." in TEACHING
    params = {name: np.asarray(mlps(3)[3][name], float) for name in ("W0", "W1")}

    def weights(F):
        return channel_attention_forward(F[None].astype(float), params)[0].ravel()

    before = weights(lecture.F)
    for at in np.ndindex(3, 3):
        for value in {-3, -1, 0, 1, 2, 3, 9} - {int(lecture.F[0][at])}:
            F = lecture.F.copy()
            F[0][at] = value
            assert (np.abs(weights(F) - before) > 0.001).all(), (at, value)


def test_the_kernels_and_the_order_make_a_difference():
    """The kernels that it names exist; a uniform one sees the same everywhere; the order matters."""
    assert {"centre", "uniform", "edge"} <= set(KERNELS) and all(f"`{n}`" in TEACHING for n in ("centre", "uniform"))
    params = {name: W.astype(float) for name, W in lecture.parameters().items()}
    F = lecture.F[None].astype(float)
    uniform = params | {"W7": np.asarray(KERNELS["uniform"](), float)}
    assert np.ptp(cbam_forward(F, uniform)[1].Ms) == pytest.approx(0, abs=1e-12)
    other = cbam_forward(F, params, order="spatial-channel")[0]
    assert np.abs(other - cbam_forward(F, params)[0]).max() > 0.01
