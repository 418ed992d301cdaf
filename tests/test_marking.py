"""A class of thirty marked by one command: files of all kinds, points, the page for the teacher, one page for each."""

import csv
import json
import re
import time
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.student import Student as Writer
from cbam_np import cli
from cbam_np.teach.answers.notebooks import read_notebook
from cbam_np.teach.answers.numerals import AnswerError
from cbam_np.teach.marking.class_page import _summary, class_page, commonest, steps_of
from cbam_np.teach.marking.feedback import feedback_name, feedback_page, grades_csv
from cbam_np.teach.marking.marks import MarkedClass, mark, mark_class
from cbam_np.teach.marking.points import Scheme
from cbam_np.teach.marking.questions import QUESTIONS
from cbam_np.teach.marking.submissions import Submission, read_folder
from cbam_np.teach.marking.tables import read_table
from cbam_np.teach.mistakes import MISTAKES, SLIPS, occurrences
from cbam_np.teach.report.advice import HELP
from cbam_np.teach.report.verdicts import CUT, FOLLOWS, RIGHT, VERDICTS
from cbam_np.teach.worksheets.files import class_files, write_files
from cbam_np.teach.worksheets.roster import from_spreadsheet, read_roster
from cbam_np.teach.worksheets.worksheet import worksheet

PLANTED = "the maximum's branch missing"
OTHERS = ["the average over space taken twice", "the kernel flipped", "the branches subtracted instead of added"]
NASTY = ["<script>alert(1)</script>", "=1+1", "$x$", "**anna**", "O'Neil & co"]
IDS = [*NASTY, *(f"s{n:02}" for n in range(25))]


def changes(sheet, name):
    return next(change for mistake, _, change in occurrences(sheet.trace) if mistake.name == name)


