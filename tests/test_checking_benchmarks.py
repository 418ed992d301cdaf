"""The benchmarks of the checker's speed and of random numbers, small: they measure what they say."""

import json

from benchmarks import checking, guesses


def test_random_numbers_are_counted(tmp_path, capsys):
    guesses.main(["--numbers", "6", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "guesses.json").read_text(encoding="utf-8"))
    assert found["numbers"] == 6 and 0 <= found["explained"] <= 1 and found["CPU seconds"]["worst"] > 0
    assert sum(tries for _, tries in found["by step"].values()) == 6
    assert f"{found['explained']} of 6 are explained" in capsys.readouterr().out


def test_an_explained_number_is_noticed():
    unexplained, explained = guesses.Outcome("z_s", (), 0.0, 0.1), guesses.Outcome("z_s", ("a", "b"), 0.5, 0.3)
    found = guesses.summarise([unexplained, explained, unexplained, explained])
    assert found["share"] == 0.5 and found["said first"] == {"a": 2} and found["by step"] == {"z_s": [2, 4]}
    assert found["CPU seconds"] == {"median": 0.2, "worst": 0.3}


def test_times_are_measured_and_told():
    took = []
    cpu, wall = checking.timed(lambda: took.append(sum(range(1000))), repeats=4)
    assert len(took) == 4 and 0 <= cpu < 1 and 0 < wall
    row = {"cases": 2, "median CPU": 0.012, "worst CPU": 0.034, "median": 0.056, "worst": 0.078}
    assert "| a sheet | 2 | 12 (56) | 34 (78) |" in checking.told({"a sheet": row})


def test_what_is_timed_is_wrong_and_explained():
    """Fast on sheets without a mistake would be no feat."""
    reports = [work() for work, _ in zip(checking.lecture_sheets(), range(3), strict=False)]
    assert all("wrong" in report for report in reports)
    assert "wrong" in next(iter(checking.worksheets()))()
