"""Mutation testing counts what it claims to: one fault at a time, tried by the tests that run its line."""

import ast
import json
from types import SimpleNamespace

import pytest

from benchmarks import mutants
from benchmarks.mutation import places, touched, trial
from benchmarks.mutation.copies import Copy

SOURCE = """
def f(x: int = 3) -> bool:
    if x < 2 and not x == 1:
        raise ValueError(f"{x + 1}")
    return -x + 2
"""


class Recorded(touched.Touched):
    """Tests whose lines are told, not recorded."""

    def __init__(self, seconds, lines=None):
        self.seconds = seconds
        self._told = [(list(seconds), lines or {})]


@pytest.fixture(scope="module")
def every():
    return [mutant for part in ("ops", "cbam", "engine") for mutant in places.mutants_of(part)]


def test_everything_that_can_be_mutated_is_found_and_messages_are_left_alone():
    found = [what for _, what, _ in places.places(ast.parse(SOURCE))]
    assert sorted(found) == sorted(
        ["3 to 4", "condition to its opposite", "And to Or", "Lt to LtE", "2 to 3", "Eq to NotEq", "1 to 2"]
        + ["Add to Sub", "minus to plus", "2 to 3"]
    )


def test_a_mutant_differs_from_its_file_in_one_place(every):
    plain = places.source_of(places.Mutant("ops/linear.py", -1, 0, "nothing")).splitlines()
    for mutant in [m for m in every if m.file == "ops/linear.py"]:
        changed = places.source_of(mutant).splitlines()
        assert len(changed) == len(plain) and sum(a != b for a, b in zip(plain, changed, strict=True)) == 1


def test_a_sample_depends_on_its_seed_and_stays_when_other_files_change(every):
    drawn = places.sample(every, 200, 0)
    assert len(set(drawn)) == 200 and drawn != places.sample(every, 200, 1)
    rest = [mutant for mutant in every if not mutant.file.startswith("ops")]
    left = [mutant for mutant in drawn if not mutant.file.startswith("ops")]
    assert places.sample(rest, len(left), 0) == left


def test_where_a_line_stands():
    tree = ast.parse("import a\n\n\ndef f(\n    x=1,\n):\n    if (\n        x\n    ):\n        y = 2\n    return y\n")
    told = {line: places.surroundings(tree, line) for line in (1, 5, 8, 10)}
    assert told[1] == (range(1, 2), None)
    assert told[5] == (range(4, 7), range(4, 12))  # a default belongs to the head of its function
    assert told[8] == (range(7, 10), range(4, 12))
    assert told[10] == (range(10, 11), range(4, 12))


def test_the_tests_that_run_the_line_are_tried_or_else_those_of_the_function_or_the_file(every):
    bias = next(m for m in every if m.file == "ops/linear.py" and m.change == "Add to Sub")
    line = "linear_forward: out = out + b.astype(out.dtype)"
    lines = {line: [0], "linear_forward: if b is not None:": [1], "linear_backward: return 1": [2]}
    for known, names in ((3, ["a"]), (2, ["b"]), (1, []), (0, [])):
        told = {"ops/linear.py": dict(list(lines.items())[3 - known :])}
        assert Recorded(dict.fromkeys("abc", 1.0), told).tests_of(bias) == names


def test_the_quickest_tests_come_first_and_those_about_the_file_before_all_others(every):
    linear = next(m for m in every if m.file == "ops/linear.py")
    names = ["tests/test_x.py::a", "tests/test_linear.py::slow", "tests/test_linear.py::quick", "tests/test_x.py::b"]
    lines = {"ops/linear.py": {"linear_forward: if b is not None:": [0, 1, 2, 3]}}
    recorded = Recorded(dict(zip(names, (1.0, 3.0, 0.2, 9.0), strict=True)), lines)
    assert trial.stages(linear, recorded) == [[names[2]], [names[1]], [names[0], names[3]]]
    assert trial.stages(linear, recorded, budget=5.0) == [[names[2]], [names[1]], [names[0]]]
    nothing = Recorded(recorded.seconds)  # lines that run at import only: what is about the file
    assert trial.stages(linear, nothing) == [[names[2]], [names[1]]]


def test_every_file_has_tests():
    for part in mutants.PARTS:
        for path in (places.ROOT / "cbam_np" / part).rglob("*.py"):
            assert trial.tests_of(path.relative_to(places.ROOT / "cbam_np").as_posix())