class Pupil:
    """A student of the class: the answers, and what they are worth by another count than the package's."""

    def __init__(self, student, at):
        self.id, self.sheet = student.id, worksheet(student.seed, "forward")
        self.mistake = PLANTED if at % 3 == 0 else OTHERS[at // 3 % len(OTHERS)] if at % 3 == 1 else ""
        writer = Writer(self.sheet.trace, 3, changes(self.sheet, self.mistake) if self.mistake else None)
        texts = writer.answers(self.sheet.asked)
        self.answers, self.points = {}, 0
        blank = {name for name in self.sheet.entries if name.startswith("F''")} if at % 5 == 0 else set()
        for name, (step, index) in self.sheet.entries.items():
            self.answers[name] = "" if name in blank else texts[step][index]
            answered = self.answers[name] not in ("", "?")
            self.points += answered and not writer.is_wrong(step)[index]
        own = f"{1000 + at}.125"  # a number that nobody else has, and that is wrong
        if self.mistake and not blank:
            self.points -= not writer.is_wrong("F''")[2, 2, 2]
            self.answers["F''[3,3,3]"] = own
        self.own = own if self.answers["F''[3,3,3]"] == own else None

    def lines(self):
        return [f"{name},{text}" for name, text in self.answers.items()]


def hand_in(folder, pupils, notebooks):
    """Write what the class hands in: notebooks, CSV, JSON, TOML, a wide and a long table."""
    folder.mkdir()
    wide, long = pupils[24:27], pupils[27:30]
    for at, pupil in enumerate(pupils[:24]):
        seed = pupil.sheet.seed
        if at % 4 == 0:
            book = json.loads(notebooks[f"worksheet-{seed}.ipynb"])
            texts = {name: [] for name in pupil.sheet.asked}
            for name, (step, index) in pupil.sheet.entries.items():
                texts[step].append((index, pupil.answers[name] or "?"))
            lines = []
            for step, cells in texts.items():
                array = np.empty(pupil.sheet.trace[step].shape, object)
                for index, text in cells:
                    array[index] = text
                lines.append(f'answers["{step}"] = {array.tolist()!r}\n')
            book["cells"].append({"cell_type": "code", "source": lines, "outputs": [], "metadata": {}})
            (folder / f"nb{at}.ipynb").write_text(json.dumps(book), encoding="utf-8")
        elif at % 4 == 1:
            text = "\n".join([f"worksheet,{seed}", f"id;{pupil.id}", *pupil.lines()])
            (folder / f"csv{at}.csv").write_text(text, encoding="utf-8")
        elif at % 4 == 2:
            told = {"student": pupil.id, "worksheet": seed, "answers": pupil.answers}
            (folder / f"json{at}.json").write_text(json.dumps(told), encoding="utf-8")
        else:
            lines = [f'"{name}" = "{text}"' for name, text in pupil.answers.items()]
            (folder / f"worksheet-{seed}.toml").write_text("\n".join(lines), encoding="utf-8")
    with open(folder / "wide.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["ID", *wide[0].answers])
        rows.writerows([pupil.id, *pupil.answers.values()] for pupil in wide)
    with open(folder / "long.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "step", "answer", "worksheet"])
        rows.writerows([p.id, name, text, p.sheet.seed] for p in long for name, text in p.answers.items())
    (folder / "scan.pdf").write_bytes(b"%PDF-1.4")
    (folder / "broken.json").write_text("{", encoding="utf-8")
    (folder / ".hidden.csv").write_text("M_c[1],1", encoding="utf-8")


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """Let a class of thirty hand in, and mark it with the command."""
    root = tmp_path_factory.mktemp("school")
    with open(root / "class.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id"], *([id] for id in IDS), ["absent"]])
    students = read_roster(root / "class.csv")
    pupils = [Pupil(student, at) for at, student in enumerate(students[:30])]
    files = class_files(students[:30], [pupil.sheet for pupil in pupils])
    hand_in(root / "in", pupils, files)
    start = time.process_time()
    done = cli.main(["mark", str(root / "in"), "--class", str(root / "class.csv"), "--out", str(root / "report")])
    seconds = time.process_time() - start
    assert done == 0
    return root, pupils, seconds


def grades(root):
    with open(root / "report" / "grades.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_points_are_those_of_another_count(school):
    root, pupils, _ = school
    rows = {from_spreadsheet(row["id"]): row for row in grades(root)}
    assert list(rows) == [*IDS, "absent"]
    for pupil in pupils:
        row = rows[pupil.id]
        assert (float(row["points"]), float(row["maximum"])) == (pupil.points, len(pupil.sheet.entries)), pupil.id
        assert bool(row["first wrong step"]) == bool(pupil.mistake)
    assert rows["absent"]["points"] == ""
    named = [pupil.mistake == rows[pupil.id]["mistake"] for pupil in pupils if pupil.mistake]
    assert np.mean(named) > 0.9


def test_thirty_sheets_take_less_than_ten_seconds(school):
    assert school[2] < 10  # seconds of one core


def test_the_class_page_names_the_commonest_mistake_and_its_question(school):
    root, pupils, _ = school
    page = (root / "report" / "class.html").read_text(encoding="utf-8")
    rows = re.findall(r'<th scope="row">([^<]*)</th>', page[page.index('aria-label="commonest mistakes"') :])
    assert rows[0].replace("&#x27;", "'") == PLANTED and QUESTIONS[PLANTED] in page
    assert "scan.pdf" in page and "broken.json" in page and "absent" in page and ".hidden" not in page
    assert page.count('<a href="feedback/') >= 30


def test_nobody_sees_the_answers_of_another(school):
    root, pupils, _ = school
    pages = {path.name: path.read_text(encoding="utf-8") for path in (root / "report" / "feedback").iterdir()}
    assert len(pages) == 30
    for pupil in pupils:
        holding = [name for name, page in pages.items() if pupil.own and pupil.own in page]
        assert len(holding) == bool(pupil.own)
        if pupil.id not in NASTY:
            assert [name for name, page in pages.items() if f">{pupil.id}<" in page] == [
                name for name in pages if name.startswith(f"{pupil.id}-")
            ]


def test_what_ids_contain_is_shown_as_text(school):
    root = school[0]
    for path in (root / "report").rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert "<script" not in page and "O'Neil & co" not in page, path.name
    for row in csv.reader((root / "report" / "grades.csv").read_text(encoding="utf-8").splitlines()):
        assert not [cell for cell in row if cell.startswith(("=", "+", "@", "\t"))]


@pytest.mark.slow
def test_marking_twice_gives_the_same(school, capsys):
    root = school[0]
    before = {path: path.read_bytes() for path in (root / "report").rglob("*") if path.is_file()}
    assert cli.main(["mark", str(root / "in"), "--class", str(root / "class.csv"), "--out", str(root / "report")]) == 0
    assert before == {path: path.read_bytes() for path in (root / "report").rglob("*") if path.is_file()}
    printed = capsys.readouterr().out
    assert "30 worksheets marked" in printed and f"Commonest mistake: {PLANTED}" in printed
    assert "Not marked: scan.pdf: is a .pdf file" in printed and "Not marked: broken.json: is not JSON" in printed


# --- points ---


def submission(answers, seed=7, level="quick", id="anna", **more):
    return Submission(id, "a.csv", {"seed": seed, "level": level}, answers, **more)


def test_points_by_step_and_by_verdict():
    sheet = worksheet(7, "quick")
    F_max = int(sheet.trace["F_max[1]"].value)
    answers = {"F_max[1]": str(F_max), "F_max[2]": "99", "M_c[1]": "?"}
    one = mark(submission(answers), Scheme())
    assert (one.points, one.maximum, one.first_wrong) == (1, 28, "F_max")
    one = mark(submission(answers), Scheme({"F_max": 3, "M_c": 0}))
    assert (one.points, one.maximum) == (3, 28 - 1 + 6)
    follows = {"F_max[1]": "9", "F_max[2]": "9", "F_max[3]": "9"}
    W0 = np.array(sheet.trace["W0"].value, float)
    follows["h_max[1]"] = f"{W0[0].sum() * 9:g}"
    assert mark(submission(follows), Scheme()).points == 1
    assert mark(submission(follows), Scheme(shares={FOLLOWS: 0.25})).points == 0.25


def test_usual_shares():
    assert [VERDICTS[v].points for v in (RIGHT, FOLLOWS, CUT)] == [1, 1, 0.5]
    assert {v for v, verdict in VERDICTS.items() if not verdict.points} == {"wrong", "not judged", "not read"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": {"M_c": -1}}, "points of M_c are -1, expected 0 to 1000"),
        ({"steps": {"M_c": float("nan")}}, "points of M_c are nan"),
        ({"shares": {"nearly": 0.5}}, "verdict is 'nearly', expected one of 'right'"),
        ({"shares": {RIGHT: 2}}, "the share of 'right' is 2, expected 0 to 1"),
    ],
)
def test_a_scheme_that_makes_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        Scheme(**arguments)


def test_a_step_that_there_is_not():
    with pytest.raises(ValueError, match="there is no step 'Q'; the steps are F_avg"):
        mark(submission({"F_max[1]": "1"}), Scheme({"Q": 1}))


# --- what is handed in ---


def test_a_notebook_is_read_and_not_run(tmp_path):
    lines = [
        'open("/nowhere/ran", "w")',
        "%matplotlib inline",
        "import cbam_np",
        'sheet = cbam_np.Practice(12, "quick", bias=True, help="mistake")',
        "answers = {'F_avg[1]': 0.80, 'F_avg[2]': -1/3}",
        'answers["F_max"] = ["2", 3.0, None]',
        'answers["M_c[1]"] = round(0.123456, 3)',
        'answers[name] = "5"',
        "sheet.check(answers)",
    ]
    path = tmp_path / "a.ipynb"
    cells = [{"cell_type": "code", "source": "\n".join(lines)}, {"cell_type": "code", "source": ["for in"]}, 3]
    path.write_text(json.dumps({"cells": cells, "metadata": {}}), encoding="utf-8")
    handed = read_notebook(path)
    assert handed.kind == {"seed": 12, "level": "quick", "bias": True}
    assert handed.answers == {
        "F_avg[1]": "0.80",
        "F_avg[2]": "-1/3",
        "F_max": ["2", "3.0", None],
        "M_c[1]": "round(0.123456, 3)",
    }
    assert handed.problems == ("code cell 2 is not valid Python: its answers were not read",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF", "is no notebook: it is not JSON"),
        (b"[]", "is no notebook: it has no cells"),
        (b'{"cells": []}', "puts nothing into answers"),
        (b"[" * 100_000, "is no notebook: it is not JSON"),
    ],
)
def test_what_is_no_notebook(content, message, tmp_path):
    (tmp_path / "a.ipynb").write_bytes(content)
    with pytest.raises(AnswerError, match=message):
        read_notebook(tmp_path / "a.ipynb")


