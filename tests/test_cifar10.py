"""The loader on files made here, of the official size but nearly all zeros, which cost almost no disk or time."""

import gzip
import io
import os
import pickle
import socket
import tarfile

import numpy as np
import pooch
import pytest
import requests

from cbam_np.data import cifar10, load_cifar10

NAMES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
FOLDER, ARCHIVE = "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIZE = 10_000 * 3_073
WRITTEN = (0, 1, 4_999, 9_999)  # the records that are not zeros


def record(file, place):
    """The label and the pixels that the files made here have at a place: (int, uint8 (3, 32, 32))."""
    rng = np.random.default_rng([file, place])
    return int(rng.integers(1, 10)), rng.integers(256, size=(3, 32, 32), dtype=np.uint8)


@pytest.fixture(scope="session")
def official(tmp_path_factory):
    """A place with the folder of six files."""
    place = tmp_path_factory.mktemp("official")
    (place / FOLDER).mkdir()
    for file, name in enumerate(NAMES):
        with (place / FOLDER / name).open("wb") as out:
            out.truncate(SIZE)  # zeros that take no room on the disk
            for at in WRITTEN:
                label, pixels = record(file, at)
                out.seek(at * 3_073)
                out.write(bytes([label]) + pixels.tobytes())
    return place


@pytest.fixture(scope="session")
def archived(official, tmp_path_factory):
    """A place with the archive, its members in a mixed order as in the official one, among others."""
    place = tmp_path_factory.mktemp("archived")
    (place / "readme.html").write_text("")
    with tarfile.open(place / ARCHIVE, "w:gz", compresslevel=1) as tar:
        for name in [NAMES[0], NAMES[3], NAMES[5], *NAMES[1:3], NAMES[4]]:
            tar.add(official / FOLDER / name, f"{FOLDER}/{name}")
        tar.add(place / "readme.html", "../escaped.html")
    return place


@pytest.fixture
def copy(official, tmp_path):
    """A place of one test, to do damage in: links to the official files, which a test may replace."""
    (tmp_path / FOLDER).mkdir()
    for name in NAMES:
        (tmp_path / FOLDER / name).symlink_to(official / FOLDER / name)
    return tmp_path


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """An empty cache, no CBAM_NP_DATA, and no way out to the network."""

    def no_network(*args, **kwargs):
        raise AssertionError("a test tried to reach the network")

    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(pooch, "os_cache", lambda project: cache / project)
    monkeypatch.delenv("CBAM_NP_DATA", raising=False)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    return cache / "cbam_np"


def replaced(path, content):
    """Put a file in the place of a link."""
    path.unlink()
    path.write_bytes(content)


def files_below(*places):
    return sorted(path for place in places for path in place.rglob("*"))


def is_official(train, test):
    """Whether these are the images of the files made here, each at its place."""
    for file in range(6):
        data, start = (train, 10_000 * file) if file < 5 else (test, 0)
        for at in WRITTEN:
            label, pixels = record(file, at)
            if data.labels[start + at] != label or not np.array_equal(data.images[start + at], pixels):
                return False
    return np.count_nonzero(train.labels) == 20 and np.count_nonzero(test.labels) == 4


# --- Where it looks ---


def test_the_folder_is_found_in_a_place(official):
    assert is_official(*load_cifar10(official))


def test_the_place_may_be_the_folder_itself(official):
    assert is_official(*load_cifar10(str(official / FOLDER)))


def test_the_archive_is_found_in_a_place_and_nothing_is_written(archived, cache):
    before = files_below(archived.parent)
    assert is_official(*load_cifar10(archived))
    assert files_below(archived.parent) == before
    assert not cache.exists()


def test_the_place_may_be_the_archive_itself(archived):
    assert is_official(*load_cifar10(archived / ARCHIVE))


def test_the_home_folder_may_be_written_as_a_tilde(official, monkeypatch):
    monkeypatch.setenv("HOME", str(official))
    monkeypatch.setenv("USERPROFILE", str(official))
    assert is_official(*load_cifar10("~"))


def test_the_variable_names_a_place(official, monkeypatch):
    monkeypatch.setenv("CBAM_NP_DATA", str(official))
    assert is_official(*load_cifar10())


def test_the_cache_is_a_place(archived, cache):
    cache.mkdir()
    (cache / ARCHIVE).symlink_to(archived / ARCHIVE)
    assert is_official(*load_cifar10())


