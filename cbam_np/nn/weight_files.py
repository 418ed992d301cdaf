"""Weights from files: `.npz` and safetensors, neither of which can run code."""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

PICKLES = (".pth", ".pt", ".pkl", ".tar", ".ckpt", ".bin")
CONVERT = "turn it into a safe file with cbam-np convert, where PyTorch is installed"


class WeightsError(ValueError):
    """A file of weights that cannot be used; the message says why, and what to do."""


class DamagedError(WeightsError):
    """A file that is no `.npz`, or only part of one; the message is what was noticed."""


def in_groups(names: Iterable[str], most: int = 6) -> str:
    """Return many names in a few words: by the parts of a network that they are in, with how many there are."""
    names = list(names)
    if len(names) <= most:
        return ", ".join(names)
    found: Counter[str] = Counter()
    for depth in range(1, 6):
        groups = Counter(".".join(name.split(".")[:depth]) for name in names)
        if found and len(groups) > most:
            break
        found = groups
    shown = [group if group in names else f"{group}.* ({count})" for group, count in list(found.items())[:most]]
    more = f", and {len(found) - most} more groups" if len(found) > most else ""
    return ", ".join(shown) + more


def without_prefix(arrays: Mapping[str, Any], parts: Iterable[str]) -> dict[str, Any]:
    """Return arrays with what all names begin with cut off, such as `module.` or `_orig_mod.model.`.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        By name.
    parts : iterable of str
        What names begin with in the network itself.
    """
    known = set(parts)
    named = dict(arrays)
    while named and len({name.split(".")[0] for name in named}) == 1:
        first = next(iter(named)).split(".")[0]
        if first in known or any("." not in name for name in named):
            break
        named = {name.partition(".")[2]: array for name, array in named.items()}
    return named


def read_weights(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """Read all arrays of a file.

    Parameters
    ----------
    path : Path or str
        A `.npz` or `.safetensors` file.

    Returns
    -------
    dict of str to ndarray
        The arrays by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    WeightsError
        If the file is damaged, of another kind, or holds pickled objects, which could run code.
    ImportError
        If it is a safetensors file and the package safetensors is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}: check the name")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    with open(path, "rb") as file:
        start = file.read(4)
    if path.suffix in PICKLES or start[:2] == b"\x80\x02":
        raise WeightsError(f"{path} is a pickle, which runs code when it is loaded: {CONVERT}")
    if start[:2] != b"PK":
        raise WeightsError(f"{path} is neither a .npz nor a .safetensors file; if PyTorch wrote it, {CONVERT}")
    try:
        return read_npz(path)
    except DamagedError as error:
        raise WeightsError(f"{path} is damaged, or only part of a file ({error}): copy it again") from error


def read_npz(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """Read the arrays of a `.npz`, every byte checked against the file's own checksums.

    Raises
    ------
    WeightsError
        If an array is pickled, or no array; as a DamagedError if the file is no `.npz`, or only part of one.
    """
    with open(path, "rb") as file:  # so that an OSError further on is the content's
        try:
            return _read_members(file, path)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise DamagedError(str(error)) from error


def _read_members(file: IO[bytes], path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of a `.npz` by name; `path` is what messages call it."""
    arrays = {}
    with zipfile.ZipFile(file) as archive:
        if any(member.endswith("data.pkl") for member in archive.namelist()):
            raise WeightsError(f"{path} holds a pickle, which runs code when it is loaded: {CONVERT}")
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            with archive.open(member) as content:
                try:
                    arrays[name] = np.lib.format.read_array(content, allow_pickle=False)
                except ValueError as error:  # of NumPy's format: objects, or bytes that are no array
                    raise WeightsError(f"{path}: {name!r} cannot be read safely ({error})") from error
    return arrays


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise ImportError(f"{path} needs the package safetensors: python -m pip install safetensors") from error
    try:
        with safe_open(path, framework="numpy") as file:
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 it is no dict
            strange = sorted({kind for kind in kinds.values() if kind.startswith(("BF", "F8"))})
            if strange:
                raise WeightsError(f"{path} holds {', '.join(strange)}, which NumPy does not have: save it as float32")
            return {name: file.get_tensor(name) for name in kinds}
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged, or only part of a file ({error}): copy it again") from error
