"""The benchmark on answer sheets counts what it says, and a sheet that falls short is named with the reason."""

import json
from pathlib import Path

from benchmarks import habits, students

LABELS = {"max_missing": {"plain": "the maximum's branch left out", "regex": "maximum's branch missing"}}
SHEETS = [
    {
        "id": "A",
        "category": "format",
        "example": {"lecture": True},
        "answers": {"F_avg[1]": "8/9 ≈ 0.89", "F_max": "2 2 2", "M_c[1]": "O.81"},
        "truth": {"F_avg[1]": "ok", "F_max[1]": "ok", "M_c[1]": "unread"},
        "mistake": [],
    },
    {
        "id": "B",
        "category": "concept",
        "example": {"lecture": True},
        "file": {"text": "F_avg[1];0,89\nF_max[1];2\nz_avg[1];0,445\nz_max[1];1\nz_c[1];0,445\n", "suffix": ".csv"},
        "truth": {"F_avg[1]": "ok", "z_c[1]": "wrong"},
        "mistake": ["max_missing"],
    },
    {
        "id": "C",
        "category": "right",
        "example": {"lecture": True},
        "answers": {"F_avg[1]": "0.5"},
        "truth": {"F_avg[1]": "ok"},  # it is not: the benchmark has to notice
        "mistake": [],
    },
]


def test_sheets_are_scored_and_what_falls_short_is_told(tmp_path, capsys):
    (tmp_path / "sheets.json").write_text(json.dumps({"sheets": SHEETS}), encoding="utf-8")
    (tmp_path / "labels.json").write_text(json.dumps(LABELS), encoding="utf-8")
    students.main([str(tmp_path / "sheets.json"), "--out", str(tmp_path / "out")])
    summary = json.loads((tmp_path / "out" / "students.json").read_text(encoding="utf-8"))
    summary = summary[tmp_path.name]["summary"]
    assert (summary["sheets"], summary["judged"], summary["every right answer accepted"]) == (3, 3, 2)
    assert (summary["wrong answers"], summary["wrong answers found"], summary["first wrong step found"]) == (1, 1, 1)
    assert summary["named"]["first"] == summary["mistakes"] == 1
    told = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "- C (right): F_avg[1], ok, is called wrong." in told and told.strip() == capsys.readouterr().out.strip()


def test_the_fifty_sheets_are_read_and_judged(tmp_path):
    """None is turned away, nothing right is called wrong, all that is wrong is found, and most is named."""
    sheets = Path(students.__file__).parent / "answer_sheets" / "sheets.json"
    students.main([str(sheets), "--out", str(tmp_path)])
    summary = json.loads((tmp_path / "students.json").read_text(encoding="utf-8"))["answer_sheets"]["summary"]
    assert summary["judged"] == summary["sheets"] == summary["every right answer accepted"] == 50
    assert summary["wrong answers found"] == summary["wrong answers"] > 200
    assert summary["first wrong step found"] == summary["sheets with something wrong"] == 30
    assert summary["named"]["first"] >= 30 and summary["named"]["none"] == 0


def test_habits_are_tried_and_an_alarm_is_noticed():
    name, trace, handed, asked, judge = next(habits.examples(0))
    assert name == "lecture, slides" and not handed
    for habit in ("3 decimals carried on", "fractions written, 2 decimals used", "cut off at 2 decimals, memory"):
        counts, named = habits.tried(habit, trace, handed, asked, judge, 0)
        assert counts["answers"] > 400 and not named

    def wrong(answers):
        return judge(answers | {"F_avg[1]": "0.5"} if "F_avg" not in answers else {"F_avg[1]": "0.5"})

    assert habits.tried("3 decimals carried on", trace, handed, asked, wrong, 0)[1] == ["F_avg[1] = 0.5, wrong"] * 2
