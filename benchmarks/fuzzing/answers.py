"""Answers: numbers, names, whole sheets, as a dict, CSV, JSON, TOML and notebooks."""

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import cbam_np
from cbam_np.teach.answers.notebooks import read_notebook
from cbam_np.teach.answers.numerals import AnswerError
from cbam_np.teach.calculation.trace import Trace
from cbam_np.teach.marking.submissions import read_folder
from cbam_np.teach.report.verdicts import SOUND

from .draws import Draws, as_bytes, as_text
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

KINDS = ("dict", "csv", "json", "toml", "notebook", "folder", "bytes")
PLACES = 4  # decimals, so many that a change by 1 is wrong everywhere


@lru_cache
def trace_of(example: str) -> Trace:
    """Return a trace of the lecture's, or a worksheet's."""
    return cbam_np.worksheet(int(example), "full").trace if example.isdigit() else cbam_np.lecture.trace(example)


@lru_cache
def right_answers(example: str) -> dict[str, str]:
    """Return every answer of a trace, as a student with a calculator would write it."""
    trace = trace_of(example)
    found = {}
    for step in trace:
        value = np.asarray(step.value, float)
        for at in np.ndindex(value.shape):
            name = f"{step.name}[{','.join(str(i + 1) for i in at)}]" if at else step.name
            found[name] = f"{value[at]:.{PLACES}f}"
    return found


def make(draws: Draws) -> Case:
    """Draw some right answers, and spoil some of them."""
    example = draws.one(["slides", "shared", "1", "2"])
    right = right_answers(example)
    names = draws.some(list(right), 6) or [draws.one(list(right))]
    pairs = [[name, right[name]] for name in names]
    case: Case = {"kind": draws.one(KINDS), "example": example, "spoiled": draws.one(["no", "value", "text", "text"])}
    if case["spoiled"] == "value":
        at = draws.below(len(pairs))
        pairs[at][1] = f"{float(pairs[at][1]) + draws.one([-7, 7]):.{PLACES}f}"
    elif case["spoiled"] == "text":
        for pair in pairs:
            if draws.chance(0.6):
                part = draws.below(2)
                pair[part] = draws.text(20) if draws.chance(0.4) else draws.damaged_text(pair[part])
    case |= {"pairs": pairs, "explained": draws.chance(0.2)}
    if case["kind"] == "dict" and case["spoiled"] == "text" and draws.chance(0.3):
        case["pairs"] = [[name, draws.odd_value()] for name, _ in pairs]
    if case["kind"] == "bytes":
        text = _written("csv", pairs) if draws.chance(0.5) else _written("json", pairs)
        case |= {"suffix": draws.one([".csv", ".json", ".toml", ".md", ".ipynb", ".xlsx"]), "spoiled": "text"}
        case["data"] = as_text(draws.damaged_bytes(text.encode("utf-8", "replace")))
    return case


def _written(kind: str, pairs: list[list[Any]]) -> str:
    """Return a file's text."""
    if kind in ("csv", "folder"):
        return "".join(f"{name};{answer}\n" for name, answer in pairs)
    if kind == "json":
        return json.dumps(dict(pairs))
    if kind == "toml":
        return "".join(f"{json.dumps(name)} = {json.dumps(str(answer))}\n" for name, answer in pairs)
    lines = [f"answers[{json.dumps(name)}] = {json.dumps(answer)}" for name, answer in pairs]
    return json.dumps({"cells": [{"cell_type": "code", "source": "\n".join(lines)}], "metadata": {}})


def run(case: Case, folder: Path) -> str:
    """Check the answers, and everything that a report can say of them."""
    trace, kind, pairs = trace_of(case["example"]), case["kind"], case["pairs"]
    given: Any = {name: answer for name, answer in pairs}
    if kind in ("csv", "json", "toml"):
        given = _kept(folder / f"answers.{kind}", _written(kind, pairs))
    elif kind == "notebook":
        given = read_notebook(_kept(folder / "answers.ipynb", _written(kind, pairs))).answers
    elif kind == "folder":
        _kept(folder / "worksheet-1.csv", _written(kind, pairs))
        found, unreadable = read_folder(folder)
        demand(len(found) + len(unreadable) >= 1, "a file was passed over in silence")
        given = found[0].answers if found else {}
    elif kind == "bytes":
        given = folder / f"answers{case['suffix']}"
        given.write_bytes(as_bytes(case["data"]))
    report = cbam_np.check(given, trace)
    if case["explained"]:  # the search for mistakes is what takes long
        told = json.loads(report.to_json())
        demand(isinstance(told, dict) and len(str(report)) > 0 and "<" in report._repr_html_(), "no words")
    verdicts = [judgement.verdict for judgement in report.judgements]
    if case["spoiled"] == "no":
        demand(len(verdicts) == len(pairs) and not report.unplaced, f"{len(pairs)} answers, judged: {verdicts}")
        demand(report.ok and all(verdict in SOUND for verdict in verdicts), f"right answers are {verdicts}")
        for judgement in report.judgements:
            demand(math.isclose(judgement.number.value, judgement.exact, abs_tol=1e-4), "another number was read")
        return RIGHT
    if case["spoiled"] == "value":
        demand(not report.ok, f"a wrong answer passed: {verdicts}")
        return RIGHT
    return TAKEN


def _kept(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return path


ENTRANCE = Entrance(make, run, share=120, own=(AnswerError,))
