"""CIFAR-10: 60,000 small photographs in ten classes, from the official binary archive.

The archive holds six files of 10,000 records. A record is 3,073 bytes: the label, then 1,024 red
pixels, 1,024 green and 1,024 blue, row by row. The loader looks for the files on disk, then
downloads the archive. It reads members out of the archive without unpacking it, and never reads
the Python version of the data set: that is a pickle, and loading a pickle runs code.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import gzip
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .labelled import LabelledImages

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = ("test_batch.bin",)
PICKLE, ZIP = b"\x80", b"PK"  # how such files begin
OTHERS = ("cifar-10-batches-py", "cifar-10-python.tar.gz", "cifar-10-python.tar", "cifar-10-matlab.tar.gz")
RECORDS, RECORD = 10_000, 1 + 3 * 32 * 32  # records a file, bytes a record
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


Read = Iterator[tuple[str, Path, bytes]]  # name, path and content of each of the six files


def load_cifar10(
    root: str | os.PathLike[str] | None = None, download: bool = True
) -> tuple[LabelledImages, LabelledImages]:
    """Load CIFAR-10 from disk, or download it once.

    Parameters
    ----------
    root : str or os.PathLike, optional
        Where the data is: a folder that holds the folder ``cifar-10-batches-bin`` or the archive
        ``cifar-10-binary.tar.gz`` (unpacked to ``.tar`` will do), or one of these itself. Without it the
        loader looks in the folder that the environment variable ``CBAM_NP_DATA`` names, then in the user's
        cache, and if neither has the data it downloads the archive (170 MB) into the cache.
    download : bool
        Whether it may.

    Returns
    -------
    train, test : LabelledImages
        50,000 and 10,000 images, uint8 (N, 3, 32, 32), in the order of the files.

    Raises
    ------
    FileNotFoundError
        If `root` is given and holds neither folder nor archive, a file of the six is missing, or nothing was found
        and may not be downloaded.
    ConnectionError
        If the archive has to be downloaded and cannot be.
    ValueError
        If a file is cut short or not what it should be: the message names the file and the byte.

    Examples
    --------
    With the data on the disk, or a connection::

        train, test = load_cifar10()
        train.images.shape, train.classes[train.labels[0]]

    Where there is neither, the message says what to do:

    >>> load_cifar10("no/such/folder")
    Traceback (most recent call last):
        ...
    FileNotFoundError: no/such/folder does not hold CIFAR-10: expected the folder cifar-10-batches-bin or ...
    """
    source = _find(root, download)
    read: Callable[[Path], Read] = _from_archive if source.is_file() else _from_folder
    records = {name: _records(where, content) for name, where, content in read(source)}
    missing = [name for name in TRAIN + TEST if name not in records]
    _check_different(source, records)
    if missing:
        raise FileNotFoundError(
            f"{source} lacks {', '.join(missing)}: expected data_batch_1.bin to data_batch_5.bin "
            f"and test_batch.bin. Replace it by a whole copy of {URL}"
        )
    return _labelled(records, TRAIN), _labelled(records, TEST)


def _find(root: str | os.PathLike[str] | None, download: bool) -> Path:
    """Return the folder of the six files, or the archive, or download it."""
    if root is not None:
        place = Path(root).expanduser()
        source = _look(place)
        if source is None:
            _refuse_other_versions(place)
            raise FileNotFoundError(
                f"{root} does not hold CIFAR-10: expected the folder {FOLDER} or the archive "
                f"{ARCHIVE} in it. Get the archive (the binary version, not the Python one) from "
                f"{URL}, or leave root out to have it downloaded"
            )
        return source
    cache = _cache()
    named = os.environ.get("CBAM_NP_DATA")
    places = [place for place in (named and Path(named).expanduser(), cache) if place]
    for place in places:
        source = _look(place)
        if source is not None:
            return source
    for place in places:
        _refuse_other_versions(place)
    if cache is None:
        raise FileNotFoundError(
            f"CIFAR-10 is not here, and pooch is not installed to download it: pip install pooch, or put {ARCHIVE} "
            "into a folder and name the folder in $CBAM_NP_DATA"
        )
    if not download:
        looked = " nor in ".join(map(str, places))
        raise FileNotFoundError(f"CIFAR-10 is not in {looked}: put {ARCHIVE} there, or let it be downloaded from {URL}")
    return _download(cache, places[0])


def _cache() -> Path | None:
    """Return where downloads are kept; None where pooch, which knows, is not installed, as in a browser."""
    try:
        import pooch
    except ModuleNotFoundError:
        return None
    return Path(pooch.os_cache("cbam_np"))


def _look(place: Path) -> Path | None:
    """Return what of CIFAR-10 is in a place, or None; unpacking often makes a folder in a folder."""
    if place.is_file():
        return place.parent if place.name in TRAIN + TEST else place
    for source in (
        place / FOLDER / FOLDER,
        place / FOLDER,
        place / ARCHIVE,
        place / ARCHIVE.removesuffix(".gz"),
        place,
    ):
        if source.is_file() or any((source / name).exists() for name in TRAIN + TEST):
            return source
    inside = sorted(place.glob(f"*/{FOLDER}"))
    return inside[0] if inside else place / FOLDER if (place / FOLDER).is_dir() else None


def _refuse_other_versions(place: Path) -> None:
    """Raise a FileNotFoundError where there is CIFAR-10 in another version, and say which one to get."""
    for name in OTHERS:
        if place.name == name or (place / name).exists():
            raise FileNotFoundError(_other_version(place if place.name == name else place / name))


def _other_version(where: Path) -> str:
    return (
        f"{where} is CIFAR-10 in its Python or Matlab version, which is not read here (loading a pickle runs code): "
        f"get the binary version, {ARCHIVE}, from {URL}"
    )


def _download(cache: Path, place: Path) -> Path:
    """Download the official archive into the cache and return its path."""
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=True, timeout=30, chunk_size=2**17)
    instead = (
        f"download {URL} elsewhere and put the archive, or the folder {FOLDER} out of it, into "
        f"{place}; or do without it: make_shapes(), --data shapes, draws a data set by program"
    )
    try:
        return Path(pooch.retrieve(URL, f"sha256:{SHA256}", ARCHIVE, cache, downloader=downloader))
    except ValueError as error:
        raise ValueError(
            f"what came from {URL} is not the official archive ({error}): a proxy or a sign-in "
            f"page may have answered in its place. Try again; or {instead}"
        ) from error
    except OSError as error:
        raise ConnectionError(
            f"CIFAR-10 could not be downloaded from {URL} into {cache} ({error}): connect and try again; or {instead}"
        ) from error


def _from_folder(folder: Path) -> Read:
    """Yield name, path and content of the files in a folder."""
    for name in TRAIN + TEST:
        if (folder / name).exists():
            yield name, folder / name, (folder / name).read_bytes()


def _from_archive(archive: Path) -> Read:
    """Yield name, path and content of the files in the archive, in its order: one pass."""
    wanted = {f"{FOLDER}/{name}": name for name in TRAIN + TEST}
    with open(archive, "rb") as file:
        start = file.read(2)
    packed = start == b"\x1f\x8b"
    if start[:1] == PICKLE:
        raise FileNotFoundError(_other_version(archive))
    if start == ZIP:
        raise ValueError(f"{archive} is a zip archive, which is not read here: unpack it, and name the folder")
    try:
        with tarfile.open(archive, "r:gz" if packed else "r:") as tar:
            for member in tar:
                if member.name.startswith(("cifar-10-batches-py", "cifar-10-batches-mat")):
                    raise FileNotFoundError(_other_version(archive))
                content = tar.extractfile(member) if member.isfile() else None
                if member.name.removeprefix("./") in wanted and content is not None:
                    name = member.name.removeprefix("./")
                    yield wanted[name], archive / name, content.read()
            while packed and tar.fileobj is not None and tar.fileobj.read(2**20):
                pass  # to the end, where gzip keeps the checksum of the whole
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{archive} cannot be read to its end, byte {archive.stat().st_size} ({error}): it is damaged, cut short "
            f"or something else. Get {ARCHIVE} again from {URL}"
        ) from error


def _records(where: Path, content: bytes) -> np.ndarray:
    """Return the records of one file, uint8 (10000, 3073), once they are known to be sound."""
    again = f"Replace it by the file out of {URL}"
    if len(content) != RECORDS * RECORD:
        raise ValueError(
            f"{where} ends at byte {len(content)}, expected {RECORDS * RECORD}: {RECORDS} records "
            f"of {RECORD} bytes. {again}"
        )
    records = np.frombuffer(content, np.uint8).reshape(RECORDS, RECORD)
    wrong = np.flatnonzero(records[:, 0] >= len(CLASSES))
    if wrong.size:
        raise ValueError(
            f"{where} has the label {records[wrong[0], 0]} at byte {wrong[0] * RECORD} (record "
            f"{wrong[0]}), expected 0 to 9: the file is damaged or something else. {again}"
        )
    if (records[:, 0] == records[0, 0]).all():
        raise ValueError(
            f"{where} has the label {records[0, 0]} in every record, where CIFAR-10 has all ten: the file is damaged "
            f"or something else. {again}"
        )
    return records


def _check_different(source: Path, records: dict[str, np.ndarray]) -> None:
    """Raise a ValueError where a file is there twice, under two names."""
    seen: dict[int, str] = {}
    for name, content in records.items():
        first = seen.setdefault(zlib.crc32(content.tobytes()), name)
        if first != name:
            raise ValueError(
                f"{source}: {name} and {first} are the same file under two names: take all six out of {URL} again"
            )


def _labelled(records: dict[str, np.ndarray], names: tuple[str, ...]) -> LabelledImages:
    """Join the records of some files to labelled images."""
    pixels = np.concatenate([records[name][:, 1:] for name in names])
    labels = np.concatenate([records[name][:, 0] for name in names]).astype(np.int64)
    return LabelledImages(pixels.reshape(-1, 3, 32, 32), labels, CLASSES)