def test_tables():
    wide = read_table("name,F_max[1],worksheet,Level\nanna,3,12,QUICK\n\nben,,,\n")
    assert [(h.id, h.kind, h.answers) for h in wide] == [
        ("anna", {"seed": 12, "level": "quick"}, {"F_max[1]": "3"}),
        ("ben", {}, {"F_max[1]": ""}),
    ]
    long = read_table("id\tstep\tvalue\n'=1+1\tM_s[1,1]\t0,5\nb\tF_max[1]\t2\n'=1+1\tF_max[1]\t1\n")
    assert [(h.id, h.answers) for h in long] == [
        ("=1+1", {"M_s[1,1]": "0,5", "F_max[1]": "1"}),
        ("b", {"F_max[1]": "2"}),
    ]
    bare = read_table("id,F'[1,1,1],z_s[1,1]\nanna,2,0.5\n")
    assert bare[0].answers == {"F'[1,1,1]": "2", "z_s[1,1]": "0.5"}
    assert read_table("id,anna\nlevel,quick\nF_max[1],99\n") is None
    assert read_table("F_max[1],2\nM_c[1],0.5\n") is None and read_table("") is None
    with pytest.raises(AnswerError, match="row 2 has 3 cells, the heading has 2"):
        read_table("id,F_max[1]\na,1,2\n")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x.csv", "worksheet,7\nlevel,quick\nid,zoe\nF_max[1],3\n", ("zoe", 7)),
        ("worksheet-7.csv", "F_max[1],3\n", ("anna", 7)),
        ("anna.csv", "F_max[1],3\n", ("anna", 7)),
        ("anna/sheet.txt", "F_max[1] = 3\n", ("anna", 7)),
        ("x.json", '{"worksheet": 9, "F_max": ["3", "?", "?"]}', ("x", 9)),
        ("x.toml", 'seed = 9\nstudent = "ben"\n"F_max[1]" = 3\n', ("ben", 9)),
    ],
)
def test_which_worksheet_it_is(name, text, expected, tmp_path):
    (tmp_path / "class.csv").write_text("id,worksheet,level\nanna,7,quick\nben,8,quick\n", encoding="utf-8")
    students = read_roster(tmp_path / "class.csv")
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    (found,), problems = read_folder(tmp_path / "in", students)
    assert (found.id, found.kind["seed"]) == expected and not problems
    assert found.answers in ({"F_max[1]": "3"}, {"F_max[1]": 3}, {"F_max": ["3", "?", "?"]})
    assert ("is not in the list of the class" in found.notes) == (found.id not in ("anna", "ben"))
    assert any("but the class lists worksheet 8" in note for note in found.notes) == (found.id == "ben")


