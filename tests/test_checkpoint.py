import io
import os
import zipfile

import numpy as np
import pytest

from cbam_np.files import check_writable, write_json, written_whole
from cbam_np.train import CheckpointError, load_checkpoint, save_checkpoint

ARRAYS = {
    "model/conv.W": np.arange(24, dtype=np.float32).reshape(2, 3, 4)[:, ::-1],  # not contiguous
    "file": np.array([1, 2]),  # a word that np.savez keeps to itself
    "nothing": np.zeros((0, 3)),
    "one": np.float64(1 / 3),
}


def pack(path, **members):
    """Write a `.npz` by hand."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in members.items():
            with archive.open(name + ".npy", "w") as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=True)


def test_there_and_back(tmp_path):
    metadata = {"epoch": 3, "note": "Wärme, 注意", "rng": {"state": 2**127 + 1}, "loss": 0.1 + 0.2}
    save_checkpoint(tmp_path / "c.npz", ARRAYS, metadata)
    arrays, read = load_checkpoint(tmp_path / "c.npz")
    assert read == {"version": 1, **metadata}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert np.array_equal(arrays[name], array) and arrays[name].dtype == array.dtype
    assert os.listdir(tmp_path) == ["c.npz"]


def test_numpy_alone_can_read_it(tmp_path):
    save_checkpoint(tmp_path / "c.npz", ARRAYS, {"epoch": 3})
    with np.load(tmp_path / "c.npz", allow_pickle=False) as file:
        assert np.array_equal(file["model/conv.W"], ARRAYS["model/conv.W"])
        assert '"epoch": 3' in str(file["metadata"])


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoint .*c\.npz: check the name"):
        load_checkpoint(tmp_path / "c.npz")


def test_a_truncated_file_is_refused_wherever_it_was_cut(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, ARRAYS)
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 97), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="is no checkpoint, or only part of one"):
            load_checkpoint(path)


def test_a_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, {"a": np.ones(1000)})
    content = bytearray(path.read_bytes())
    content[-2000] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"is no checkpoint, or only part of one \(Bad CRC"):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY\x01\x00", b"\x80\x04N."])
def test_another_kind_of_file_is_refused(content, tmp_path):
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        load_checkpoint(tmp_path / "c.npz")


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_pickled_objects_are_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pack("c.npz", metadata='{"version": 1}', weights=np.array([Bomb()], object))
    with pytest.raises(CheckpointError, match="'weights' cannot be read safely"):
        load_checkpoint("c.npz")
    assert os.listdir() == ["c.npz"]
    np.load("c.npz", allow_pickle=True)["weights"]
    assert "exploded" in os.listdir()  # it would have gone off


def test_bytes_that_are_no_array_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("readme.txt", "hello, this is text")
    with pytest.raises(CheckpointError, match=r"'readme\.txt' cannot be read safely"):
        load_checkpoint(tmp_path / "c.npz")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a": 1}, "has arrays but no metadata"),
        ({"metadata": "{"}, "metadata that cannot be understood"),
        ({"metadata": "[]"}, "metadata that cannot be understood"),
        ({"metadata": "{}"}, "metadata that cannot be understood"),
        ({"metadata": np.arange(3)}, "metadata that cannot be understood"),
        ({"metadata": '{"version": 2}'}, "is a checkpoint of version 2, expected 1"),
    ],
)
def test_other_metadata_are_refused(members, message, tmp_path):
    pack(tmp_path / "c.npz", **members)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(tmp_path / "c.npz")


def test_objects_are_not_written(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, {"a": np.ones(3)})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        save_checkpoint(path, {"a": np.zeros(3), "b": np.array([None])})
    with pytest.raises(ValueError, match="an array is called 'metadata'"):
        save_checkpoint(path, {"metadata": np.zeros(3)})
    assert np.array_equal(load_checkpoint(path)[0]["a"], np.ones(3))
    assert os.listdir(tmp_path) == ["c.npz"]


class FullDisk(io.FileIO):
    room = 100

    def write(self, data):
        if self.tell() + len(data) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failure_while_writing_keeps_the_old_file_and_leaves_no_other(error, fails, tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    save_checkpoint(path, {"a": np.ones(3)}, {"epoch": 1})

    def fail(*args):
        raise error(28, "No space left on device")

    monkeypatch.setattr(os, fails, fail)
    with pytest.raises(error):
        save_checkpoint(path, {"a": np.zeros(3)}, {"epoch": 2})
    arrays, metadata = load_checkpoint(path)
    assert metadata["epoch"] == 1 and np.array_equal(arrays["a"], np.ones(3))
    assert os.listdir(tmp_path) == ["c.npz"]


def test_a_disk_that_fills_up_half_way(tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    save_checkpoint(path, {"a": np.ones(3)})
    monkeypatch.setattr("builtins.open", lambda name, mode: FullDisk(name, mode))
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, {"a": np.zeros(3)})
    monkeypatch.undo()
    assert np.array_equal(load_checkpoint(path)[0]["a"], np.ones(3))
    assert os.listdir(tmp_path) == ["c.npz"]


def test_until_it_is_whole_it_has_another_name(tmp_path):
    with written_whole(tmp_path / "x") as file:
        file.write(b"new")
        (name,) = os.listdir(tmp_path)
        assert name.startswith(".x.") and name.endswith(".tmp")
    assert os.listdir(tmp_path) == ["x"] and (tmp_path / "x").read_bytes() == b"new"


def test_json(tmp_path):
    write_json(tmp_path / "h.json", {"note": "ä", "loss": 0.1})
    assert (tmp_path / "h.json").read_text(encoding="utf-8") == '{\n  "note": "ä",\n  "loss": 0.1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "h.json", {"loss": float("nan")})
    assert "0.1" in (tmp_path / "h.json").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_into(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == []
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=rf"cannot write into .*{folder.name}: .*; choose another folder"):
            check_writable(folder)