@pytest.mark.slow
def test_a_mutant_is_killed_and_the_file_as_it_is_survives(every, tmp_path):
    bias = next(m for m in every if m.file == "ops/linear.py" and m.change == "Add to Sub")
    touched.record(places.ROOT / "tests" / "test_linear.py", tmp_path / "kept.json")
    told = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    recorded = Recorded(told["seconds"], told["lines"])
    with_bias, all_of_them = recorded.tests_of(bias), set(told["seconds"])
    assert any("test_known_numbers" in name for name in with_bias) and set(with_bias) < all_of_them
    with Copy(tmp_path / "copy") as copy:
        came = trial.try_mutant(bias, copy, recorded, {})
        assert came["came"] == "killed" and came["by"].startswith("tests/test_linear.py::")
        assert trial.try_mutant(bias._replace(place=-1), copy, recorded, {})["came"] == "survived"
        assert trial.try_mutant(bias, copy, recorded, dict.fromkeys(all_of_them, False))["came"] == "survived"
        loop = "import itertools\n\n\ndef test_it():\n    assert max(itertools.count()) < 0\n"
        (copy.folder / "tests" / "test_loop_for_ever.py").write_text(loop, encoding="utf-8")
        ended = copy.test(["tests/test_loop_for_ever.py"], {}, seconds=3)
        assert ended.status is None
        with pytest.raises(RuntimeError, match="none of these tests was found"):
            trial.run_tests(["tests/test_linear.py::test_that_is_not_there"], copy, 1.0)


def test_what_was_tried_is_read_and_survivors_are_tried_again_where_that_is_asked(every, tmp_path, monkeypatch):
    tried = []

    def attempt(mutant, copy, recorded, sound):
        tried.append(mutant)
        return {"came": "survived" if mutant.change == "Add to Sub" else "killed", "by": "", "tests": 1}

    monkeypatch.setattr(mutants, "try_mutant", attempt)
    monkeypatch.setattr(mutants, "Copy", lambda folder: SimpleNamespace(close=list))
    drawn = [m for m in every if m.file == "ops/linear.py"][:5]
    for again, count in ((False, 5), (False, 0), (True, 1)):
        tried.clear()
        found = mutants.run(drawn, tmp_path / "kept" / "tried.jsonl", None, again=again)
        assert len(tried) == count and [told["mutant"] for told in found] == [list(m) for m in drawn]


def test_the_score_and_what_is_equivalent(tmp_path):
    came = ["killed", "killed", "too slow", "survived", "survived"]
    found = [
        {"mutant": ["ops/x.py", at, 7, "Lt to LtE"], "change": (f"f: if {at} < 2:", f"if {at} <= 2:"), "came": each}
        for at, each in enumerate(came)
    ]
    known = {("ops/x.py", f"f: if {at} < 2:", f"if {at} <= 2:"): "it is no either way" for at in (0, 3)}
    judged = mutants.judged(found, known)
    assert [told["came"] for told in judged] == ["killed", "killed", "too slow", "equivalent", "survived"]
    page = mutants.markdown(judged, 0)
    assert "| ops | 5 | 2 | 1 | 1 | 1 | 75.0% |" in page
    assert "- `ops/x.py`, line 7, Lt to LtE: `if 4 <= 2:`" in page and "if 3" not in page
    mutants.keep(judged, 1, tmp_path)
    mutants.keep(judged[:2], 0, tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.index("## Seed 0") < text.index("| ops | 2 | 2 | 0 | 0 | 0 | 100.0% |") < text.index("## Seed 1")
    assert set(json.loads((tmp_path / "mutants.json").read_text(encoding="utf-8"))["seeds"]) == {"0", "1"}


def test_every_equivalent_mutant_is_one_and_has_its_reason():
    """What is kept must name a change that can be made, or a survivor is counted as nothing by mistake."""
    for told in json.loads(mutants.EQUIVALENT.read_text(encoding="utf-8")):
        text = (places.ROOT / "cbam_np" / told["file"]).read_text(encoding="utf-8")
        keys, function = places.keys_of(text), told["line"].partition(":")[0]
        at = [
            at
            for at, (node, change, _) in enumerate(places.places(ast.parse(text)))
            if change == told["change"] and keys[node.lineno - 1].partition(":")[0] == function
        ]
        made = (places.difference(places.Mutant(told["file"], place, 0, told["change"])) for place in at)
        assert (told["line"], told["becomes"]) in made, told
        assert len(told["why"]) > 10
