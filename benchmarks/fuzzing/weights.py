"""Files of weights: `.npz`, safetensors, and what PyTorch saves; whole, damaged, and made to mislead."""

import io
import pickle
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from cbam_np.cli.convert import read_tensors
from cbam_np.nn.weight_files import WeightsError, read_weights

from .draws import Draws, as_bytes, as_text
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

TYPES = ("<f4", "<f8", "<f2", "<i8", "|u1", "|b1")
ODD_TYPES = ("|O", "<U9999999", "|V1000000000", "<M8[s]", "<c16", "|S0", "[('a', '<f4'), ('b', '|O')]", "xx", ">f4", "")
SHAPES = (
    "(1000000, 1000000)",
    "(-1,)",
    "(2, 3",
    "()",
    "(0, 9223372036854775807)",
    "((((((2))))))",
    "1" * 400,
    "(1e9,)",
)


def make(draws: Draws) -> Case:
    """Draw arrays, write them in one of several ways, and damage the file."""
    arrays = {f"a{n}" if draws.chance(0.9) else draws.text(6) or "b": _array(draws) for n in range(1 + draws.below(3))}
    arrays = {
        name.encode("utf-8", "replace").decode().replace("/", "|").replace("\x00", "0") or "b": array
        for name, array in arrays.items()
    }
    kind = draws.one(["npz", "npz", "headers", "headers", "safetensors", "pth", "bomb"])
    if kind == "headers":
        return {"suffix": ".npz", "data": as_text(_misleading(draws, arrays))}
    if kind == "bomb":
        return {"suffix": ".npz", "data": as_text(_zeros(draws))}
    suffix, data = f".{kind}", _WRITERS[kind](draws, arrays)
    whole = draws.chance(0.2)
    if not whole:
        data = draws.damaged_bytes(data)
    kept = {name: [array.dtype.str, list(array.shape), as_text(array.tobytes())] for name, array in arrays.items()}
    return {"suffix": suffix, "data": as_text(data), "arrays": kept if whole or kind == "npz" else {}, "whole": whole}


def _array(draws: Draws) -> np.ndarray:
    shape = tuple(draws.below(4) for _ in range(draws.below(4)))
    return draws.rng.integers(0, 2, shape).astype(draws.one(TYPES))


def _npz(draws: Draws, arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", draws.one([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, array in arrays.items():
            archive.writestr(name + ".npy", _npy(array))
    return file.getvalue()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def _safetensors(draws: Draws, arrays: dict[str, np.ndarray]) -> bytes:
    return import_module("safetensors.numpy").save(arrays)


def _pth(draws: Draws, arrays: dict[str, np.ndarray]) -> bytes:
    torch, file = import_module("torch"), io.BytesIO()
    content: Any = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    content = draws.one([content, {"state_dict": content}, [content], {"epoch": 3}])
    if draws.chance(0.1):
        return pickle.dumps(content)
    torch.save(content, file, _use_new_zipfile_serialization=draws.chance(0.5))
    return file.getvalue()


_WRITERS = {"npz": _npz, "safetensors": _safetensors, "pth": _pth}


def _misleading(draws: Draws, arrays: dict[str, np.ndarray]) -> bytes:
    """Return a sound `.npz` whose arrays' headers say odd things."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            descr = repr(array.dtype.str) if draws.chance(0.5) else repr(draws.one(ODD_TYPES))
            shape = str(array.shape) if draws.chance(0.3) else draws.one(SHAPES)
            header = f"{{'descr': {descr}, 'fortran_order': {draws.one(['False', 'True', '7'])}, 'shape': {shape}, }}"
            if draws.chance(0.3):
                header = draws.damaged_text(header)
            if draws.chance(0.05):
                header = draws.one("([{-") * 9000
            start = b"\x93NUMPY" + draws.one([b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"])
            size = len(header).to_bytes(2 if start[6] == 1 else 4, "little")
            archive.writestr(name + ".npy", start + size + header.encode("utf-8", "replace") + array.tobytes())
    return file.getvalue()


def _zeros(draws: Draws) -> bytes:
    """Return a small file that unpacks into a large one, some of them with sizes that are lies."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", _npy(np.zeros(10 ** (3 + draws.below(5)), np.uint8)))
    data = bytearray(file.getvalue())
    if draws.chance(0.5):
        at = data.rfind(b"PK\x01\x02") + draws.one([20, 24])  # of the packed and the unpacked size
        data[at : at + 4] = draws.one([b"\xff\xff\xff\x7f", b"\x00\x00\x00\x40", b"\x01\x00\x00\x00"])
    return bytes(data)


def run(case: Case, folder: Path) -> str:
    """Read the file, and compare what was read with what was written."""
    path = folder / f"weights{case['suffix']}"
    path.write_bytes(as_bytes(case["data"]))
    found = read_tensors(import_module("torch"), path) if case["suffix"] == ".pth" else read_weights(path)
    demand(all(isinstance(array, np.ndarray) and not array.dtype.hasobject for array in found.values()), "no arrays")
    whole = case.get("whole", False)
    demand(not whole or case["suffix"] == ".pth" or found.keys() == case["arrays"].keys(), "other names were read")
    compared = 0
    for name, (kind, shape, content) in case.get("arrays", {}).items():
        if name in found and (whole or case["suffix"] == ".npz"):  # which has a checksum for each array
            written = np.frombuffer(as_bytes(content), kind).reshape(shape)
            demand(_same(found[name], written, case["suffix"]), f"{name} was read as something else than was written")
            compared += 1
    return RIGHT if compared else TAKEN


def _same(read: np.ndarray, written: np.ndarray, suffix: str) -> bool:
    """Tell whether arrays are the same; floats come from PyTorch's files as float32."""
    if suffix == ".pth":
        return read.shape == written.shape and np.array_equal(read, written)
    return read.dtype == written.dtype and read.shape == written.shape and read.tobytes() == written.tobytes()


ENTRANCE = Entrance(
    make, run, share=180, own=(WeightsError, ValueError, OSError, RuntimeError, EOFError, pickle.UnpicklingError)
)