def test_the_cache_comes_after_the_variable(official, cache, monkeypatch, tmp_path):
    cache.mkdir()
    (cache / ARCHIVE).write_text("not an archive")
    monkeypatch.setenv("CBAM_NP_DATA", str(official))
    assert is_official(*load_cifar10())
    monkeypatch.setenv("CBAM_NP_DATA", str(tmp_path))  # nothing there
    with pytest.raises(ValueError, match="cannot be read"):
        load_cifar10()


def test_root_comes_first(official, monkeypatch, tmp_path):
    (tmp_path / ARCHIVE).write_text("not an archive")
    monkeypatch.setenv("CBAM_NP_DATA", str(tmp_path))
    assert is_official(*load_cifar10(official))


# --- What comes out ---


def test_arrays_are_as_promised(official):
    train, test = load_cifar10(official)
    for data, count in ((train, 50_000), (test, 10_000)):
        assert data.images.shape == (count, 3, 32, 32) and data.images.dtype == np.uint8
        assert data.images.flags.c_contiguous
        assert data.labels.shape == (count,) and data.labels.dtype == np.int64
        assert data.masks is None
        assert data.classes == CLASSES


# --- What is missing ---


def test_a_root_without_data_is_an_error_and_not_a_download(tmp_path, cache):
    with pytest.raises(FileNotFoundError) as caught:
        load_cifar10(tmp_path)
    for part in (
        str(tmp_path),
        f"expected the folder {FOLDER} or the archive {ARCHIVE}",
        cifar10.URL,
        "leave root out",
    ):
        assert part in str(caught.value)
    assert not cache.exists()


@pytest.mark.parametrize("name", [NAMES[0], NAMES[4], NAMES[5]])
def test_a_missing_file_is_named(copy, name):
    (copy / FOLDER / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{FOLDER} lacks {name}: expected data_batch_1\.bin to"):
        load_cifar10(copy)


def test_an_empty_folder_lacks_all_six(tmp_path):
    (tmp_path / FOLDER).mkdir()
    with pytest.raises(FileNotFoundError, match=f"lacks {', '.join(NAMES)}: "):
        load_cifar10(tmp_path)


def test_a_missing_member_of_the_archive_is_named(official, tmp_path):
    with tarfile.open(tmp_path / ARCHIVE, "w:gz", compresslevel=1) as tar:
        tar.add(official / FOLDER / NAMES[0], f"{FOLDER}/{NAMES[0]}")
        link = tarfile.TarInfo(f"{FOLDER}/{NAMES[1]}")  # a link in place of a file is no file
        link.type, link.linkname = tarfile.SYMTYPE, str(official / FOLDER / NAMES[1])
        tar.addfile(link)
    with pytest.raises(FileNotFoundError, match=rf"{ARCHIVE} lacks {', '.join(NAMES[1:])}: "):
        load_cifar10(tmp_path)


# --- What is damaged ---


@pytest.mark.parametrize("size", [0, 3_073, SIZE - 1, SIZE + 1])
def test_a_file_of_a_wrong_size(copy, size):
    replaced(copy / FOLDER / NAMES[2], bytes(size))
    with pytest.raises(ValueError, match=rf"{FOLDER}.data_batch_3\.bin ends at byte {size}, expected {SIZE}: 10000"):
        load_cifar10(copy)


@pytest.mark.parametrize(("name", "place", "label"), [(NAMES[0], 0, 10), (NAMES[3], 1_234, 255), (NAMES[5], 9_999, 10)])
def test_a_label_that_is_none(copy, name, place, label):
    content = bytearray(SIZE)
    content[place * 3_073] = label
    replaced(copy / FOLDER / name, content)
    message = rf"{name} has the label {label} at byte {place * 3_073} \(record {place}\), expected 0 to 9"
    with pytest.raises(ValueError, match=message):
        load_cifar10(copy)


def test_label_nine_is_one(copy):
    content = bytearray(SIZE)
    content[5 * 3_073] = 9
    replaced(copy / FOLDER / NAMES[5], content)
    assert load_cifar10(copy)[1].labels[5] == 9


def test_a_short_member_of_the_archive(tmp_path):
    (tmp_path / "short").write_bytes(bytes(500))
    with tarfile.open(tmp_path / ARCHIVE, "w:gz") as tar:
        tar.add(tmp_path / "short", f"{FOLDER}/{NAMES[0]}")
    with pytest.raises(ValueError, match=rf"{ARCHIVE}.{FOLDER}.{NAMES[0]} ends at byte 500, expected {SIZE}"):
        load_cifar10(tmp_path)


def flipped_checksum(content):
    return content[:-8] + bytes([content[-8] ^ 1]) + content[-7:]


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "overwritten in the middle": lambda content: content[:20_000] + bytes(1_000) + content[21_000:],
    "a flipped bit in the checksum": flipped_checksum,
    "a sign-in page": lambda content: b"<!DOCTYPE html><html>Please sign in</html>",
    "gzip of something else": lambda content: gzip.compress(bytes(range(256)) * 8),
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_archive(archived, tmp_path, damage):
    content = damage((archived / ARCHIVE).read_bytes())
    (tmp_path / ARCHIVE).write_bytes(content)
    with pytest.raises(
        ValueError, match=rf"{ARCHIVE} cannot be read to its end, byte {len(content)} \(.*Get {ARCHIVE} again from"
    ):
        load_cifar10(tmp_path)


def test_zeros_and_files_given_twice_are_not_cifar10(copy, official):
    replaced(copy / FOLDER / NAMES[1], bytes(SIZE))
    with pytest.raises(ValueError, match=rf"{NAMES[1]} has the label 0 in every record, where CIFAR-10 has all ten"):
        load_cifar10(copy)
    replaced(copy / FOLDER / NAMES[1], (official / FOLDER / NAMES[0]).read_bytes())
    with pytest.raises(ValueError, match=f"{NAMES[1]} and {NAMES[0]} are the same file under two names: take all six"):
        load_cifar10(copy)


# --- As people have it ---


def test_the_unpacked_archive(archived, tmp_path):
    with gzip.open(archived / ARCHIVE) as packed:
        (tmp_path / "cifar-10-binary.tar").write_bytes(packed.read())
    assert is_official(*load_cifar10(tmp_path))
    assert is_official(*load_cifar10(tmp_path / "cifar-10-binary.tar"))


def test_one_of_the_six_files_stands_for_its_folder(official):
    assert is_official(*load_cifar10(official / FOLDER / NAMES[2]))


@pytest.mark.parametrize("inside", [FOLDER, f"{FOLDER}/{FOLDER}", f"cifar-10-binary/{FOLDER}", "data"])
def test_a_folder_in_a_folder(inside, official, tmp_path):
    (tmp_path / inside).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / inside).symlink_to(official / FOLDER)
    assert is_official(*load_cifar10(tmp_path / "data" if inside == "data" else tmp_path))


