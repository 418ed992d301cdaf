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
def written_whole(path: Path | str) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only once everything is on the disk.

    Until then it lies in the same folder under a name that nobody else has; a file that was there before stays as it
    is, also when the computer stops in the middle. Of two writers, the last one to finish wins.

    Parameters
    ----------
    path : Path or str
        What the file shall be called.

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
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{TEMPORARY}")
    try:
        with open(temporary, "xb") as file:  # x: a link that somebody planted there is not followed
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            before = "; what was there before is untouched" if path.exists() else ""
            raise OSError(f"cannot write {path}: {error.strerror or error}{before}") from error
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


def write_text(path: Path | str, text: str) -> None:
    """Write text as UTF-8, at once or not at all."""
    content = text.encode()
    with written_whole(path) as file:
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
