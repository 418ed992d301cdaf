"""Weights from files: `.npz` and safetensors, neither of which can run code."""

import math
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

PICKLES = (".pth", ".pt", ".pkl", ".tar", ".ckpt", ".bin")
TYPES = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")  # NumPy's, by safetensors
UNSUSPICIOUS = 2**28  # bytes that any file may unpack into
MOST_PACKED = 50  # times its own size, for a file that unpacks into more; floats are hardly packed at all
OF_A_ZIP: tuple[type[Exception], ...] = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)
with suppress(ModuleNotFoundError):  # in a browser, and in a Python that was built without it
    from lzma import LZMAError

    OF_A_ZIP = (*OF_A_ZIP, LZMAError)
MOST_AXES = 64  # of an array, in NumPy
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

    What an array says of its size is compared with what the file holds before any memory is taken for it.

    Raises
    ------
    WeightsError
        If an array is pickled, or no array, or larger than what is there of it; as a DamagedError if the file is no
        `.npz`, or only part of one.
    """
    with open(path, "rb") as file:  # so that an OSError further on is the content's
        try:
            with zipfile.ZipFile(file) as archive:
                _check_members(archive, path)
                return {m.filename.removesuffix(".npy"): _read_member(archive, m, path) for m in archive.infolist()}
        except WeightsError:
            raise
        except OSError as error:
            raise DamagedError(error.strerror or str(error)) from error
        except Exception as error:  # zipfile complains of damage in many ways
            raise DamagedError(_short(str(error) or type(error).__name__)) from error


def _check_members(archive: zipfile.ZipFile, path: str | PathLike[str]) -> None:
    """Raise a WeightsError for pickles, and for a small file that unpacks into a very large one."""
    members = archive.infolist()
    if any(member.filename.endswith("data.pkl") for member in members):
        raise WeightsError(f"{path} holds a pickle, which runs code when it is loaded: {CONVERT}")
    packed, unpacked = Path(path).stat().st_size, sum(member.file_size for member in members)
    if unpacked > max(UNSUSPICIOUS, MOST_PACKED * packed):
        raise WeightsError(
            f"{path} has {packed} bytes that unpack into {unpacked}, more than weights ever do: it is damaged, or "
            "meant to fill your memory. Get it from somewhere else"
        )


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str | PathLike[str]) -> np.ndarray:
    """Return an array of a `.npz`, after its header has been compared with its size."""
    name = member.filename.removesuffix(".npy")
    try:
        with archive.open(member) as content:
            shape, dtype = _read_header(content)
            left = member.file_size - content.tell()
        if dtype.hasobject:
            raise ValueError("it holds pickled Python objects")
        if math.prod(shape) * dtype.itemsize != left:
            raise ValueError(f"its header says {_short(dtype)} of shape {_short(shape)}, but {left} bytes follow")
        with archive.open(member) as content:
            return np.lib.format.read_array(content, allow_pickle=False)
    except ValueError as error:
        raise WeightsError(f"{path}: {_short(name)!r} cannot be read safely ({_short(error)})") from error


def _read_header(content: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Return what the header of a `.npy` says."""
    try:
        version = np.lib.format.read_magic(content)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names in old encodings
            shape, _, dtype = read(content)
    except OF_A_ZIP:
        raise
    except Exception as error:  # NumPy complains of odd headers in many ways, some of them about its own insides
        raise ValueError("it has no header of an array") from error
    if min(shape, default=0) < 0 or len(shape) > MOST_AXES:
        raise ValueError(f"its header says shape {_short(shape)}")
    return shape, dtype


def _short(what: object, most: int = 80) -> str:
    """Return what something is called, cut where it is long."""
    text = str(what)
    return text if len(text) <= most else f"{text[:most]}…"


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise ImportError(f"{path} needs the package safetensors: python -m pip install safetensors") from error
    try:
        with safe_open(path, framework="numpy") as file:
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 it is no dict
            strange = sorted({kind for kind in kinds.values() if kind not in TYPES})
            if strange:
                raise WeightsError(f"{path} holds {', '.join(strange)}, which is not read here: save it as float32")
            return {name: file.get_tensor(name) for name in kinds}
    except (SafetensorError, OSError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged, or only part of a file ({error}): copy it again") from error
