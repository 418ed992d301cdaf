"""Folders of runs: checkpoints, histories and results that somebody or something has changed."""

import io
import json
import shutil
import zipfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import numpy as np

from cbam_np.train import Recipe, Settings, load_model, prepare
from cbam_np.train import run as run_module
from cbam_np.train.checkpoint import CheckpointError, load_checkpoint
from cbam_np.train.run import read_settings
from cbam_np.train.state import Diverged, Training

from .draws import Draws, as_bytes, as_text
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

SHAPES = {"train": (40, (0, 0)), "test": (10, (0, 1))}
SMALL = Settings(recipe=Recipe(epochs=2, batch_size=16, augment="none"), channels=(4,), attention="se", reduction=2)
FILES = ("checkpoint.npz", "result.json", "history.json")


@lru_cache
def folders() -> dict[str, dict[str, bytes]]:
    """Return the files of a run that was finished, and of one that was stopped after a step."""
    found = {}
    with patch.object(run_module, "SHAPES", SHAPES):
        for name in ("finished", "stopped"):
            folder = Path(mkdtemp())
            taken = Training.take_step

            def step(self: Training, name: str = name, taken: Any = taken) -> None:
                taken(self)
                if name == "stopped":
                    self.save(folder)  # noqa: B023 called within this turn of the loop
                    raise KeyboardInterrupt

            with patch.object(Training, "take_step", step), suppress(KeyboardInterrupt):
                prepare(SMALL, folder).finish(progress=False)
            found[name] = {file: (folder / file).read_bytes() for file in FILES if (folder / file).exists()}
            shutil.rmtree(folder)
    return found


def make(draws: Draws) -> Case:
    """Take a run, and change one of its files."""
    name = draws.one(list(folders()))
    files = folders()[name]
    kind = draws.one(["whole", "bytes", "metadata", "metadata", "arrays", "json"])
    file = draws.one([f for f in files if f != "checkpoint.npz"]) if kind == "json" else "checkpoint.npz"
    case: Case = {"from": name, "file": file, "kind": kind}
    if kind == "bytes":
        case["data"] = as_text(draws.damaged_bytes(files[file]))
    elif kind == "json":
        data = json.dumps(draws.damaged_data(json.loads(files[file])))
        case["data"] = as_text((draws.damaged_text(data) if draws.chance(0.3) else data).encode("utf-8", "replace"))
    elif kind in ("metadata", "arrays"):
        case["data"] = as_text(_changed(draws, files[file], kind))
    return case


def _changed(draws: Draws, checkpoint: bytes, kind: str) -> bytes:
    """Return a checkpoint with other metadata, or other arrays."""
    arrays: dict[str, Any] = dict(np.load(io.BytesIO(checkpoint)))
    if kind == "metadata":
        text = json.dumps(draws.damaged_data(json.loads(str(arrays["metadata"]))))
        arrays["metadata"] = np.array(draws.one([text, text, text, draws.damaged_text(text), "[" * 50_000]))
    else:
        name = draws.one(list(arrays))
        array = arrays.pop(name)
        changes = [
            array.reshape(-1)[1:],
            array.astype("<U9"),
            np.zeros((*array.shape, 2)),
            np.full(array.shape, np.nan) if array.dtype.kind == "f" else array[..., None],
            np.array(7),
            None,
        ]
        change = draws.one(changes)
        if change is not None:
            arrays[name] = change
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    return file.getvalue()


@lru_cache
def _truth() -> dict[str, bytes]:
    arrays = np.load(io.BytesIO(folders()["finished"]["checkpoint.npz"]))
    return {name: array.tobytes() for name, array in arrays.items() if name != "metadata"}


def run(case: Case, folder: Path) -> str:
    """Read the run, go on with it, and compare its end with the undisturbed one."""
    for name, content in folders()[case["from"]].items():
        (folder / name).write_bytes(content)
    if "data" in case:
        (folder / case["file"]).write_bytes(as_bytes(case["data"]))
    with patch.object(run_module, "SHAPES", SHAPES):
        settings = read_settings(folder)
        load_model(folder)
        result = prepare(settings, folder, resume=True).finish(progress=False)
    for name in ("epochs", "test_accuracy", "images_per_second"):
        demand(
            isinstance(result[name], int | float) and not isinstance(result[name], bool), f"{name} is {result[name]}"
        )
    if case["kind"] in ("whole", "json"):
        arrays, _ = load_checkpoint(folder / "checkpoint.npz")
        demand({name: a.tobytes() for name, a in arrays.items()} == _truth(), "the run ended somewhere else")
        return RIGHT
    return TAKEN


ENTRANCE = Entrance(make, run, share=50, own=(CheckpointError, Diverged, OSError, ValueError))
