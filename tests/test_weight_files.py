import pickle
import zipfile

import numpy as np
import pytest

from cbam_np.nn import WeightsError
from cbam_np.nn.weight_files import read_weights
from cbam_np.train import CheckpointError, load_checkpoint

ARRAYS = {"fc.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "layer1.0.bn1.bias": np.ones(4, np.float64)}


def safetensors_file(path, arrays=ARRAYS):
    pytest.importorskip("safetensors.numpy").save_file(arrays, path)
    return path


def npz_file(path, arrays=ARRAYS):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(("write", "name"), [(npz_file, "w.npz"), (safetensors_file, "w.safetensors")])
def test_both_kinds_are_read(write, name, tmp_path):
    found = read_weights(write(tmp_path / name))
    assert set(found) == set(ARRAYS)
    for key, array in ARRAYS.items():
        assert found[key].dtype == array.dtype
        assert np.array_equal(found[key], array)


@pytest.mark.parametrize(("write", "name"), [(npz_file, "w.npz"), (safetensors_file, "w.safetensors")])
@pytest.mark.parametrize("left", [0, 3, 0.5, 0.99])
def test_a_part_of_a_file_is_refused(write, name, left, tmp_path):
    path = write(tmp_path / name)
    whole = path.read_bytes()
    path.write_bytes(whole[: left if isinstance(left, int) else int(left * len(whole))])
    with pytest.raises(WeightsError, match=r"w\.(npz|safetensors) is (damaged.*copy it again|neither a)"):
        read_weights(path)


def test_a_changed_byte_is_noticed(tmp_path):
    path = npz_file(tmp_path / "w.npz", {"a": np.zeros(1000)})
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged.*Bad CRC-32"):
        read_weights(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_changed_is_answered_in_words(save, seed, tmp_path):
    """In a checkpoint, too; a change to a member's date alone does no harm."""
    save(tmp_path / "w.npz", **ARRAYS, metadata=np.array('{"version": 1}'))
    content = bytearray((tmp_path / "w.npz").read_bytes())
    rng = np.random.default_rng(seed)
    for at in [*rng.integers(len(content), size=3), -rng.integers(1, 200)]:
        content[at] = rng.integers(256)
    (tmp_path / "w.npz").write_bytes(content)
    for read, error in ((read_weights, WeightsError), (load_checkpoint, CheckpointError)):
        try:
            read(tmp_path / "w.npz")
        except error as said:
            assert "w.npz" in str(said)


def test_a_place_outside_the_file_and_bits_that_cannot_be_unpacked(tmp_path):
    """What the operating system and zlib say, and zipfile does not translate."""
    np.savez_compressed(tmp_path / "w.npz", a=np.arange(1000))
    whole = (tmp_path / "w.npz").read_bytes()
    packed = whole.index(b"a.npy") + len("a.npy") + 40
    end = whole.rindex(b"PK\x05\x06")
    for start, new in ((packed, b"\xff" * 40), (end + 16, b"\xff\xff\xff\x7f")):
        (tmp_path / "w.npz").write_bytes(whole[:start] + new + whole[start + len(new) :])
        with pytest.raises(WeightsError, match=r"w\.npz is damaged, or only part of a file .*: copy it again"):
            read_weights(tmp_path / "w.npz")


class Trap:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def test_pickles_are_refused_and_not_run(tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, a=np.array([Trap()], object))
    with pytest.raises(WeightsError, match="'a' cannot be read safely"):
        read_weights(path)
    for name in ("resnet.pth", "renamed.npz"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap(), protocol=2))
        with pytest.raises(WeightsError, match=r"is a pickle, which runs code.*cbam-np convert"):
            read_weights(tmp_path / name)


@pytest.mark.oracle
def test_a_file_of_pytorch_under_another_name_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.zeros(2)}, tmp_path / "w.npz")
    with pytest.raises(WeightsError, match=r"holds a pickle, which runs code.*cbam-np convert"):
        read_weights(tmp_path / "w.npz")


@pytest.mark.oracle
def test_numbers_that_numpy_does_not_have_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2, dtype=torch.bfloat16)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="holds BF16, which is not read here: save it as float32"):
        read_weights(tmp_path / "w.safetensors")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*w\.npz: check the name"):
        read_weights(tmp_path / "w.npz")


def test_safetensors_is_asked_for_where_it_is_missing(tmp_path, monkeypatch):
    (tmp_path / "w.safetensors").touch()
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        read_weights(tmp_path / "w.safetensors")


def lying(path, shape="(3,)", descr="<f4", data=b"\0" * 12, compression=zipfile.ZIP_STORED):
    """Write a `.npz` whose array says of itself what is asked for."""
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shape": "(1000000, 1000000)"}, "its header says float32 of shape (1000000, 1000000), but 12 bytes follow"),
        ({"shape": "(2,)"}, "of shape (2,), but 12 bytes follow"),
        ({"shape": "(-3,)"}, "its header says shape (-3,)"),
        ({"shape": "(" * 5000}, "it has no header of an array"),
        ({"descr": "|O"}, "it holds pickled Python objects"),
        ({"descr": "<U99999999"}, "but 12 bytes follow"),
        ({"descr": "nonsense"}, "it has no header of an array"),
    ],
)
def test_headers_are_compared_with_what_follows(options, said, tmp_path):
    lying(tmp_path / "w.npz", **options)
    with pytest.raises(WeightsError) as error:
        read_weights(tmp_path / "w.npz")
    assert said in str(error.value) and "cannot be read safely" in str(error.value)


def test_what_is_true_of_itself_is_read(tmp_path):
    lying(tmp_path / "w.npz")
    assert read_weights(tmp_path / "w.npz")["a"].tolist() == [0, 0, 0]


def test_zeros_that_fill_the_memory_are_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.nn.weight_files.UNSUSPICIOUS", 2**20)
    lying(tmp_path / "w.npz", shape="(1000000,)", data=bytes(4 * 10**6), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match=r"bytes that unpack into 40000\d\d, more than weights ever do"):
        read_weights(tmp_path / "w.npz")
    lying(tmp_path / "w.npz", shape="(1000000,)", data=bytes(4 * 10**6))
    assert read_weights(tmp_path / "w.npz")["a"].shape == (1000000,)