def test_a_batch_of_the_python_version_and_a_zip_archive_are_not_said_to_be_damaged(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({b"labels": [3]}))
    with pytest.raises(FileNotFoundError, match=f"data_batch_1 is CIFAR-10 in its Python or Matlab.*get.*{ARCHIVE}"):
        load_cifar10(tmp_path / "data_batch_1")
    (tmp_path / "cifar.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="cifar.zip is a zip archive, which is not read here: unpack it"):
        load_cifar10(tmp_path / "cifar.zip")


def test_names_with_a_dot_before_them(official, tmp_path):
    with tarfile.open(tmp_path / ARCHIVE, "w:gz", compresslevel=1) as tar:
        for name in NAMES:
            tar.add(official / FOLDER / name, f"./{FOLDER}/{name}")
    assert is_official(*load_cifar10(tmp_path))


@pytest.mark.parametrize("kind", ["folder", "archive", "renamed archive", "beside"])
def test_the_python_version_is_told_apart_and_not_called_damaged(kind, tmp_path, monkeypatch):
    place = tmp_path / "cifar-10-batches-py"
    if kind in ("folder", "beside"):
        place.mkdir()
    else:
        (tmp_path / "data_batch_1").write_bytes(b"a pickle")
        place = tmp_path / ("cifar-10-python.tar.gz" if kind == "archive" else ARCHIVE)
        with tarfile.open(place, "w:gz") as tar:
            tar.add(tmp_path / "data_batch_1", "cifar-10-batches-py/data_batch_1")
    with pytest.raises(FileNotFoundError, match=f"Python or Matlab version.*get the binary version, {ARCHIVE}, from"):
        load_cifar10(tmp_path if kind == "beside" else place)
    if kind == "beside":
        monkeypatch.setenv("CBAM_NP_DATA", str(tmp_path))
        with pytest.raises(FileNotFoundError, match="Python or Matlab version"):
            load_cifar10()


# --- The download ---


@pytest.fixture
def retrieve(monkeypatch):
    """Put a function in the place of pooch.retrieve, and see how it was called."""

    def install(answer):
        calls = []

        def retrieve(url, known_hash, fname, path, downloader):
            calls.append({"url": url, "hash": known_hash, "file": path / fname, "downloader": downloader})
            return answer(path / fname)

        monkeypatch.setattr(pooch, "retrieve", retrieve)
        return calls

    return install


def test_the_official_archive_is_downloaded_into_the_cache(retrieve, archived, cache):
    def answer(file):
        file.parent.mkdir()
        file.symlink_to(archived / ARCHIVE)
        return str(file)

    calls = retrieve(answer)
    assert is_official(*load_cifar10())
    assert is_official(*load_cifar10())  # from the cache
    (call,) = calls
    assert call["url"] == "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert call["hash"] == "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
    assert call["file"] == cache / ARCHIVE
    assert call["downloader"].progressbar is True
    assert 0 < call["downloader"].kwargs["timeout"] <= 60
    assert files_below(cache) == [cache / ARCHIVE]  # read, not unpacked


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("no route"), requests.Timeout("no route"), OSError("no route")]
)
@pytest.mark.parametrize("named", [False, True])
def test_offline_it_says_the_three_ways_out(retrieve, cache, tmp_path, monkeypatch, error, named):
    def answer(file):
        raise error

    if named:
        monkeypatch.setenv("CBAM_NP_DATA", str(tmp_path))
    retrieve(answer)
    with pytest.raises(ConnectionError) as caught:
        load_cifar10()
    place = tmp_path if named else cache
    for part in (
        f"could not be downloaded from {cifar10.URL} into {cache} (no route)",
        "connect and try again",
        f"download {cifar10.URL} elsewhere and put the archive, or the folder {FOLDER} out of it, into {place}",
        "make_shapes(), --data shapes",
    ):
        assert part in str(caught.value)