def test_files_that_cannot_be_marked_are_listed_with_the_reason(tmp_path):
    files = {
        "a.csv": "F_max[1],3\n",
        "b.csv": "worksheet,7\nlevel,quick\nF_max[9],3\n",
        "c.csv": "",
        "d.xlsx": "",
        "e.csv": "worksheet,7\nchannels,99\nF_max[1],3\n",
        "f.csv": "worksheet,7\nlevel,quick\nid,me\nF_max[1],3\n",
        "g.csv": "worksheet,7\nlevel,quick\nid,me\nF_max[1],4\n",
        "h.csv": "worksheet,7\nlevel,hard\nF_max[1],4\n",
        "i.csv": "worksheet,7\nbias,perhaps\nF_max[1],4\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    submissions, problems = read_folder(tmp_path)
    found = mark_class(submissions, problems)
    reasons = dict(found.unreadable)
    assert "me" in [one.id for one in found.marked]
    for name, words in {
        "a.csv": "does not say which worksheet it is: write worksheet,NUMBER",
        "c.csv": "has no answers",
        "d.xlsx": "is a .xlsx file, expected .ipynb",
        "e.csv": "is a worksheet that cannot be made: channels is 99, expected 2 to 6",
        "g.csv": "me has handed in f.csv already; that was marked",
        "h.csv": "level is 'hard'",
        "i.csv": "has an option of a worksheet that is 'perhaps'",
    }.items():
        assert words in reasons[name], (name, reasons)


def test_a_class_without_a_mistake_and_an_empty_one():
    sheet = worksheet(7, "quick")
    one = mark(submission({"F_max[1]": str(sheet.trace["F_max[1]"].value)}), Scheme())
    assert "Nothing is wrong." in class_page(MarkedClass((one,)))
    assert commonest(MarkedClass((one,))) == [] and steps_of(MarkedClass((one,)))["F_max"] == {
        "right": 1,
        "not judged": 2,
    }
    assert "No worksheet could be marked." in class_page(MarkedClass(()))
    assert grades_csv(MarkedClass((one,))) == "id,points,maximum,first wrong step,mistake\nanna,1,28,,\n"


def test_feedback_tells_as_much_as_the_teacher_allows():
    one = mark(submission({"F_max[1]": "99", "F_avg[1]": "<b>0.5</b>"[3:6]}), Scheme())
    pages = {help: feedback_page(one, help).replace("\xa0", " ") for help in HELP}
    assert "in numbers" in pages["values"] or "with your numbers" in pages["values"]
    assert "expected" not in pages["mistake"] and "Work out this line again" in pages["hint"]
    assert "<math" in pages["values"] and "$" not in pages["values"]
    assert "0 of 28 points" in pages["values"] and "anna" in pages["values"]


def test_file_names_are_safe_and_differ():
    ones = [
        mark(submission({"F_max[1]": "9"}, id=id), Scheme()) for id in ["../../etc/passwd", "a/b", "a:b", "Жанна", ""]
    ]
    names = [feedback_name(one) for one in ones]
    assert len(set(names)) == 5 and all(re.fullmatch(r"[A-Za-z0-9-]+\.html", name) for name in names)


def test_every_question_is_about_a_known_mistake():
    known = {mistake.name for mistake in (*MISTAKES, *SLIPS)}
    assert set(QUESTIONS) <= known, set(QUESTIONS) - known


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["none"], "none is not a folder"),
        (["."], "could be marked"),
        ([".", "--points", "M_c"], "--points is 'M_c', expected STEP=N, such as M_c=2"),
        ([".", "--points", "M_c=-1"], "points of M_c are -1"),
        ([".", "--class", "none.csv"], "cannot read 'none.csv'"),
    ],
)
def test_what_cannot_be_done_is_said(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["mark", *options]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "report").exists()


@pytest.mark.parametrize("option", ["--cut-off", "--following"])
@pytest.mark.parametrize("share", ["2", "-1", "nan", "half"])
def test_shares_are_bounded_where_they_enter(option, share, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["mark", ".", f"{option}={share}"])
    assert f"argument {option}: '{share}': expected a number, 0 to 1" in capsys.readouterr().err


def test_reports_are_not_read_as_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files({"anna.csv": "worksheet,7\nlevel,quick\nF_max[1],3\n"}, tmp_path)
    assert cli.main(["mark", "."]) == 0 and cli.main(["mark", "."]) == 0
    assert len(read_folder(tmp_path, skip=tmp_path / "report")[0]) == 1


def test_the_class_s_average_is_that_of_the_shares():
    def one(points, maximum, ok):
        return SimpleNamespace(points=points, maximum=maximum, report=SimpleNamespace(ok=ok))

    marked = [one(5, 10, False), one(20, 20, True), one(0, 0, False)]
    assert _summary(SimpleNamespace(marked=marked)) == (
        "3 worksheets were marked: 75% of the points on average; 1 without a mistake."
    )
    assert _summary(SimpleNamespace(marked=marked[2:])).startswith("1 worksheet was marked: 0%")
