"""Checkpoints: arrays and what is to be known about them, in one `.npz` file that is whole or not there at all."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..files import written_whole
from ..nn.weight_files import DamagedError, WeightsError, read_npz

VERSION = 1
METADATA = "metadata"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says why, and what to do."""


def save_checkpoint(path: Path | str, arrays: dict[str, np.ndarray], metadata: dict[str, Any] | None = None) -> None:
    """Write arrays and metadata to one file, at once or not at all.

    The file is an ordinary `.npz`: `np.load(path)["metadata"]` shows the metadata, every other name an array.

    Parameters
    ----------
    path : Path or str
        Where.
    arrays : dict of str to ndarray
        What; "/" in a name is welcome.
    metadata : dict, optional
        Anything that JSON can hold.

    Raises
    ------
    ValueError
        If an array is of Python objects, or is called "metadata".
    OSError
        If the file cannot be written; what was there before is still there.
    """
    if METADATA in arrays:
        raise ValueError(f"an array is called {METADATA!r}, which is where the metadata go: choose another name")
    text = json.dumps({"version": VERSION} | (metadata or {}), ensure_ascii=False, allow_nan=False)
    with written_whole(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in {METADATA: np.array(text), **arrays}.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def load_checkpoint(path: Path | str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_checkpoint` wrote.

    Nothing in the file is run: pickled objects, which could run code, are refused.

    Parameters
    ----------
    path : Path or str
        Where.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays by name.
    metadata : dict
        The metadata, and the format's `version`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If the file is damaged, is no checkpoint, holds pickled objects, or is of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}: check the name, or train first")
    try:
        arrays = read_npz(path)
    except DamagedError as error:
        raise CheckpointError(
            f"{path} is no checkpoint, or only part of one ({error}): copy it again, or train again"
        ) from error
    except WeightsError as error:
        raise CheckpointError(str(error)) from error
    return arrays, _read_metadata(arrays, path)


def _read_metadata(arrays: dict[str, np.ndarray], path: Path) -> dict[str, Any]:
    """Take the metadata out of the arrays."""
    if METADATA not in arrays:
        raise CheckpointError(f"{path} has arrays but no metadata: it was not written by save_checkpoint")
    try:
        metadata = json.loads(str(arrays.pop(METADATA)))
    except (ValueError, RecursionError) as error:
        why = str(error)[:80]
        raise CheckpointError(f"{path} has metadata that cannot be understood ({why}): train again") from error
    if not isinstance(metadata, dict) or "version" not in metadata:
        raise CheckpointError(f"{path} has metadata that cannot be understood (no 'version'): train again")
    version = metadata["version"]
    if version != VERSION:
        raise CheckpointError(
            f"{path} is a checkpoint of version {str(version)[:20]}, expected {VERSION}: "
            "read it with the cbam_np that wrote it, or train again"
        )
    return metadata
