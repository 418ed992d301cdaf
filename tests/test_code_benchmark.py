"""The benchmark of `check_function` reads any list of modules and a folder of sources, and tells right from wrong."""

import json

import pytest

torch = pytest.importorskip("torch")

from benchmarks import code  # noqa: E402  its modules need torch
from benchmarks.modules import own  # noqa: E402

pytestmark = pytest.mark.oracle

SOURCE = """
from benchmarks.modules.structures import Conv1x1, Linear


class Average(Linear):
    def pools(self, x):
        return [self.avg(x)]
"""
SE = "the maximum's branch missing"


def entry(name, make, kind, departures=(), choices=()):
    told = {"choices": list(choices), "departures": None if departures is None else list(departures)}
    return {"name": name, "file": "theirs.py", "make": make, "kind": kind, **told}


@pytest.fixture
def listed(tmp_path):
    (tmp_path / "theirs.py").write_text(SOURCE, encoding="utf-8")
    entries = [
        entry("right", "Conv1x1(16, 4)", "paper"),
        entry("wrong", "Average(16, 4)", "bug", [SE]),
        entry("a false truth", "Average(16, 4)", "paper"),
        entry("another false truth", "Conv1x1(16, 4)", "bug", None),
    ]
    path = tmp_path / "list.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_any_list_is_read_and_compared_with_its_truths(listed):
    rows = code.census(listed, listed.parent)
    assert [row["as the truth says"] for row in rows] == [True, True, False, False]
    assert [row["verdict"] for row in rows] == ["right", "departures named", "departures named", "right"]
    assert "2 of 4 (50.0%) judged as the truth says; 1 wrong called right, 1 right not called right" in code.summary(
        rows
    )
    assert "| right | 1 | 1 | 0 | 0 | 0 |" in code.confusion(rows) and "| wrong | 1 | 1 |" in code.confusion(rows)
    assert "| a false truth | right | departures named |  | the maximum's branch missing | **no** |" in code.listed(
        rows
    )


def test_the_whole_page(listed, tmp_path, monkeypatch):
    monkeypatch.setattr(own, "ROWS", own.ROWS[:2])
    monkeypatch.setattr(own, "HIDING", dict(list(own.HIDING.items())[:1]))
    words = ["--census", str(listed), "--sources", str(listed.parent), "--seeds", "2", "--out", str(tmp_path / "out")]
    code.main(words)
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "2 of 2 (100.0%)" in page and "## Modules of others" in page and "| 2 | 0 | 2 |" in page
    assert json.loads((tmp_path / "out" / "code.json").read_text(encoding="utf-8"))["seeds"] == 2


def test_of_a_second_list_the_page_has_counts_alone(listed, tmp_path, monkeypatch):
    monkeypatch.setattr(own, "ROWS", own.ROWS[:1])
    monkeypatch.setattr(own, "HIDING", {})
    rows = [{"name": "once", "truth": "wrong", "verdict": "right", "as the truth says": False, "seconds": 1.0}]
    before = tmp_path / "before.json"
    before.write_text(json.dumps({"commit": "abc1234", "rows": rows}), encoding="utf-8")
    words = ["--second", str(listed), "--second-sources", str(listed.parent), "--before", str(before)]
    code.main([*words, "--out", str(tmp_path)])
    page, kept = ((tmp_path / name).read_text(encoding="utf-8") for name in ("README.md", "code.json"))
    assert "(commit abc1234): 0 of 1 (0.0%) judged as the truth says; 1 wrong called right" in page
    assert "2 of 4 (50.0%)" in page and "a false truth" not in page + kept and "once" not in kept
    with pytest.raises(SystemExit):
        code.main(["--before", str(before)])


def test_a_list_without_its_folder_is_refused(listed):
    with pytest.raises(SystemExit):
        code.main(["--census", str(listed)])
    with pytest.raises(SystemExit):
        code.main(["--second", str(listed)])
    listed.write_text(json.dumps([entry("x", "Missing()", "paper")]), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"x: Missing\(\) in theirs.py raises NameError"):
        code.census(listed, listed.parent)
