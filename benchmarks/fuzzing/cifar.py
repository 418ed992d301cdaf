"""CIFAR-10's files: as a folder, as an archive packed and unpacked; whole, damaged, and of another version."""

import io
import tarfile
from pathlib import Path
from unittest.mock import patch

import numpy as np

from cbam_np.data import cifar10

from .draws import Draws, as_bytes, as_text
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

RECORDS = 10  # in each file, so that a case takes no time
NAMES = cifar10.TRAIN + cifar10.TEST


def make(draws: Draws) -> Case:
    """Draw the six files, and damage one, or the archive, or how they are laid out."""
    damage = draws.one(["none", "file", "archive", "names", "missing", "twice"])
    files = {name: _records(draws) for name in NAMES}
    spoiled = draws.one(NAMES)
    if damage == "file":
        files[spoiled] = draws.damaged_bytes(files[spoiled])
    elif damage == "missing":
        del files[spoiled]
    elif damage == "twice":
        files[spoiled] = files[next(name for name in NAMES if name != spoiled)]
    folder = draws.one([cifar10.FOLDER, f"{cifar10.FOLDER}/{cifar10.FOLDER}", f"my data/{cifar10.FOLDER}", "."])
    archive = draws.one(["", "r:gz", "r:"]) if damage != "archive" else draws.one(["r:gz", "r:"])
    if damage == "names":
        folder = draws.one(["cifar-10-batches-py", "cifar", "\u202e"])
    if archive:
        data = _archive(files, cifar10.FOLDER if damage != "names" else folder, packed=archive == "r:gz")
        if damage == "archive":
            data = draws.damaged_bytes(data)
        laid = {"cifar-10-binary.tar.gz" if draws.chance(0.5) else "cifar-10-binary.tar": as_text(data)}
    else:
        laid = {f"{folder}/{name}": as_text(content) for name, content in files.items()}
    written = {name: as_text(content) for name, content in files.items()} if damage in ("none", "archive") else {}
    return {"laid": laid, "root": draws.one([".", *list(laid)[:1]]), "files": written, "damage": damage}


def _records(draws: Draws) -> bytes:
    records = draws.rng.integers(0, 256, (RECORDS, cifar10.RECORD), dtype=np.uint8)
    records[:, 0] = draws.rng.permutation(10)
    return records.tobytes()


def _archive(files: dict[str, bytes], folder: str, packed: bool) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz" if packed else "w") as tar:
        for name, content in files.items():
            about = tarfile.TarInfo(f"{folder}/{name}")
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return file.getvalue()


def run(case: Case, folder: Path) -> str:
    """Load the data set, and compare it with what was written."""
    for name, content in case["laid"].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(as_bytes(content))
    with patch.object(cifar10, "RECORDS", RECORDS):
        train, test = cifar10.load_cifar10(folder / case["root"], download=False)
    demand(train.images.shape == (5 * RECORDS, 3, 32, 32) and len(test) == RECORDS, f"{train.images.shape}")
    if not case["files"]:
        return TAKEN
    for name, images, labels in (
        (cifar10.TRAIN[1], train.images[RECORDS : 2 * RECORDS], train.labels[RECORDS : 2 * RECORDS]),
        (cifar10.TEST[0], test.images, test.labels),
    ):
        records = np.frombuffer(as_bytes(case["files"][name]), np.uint8).reshape(RECORDS, -1)
        same = np.array_equal(images.reshape(RECORDS, -1), records[:, 1:]) and np.array_equal(labels, records[:, 0])
        demand(same or (case["damage"] == "archive" and _is_unpacked(case)), f"{name} was read as something else")
    return RIGHT


def _is_unpacked(case: Case) -> bool:
    """Tell whether the archive is one without a checksum, in which damaged pixels look like any others."""
    return not as_bytes(next(iter(case["laid"].values()))).startswith(b"\x1f\x8b")


ENTRANCE = Entrance(make, run, share=82, own=(ValueError, FileNotFoundError))
