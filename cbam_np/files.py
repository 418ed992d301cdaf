"""Files that are whole or not there at all, and folders that can be written into."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

TEMPORARY = ".tmp"


@contextmanager
def written_whole(path: Path | str, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only once everything is written.

    Until then it lies in the same folder under a name that nobody else has; a file that was there before stays as it
    is, also when the computer stops in the middle. Of two writers, the last one to finish wins.

    Parameters
    ----------
    path : Path or str
        What the file shall be called.
    durable : bool
        Whether to wait until it is on the disk, so that it survives a power cut; what is easily made again need not.

    Yields
    ------
    file
        Open for writing bytes.

    Raises
    ------
    OSError
        If the file cannot be written; the message names it, the reason, and what is safe.
    """
    path = Path(path)
    with _said(path), _aside(path, durable) as file:
        yield file


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Say of an error of the system's which file could not be written, why, and what is safe."""
    try:
        yield
    except OSError as error:
        before = "; what was there before is untouched" if os.path.exists(path) else ""
        raise OSError(f"cannot write {path}: {error.strerror or error}{before}") from error


@contextmanager
def _aside(path: Path, durable: bool) -> Iterator[BinaryIO]:
    """Open a file beside the one that it shall replace."""
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        with open(path, "wb") as file:  # a pipe, or a device such as /dev/null, which must stay one
            yield file
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{TEMPORARY}")
    try:
        with open(temporary, "xb") as file:  # x: a link that somebody planted there is not followed
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(temporary, path)
        if durable:
            _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Bring a folder's new names to the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporaries(folder: Path) -> None:
    """Remove what writers left in a folder that were killed in the middle; for who alone may write there."""
    for path in folder.glob(f".*{TEMPORARY}"):
        with suppress(OSError):
            path.unlink()


def write_text(path: Path | str, text: str, durable: bool = True) -> None:
    """Write text as UTF-8, at once or not at all."""
    content = text.encode()
    with written_whole(path, durable) as file:
        file.write(content)


def write_json(path: Path | str, content: dict[str, Any]) -> None:
    """Write a dict as indented JSON; NaN and infinity, which JSON does not know, are refused."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def check_writable(folder: Path | str) -> None:
    """Make a folder and try to write into it, so that a run does not fail when its first results are there.

    Parameters
    ----------
    folder : Path or str
        The folder; made together with the folders above it where it is missing.

    Raises
    ------
    OSError
        If it cannot be made or written into; the message names it and the reason.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".can-write.{secrets.token_hex(6)}{TEMPORARY}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OSError(f"cannot write into {folder}: {error.strerror}; choose another folder") from error
