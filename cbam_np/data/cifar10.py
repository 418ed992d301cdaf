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
from pathlib import Path

import numpy as np

from .labelled import LabelledImages

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = ("test_batch.bin",)
RECORDS, RECORD = 10_000, 1 + 3 * 32 * 32  # records a file, bytes a record
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load_cifar10(root=None, download=True):
    """Load CIFAR-10 from disk, or download it once.

    Parameters
    ----------
    root : str or os.PathLike, optional
        Where the data lies: a place that holds the folder ``cifar-10-batches-bin`` or the archive
        ``cifar-10-binary.tar.gz``, or one of these two itself. Without it the loader looks under
        the environment variable ``CBAM_NP_DATA``, then in the user's cache, and if neither has
        the data it downloads the archive (170 MB) into the cache.
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
    """
    source = _find(root, download)
    read = _from_archive if source.is_file() else _from_folder
    records = {name: _records(where, content) for name, where, content in read(source)}
    missing = [name for name in TRAIN + TEST if name not in records]
    if missing:
        raise FileNotFoundError(
            f"{source} lacks {', '.join(missing)}: expected data_batch_1.bin to data_batch_5.bin "
            f"and test_batch.bin. Replace it by a whole copy of {URL}"
        )
    return _labelled(records, TRAIN), _labelled(records, TEST)


def _find(root, download):
    """Return the folder of the six files, or the archive, or download it."""
    if root is not None:
        source = _look(Path(root).expanduser())
        if source is None:
            raise FileNotFoundError(
                f"{root} does not hold CIFAR-10: expected the folder {FOLDER} or the archive "
                f"{ARCHIVE} in it. Get the archive (the binary version, not the Python one) from "
                f"{URL}, or leave root out to have it downloaded"
            )
        return source
    import pooch  # here, so that nothing but the cache and the download needs it

    cache = Path(pooch.os_cache("cbam_np"))
    named = os.environ.get("CBAM_NP_DATA")
    places = [Path(named).expanduser(), cache] if named else [cache]
    for place in places:
        source = _look(place)
        if source is not None:
            return source
    if not download:
        looked = " nor in ".join(map(str, places))
        raise FileNotFoundError(f"CIFAR-10 is not in {looked}: put {ARCHIVE} there, or let it be downloaded from {URL}")
    return _download(cache, places[0])


def _look(place):
    """Return what of CIFAR-10 lies in a place, or None."""
    for source in (place / FOLDER, place / ARCHIVE):
        if source.exists():
            return source
    if place.is_file() or any((place / name).exists() for name in TRAIN + TEST):
        return place
    return None


def _download(cache, place):
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


def _from_folder(folder):
    """Yield name, path and content of the files in a folder."""
    for name in TRAIN + TEST:
        if (folder / name).exists():
            yield name, folder / name, (folder / name).read_bytes()


def _from_archive(archive):
    """Yield name, path and content of the files in the archive, in its order: one pass."""
    wanted = {f"{FOLDER}/{name}": name for name in TRAIN + TEST}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if member.name in wanted and member.isfile():
                    content = tar.extractfile(member).read()
                    yield wanted[member.name], archive / member.name, content
            while tar.fileobj.read(2**20):  # to the end, where gzip keeps the checksum of the whole
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{archive} cannot be read to its end, byte {archive.stat().st_size} ({error}): it is damaged, cut short "
            f"or something else. Delete it and get {URL} again"
        ) from error


def _records(where, content):
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
    return records


def _labelled(records, names):
    """Join the records of some files to labelled images."""
    pixels = np.concatenate([records[name][:, 1:] for name in names])
    labels = np.concatenate([records[name][:, 0] for name in names]).astype(np.int64)
    return LabelledImages(pixels.reshape(-1, 3, 32, 32), labels, CLASSES)
