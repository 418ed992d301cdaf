"""The command that turns what PyTorch saved into a `.npz`, run as a user would."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cbam_np
from cbam_np import ImageNetResNet

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

CHILD = os.environ | {"PYTHONPATH": str(Path(cbam_np.__file__).parent.parent)}


def convert(source, target):
    command = [sys.executable, "-m", "cbam_np", "convert", str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, env=CHILD)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("whole", [False, True], ids=["state_dict", "checkpoint"])
def test_a_file_of_pytorch_arrives_in_the_network(legacy, whole, tmp_path):
    model = ImageNetResNet(18, "cbam", rng=np.random.default_rng(0), classes=3)
    tensors = {f"module.{name}": torch.tensor(array) for name, array in model.state_dict().items()}
    tensors["module.bn1.num_batches_tracked"] = torch.tensor(5)
    content = {"epoch": 3, "arch": "resnet", "best_prec1": torch.tensor(77.6), "state_dict": tensors}
    torch.save(content if whole else tensors, tmp_path / "w.pth", _use_new_zipfile_serialization=not legacy)
    done = convert(tmp_path / "w.pth", tmp_path / "w.npz")
    assert done.returncode == 0 and f"w.npz holds {len(tensors)} arrays." in done.stdout, done.stderr
    read = ImageNetResNet.from_file(tmp_path / "w.npz")
    for name, array in model.state_dict().items():
        assert np.array_equal(read.state_dict()[name], array)


class Trap:
    def __reduce__(self):
        return (print, ("the pickle was run",))


@pytest.mark.parametrize(
    "content", [{"a": Trap()}, [1, 2], {"a": 1}, None], ids=["code", "a list", "no tensors", "no file of PyTorch"]
)
def test_what_cannot_be_converted_is_answered_in_words_and_leaves_nothing(content, tmp_path):
    if content is None:
        (tmp_path / "w.pth").write_bytes(b"no file of PyTorch")
    else:
        torch.save(content, tmp_path / "w.pth")
    done = convert(tmp_path / "w.pth", tmp_path / "w.npz")
    assert done.returncode == 2 and "w.pth cannot be converted: " in done.stderr
    assert "Traceback" not in done.stderr and "the pickle was run" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]


@pytest.mark.parametrize("place", ["model", "model_state_dict", "net", "state_dict_ema"])
def test_weights_are_found_where_people_keep_them(place, tmp_path):
    torch.save({"epoch": 3, place: {"fc.weight": torch.ones(2, 3)}}, tmp_path / "w.pth")
    done = convert(tmp_path / "w.pth", tmp_path / "w.npz")
    assert done.returncode == 0 and "w.npz holds 1 arrays." in done.stdout, done.stderr
    with np.load(tmp_path / "w.npz") as arrays:
        assert np.array_equal(arrays["fc.weight"], np.ones((2, 3)))


NO_WEIGHTS = {
    "a page": (b"<!DOCTYPE html><html>Sign in</html>", "it is a web page and not the file itself"),
    "nothing": (b"", "the file is empty"),
    "text": (b"version https://git-lfs", "it is no file that torch.save wrote"),
    "none": ({"state_dict": None}, "it holds no weights by name"),
    "code": ({"a": Trap()}, "could run code when they are loaded, so it is not opened"),
}


@pytest.mark.parametrize(("content", "words"), NO_WEIGHTS.values(), ids=NO_WEIGHTS)
def test_what_holds_no_weights_is_told_in_our_own_words(content, words, tmp_path):
    if isinstance(content, bytes):
        (tmp_path / "w.pth").write_bytes(content)
    else:
        torch.save(content, tmp_path / "w.pth")
    done = convert(tmp_path / "w.pth", tmp_path / "w.npz")
    assert done.returncode == 2 and words in done.stderr and "weights_only" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]