def test_a_real_download_that_meets_no_network(cache, monkeypatch):
    def refuse(*args, **kwargs):
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "get", refuse)
    with pytest.raises(ConnectionError, match="no route"):
        load_cifar10()
    assert files_below(cache) == []


def test_nothing_is_downloaded_where_it_may_not(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(requests, "get", lambda *args, **kwargs: pytest.fail("it was"))
    monkeypatch.setenv("CBAM_NP_DATA", str(tmp_path / "empty"))
    with pytest.raises(
        FileNotFoundError, match=f"CIFAR-10 is not in .*empty nor in .*: put {ARCHIVE} there, or let it"
    ):
        load_cifar10(download=False)


def test_a_wrong_hash_is_told_and_nothing_is_kept(cache, monkeypatch):
    page = requests.Response()
    page.status_code, page.raw = 200, io.BytesIO(b"sign in")
    monkeypatch.setattr(requests, "get", lambda *args, **kwargs: page)
    with pytest.raises(
        ValueError, match=r"is not the official archive \(.*hash.*\): a proxy or a sign-in page"
    ) as caught:
        load_cifar10()
    assert "make_shapes()" in str(caught.value) and str(cache) in str(caught.value)
    assert files_below(cache) == []


# --- The real thing ---

PLACE = os.environ.get("CBAM_NP_DATA")


@pytest.mark.cifar10
@pytest.mark.skipif(not PLACE, reason="CBAM_NP_DATA names no place with the real CIFAR-10")
def test_the_real_data():
    try:
        train, test = load_cifar10(PLACE)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert np.bincount(train.labels).tolist() == [5_000] * 10
    assert np.bincount(test.labels).tolist() == [1_000] * 10
    assert np.allclose(train.images.mean((0, 2, 3)), [125.3, 123.0, 113.9], atol=1)  # red, green, blue
    assert np.allclose(train.images.std((0, 2, 3)), [63.0, 62.1, 66.7], atol=1)
    ship, frog = (train.images[train.labels == train.classes.index(name)].mean((0, 2, 3)) for name in ("ship", "frog"))
    assert ship[2] > ship[0] + 5 and frog[2] < frog[0] - 5  # the sea is blue, and what frogs sit on is not
    pixels = test.images.astype(np.int16)
    for axis in (2, 3):
        there, here = np.split(pixels, 2, axis)
        assert np.abs(np.diff(pixels, axis=axis)).mean() < np.abs(there - here).mean() / 2  # neighbours are alike
