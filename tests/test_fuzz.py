"""Hostile input: what once went wrong stays mended, a few new cases go through every entrance, and faults are seen."""

import json
from pathlib import Path

import pytest

from benchmarks import fuzz
from benchmarks.fuzzing import child, page
from benchmarks.fuzzing.entrance import REFUSED, RIGHT, TAKEN, Entrance, Fault, check_words, tried
from benchmarks.fuzzing.entrances import ENTRANCES

CORPUS = json.loads((Path(__file__).parent / "fuzz_corpus.json").read_text(encoding="utf-8"))
FEW = {"numbers": 60, "answers": 4, "pictures": 25, "weights": 25, "commands": 3, "runs": 6, "cifar": 6, "code": 1}


def needs(name, case=None):
    if name == "page":
        pytest.skip("the browser's tests look at the page") if not page.available() else None
    if name == "weights":
        pytest.importorskip("safetensors")
        if case is None or case["suffix"] == ".pth":
            pytest.importorskip("torch")


@pytest.mark.parametrize("kept", CORPUS, ids=lambda kept: f"{kept['entrance']}: {kept['was']}")
def test_what_once_went_wrong(kept, tmp_path):
    needs(kept["entrance"], kept["case"])
    assert tried(ENTRANCES[kept["entrance"]], kept["case"], tmp_path) in (REFUSED, TAKEN, RIGHT)


@pytest.mark.parametrize("name", FEW)
def test_a_few_cases_of_every_entrance(name, tmp_path):
    needs(name)
    for number in range(FEW[name]):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert tried(ENTRANCES[name], child.drawn(name, 99, number), folder) in (REFUSED, TAKEN, RIGHT)


def test_every_entrance_has_its_share():
    assert set(FEW) | {"page"} == set(ENTRANCES)
    assert sum(entrance.share for entrance in ENTRANCES.values()) == 1000
    blocks = fuzz.blocks_of(2000, list(ENTRANCES))
    assert sum(block.last - block.first for block in blocks) == 2000
    assert all(0 < block.last - block.first <= ENTRANCES[block.entrance].block for block in blocks)


def _planted(run, own=(ValueError,), seconds=5.0):
    return Entrance(lambda draws: {}, run, 1, own, seconds)


def _raise(error):
    raise error


def _loop(case, folder):
    while True:
        pass


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda case, folder: _raise(KeyError("x")), "outside: KeyError"),
        (lambda case, folder: _raise(ValueError("not raised by the package")), "not the package's own: ValueError"),
        (lambda case, folder: _raise(Fault("two and two are five")), "two and two are five"),
        (_loop, "more than 0.2 s of processor time"),
        (lambda case, folder: _raise(KeyboardInterrupt), "Ctrl-C"),
    ],
)
def test_planted_faults_are_seen(run, said):
    seconds = 0.2 if run is _loop else 60.0  # the others may share a busy process with threads that use up its time
    with pytest.raises(Fault, match=said):
        child.held_to_limits(_planted(run, seconds=seconds), {})


@pytest.mark.parametrize("text", ["", "[Errno 2] No such file", "'NoneType' object is not iterable", "x" * 5000])
def test_words_of_python_s_own_are_no_sentence(text):
    with pytest.raises(Fault, match="not a sentence for people"):
        check_words(text, "here")


def test_a_case_is_the_same_again():
    assert child.drawn("answers", 3, 17) == child.drawn("answers", 3, 17) != child.drawn("answers", 4, 17)


def test_what_was_done_is_not_done_again(tmp_path, monkeypatch):
    ran = []

    def run_block(block, seed):
        ran.append(block)
        return {"block": list(block), "came": {RIGHT: 2, REFUSED: 1}, "faults": [], "slowest": 0.5, "peak": 10**8}

    monkeypatch.setattr(fuzz, "run_block", run_block)
    blocks = [fuzz.Block("cifar", 0, 3), fuzz.Block("cifar", 3, 6)]
    kept = tmp_path / "kept" / "seed-0.jsonl"
    first = fuzz.run_blocks(blocks[:1], 0, 1, kept)
    both = fuzz.run_blocks(blocks, 0, 1, kept)
    assert ran == blocks and both[0] == first[0]
    rows = fuzz.summary(both)
    assert rows["cifar"]["cases"] == 6 and rows["cifar"]["came"] == {RIGHT: 4, REFUSED: 2}
    assert "| cifar | 6 | 100.0% | 2 | 4 | 4 | 0 | 0.50 | 100 |" in fuzz.markdown(rows, 0)


def test_a_process_that_dies_is_a_fault_of_the_case_it_was_at(monkeypatch):
    told = {"came": {}, "faults": [], "slowest": 0.0, "peak": 0}
    words = ["sh", "-c", """echo '{"at": 7}'; kill -9 $$"""]
    assert fuzz._follow(words, 5, told) == 8
    assert told["faults"] == [{"number": 7, "fault": "the process ended, -9"}]
