"""`cbam-np convert`: weights that PyTorch saved become a `.npz`, which holds arrays only and needs no PyTorch."""

import argparse
import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import a_file
from .errors import UserError, words


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what is read and what is written."""
    parser.add_argument("source", type=a_file(), metavar="PTH", help="what torch.save wrote")
    parser.add_argument("target", type=a_file(), metavar="NPZ", help="where the arrays go")
    parser.epilog = "PyTorch reads the file with weights_only=True, which refuses whatever could run code."


def run(command: str, source: Path, target: Path) -> None:
    """Convert a file, and say what it holds."""
    from ..files import written_whole

    try:
        torch = import_module("torch")  # nothing else here needs it, so nothing depends on it
    except ImportError as error:
        raise UserError("this needs PyTorch, once: python -m pip install torch") from error
    try:
        arrays = read_tensors(torch, source)
    except (OSError, ValueError) as error:
        raise UserError(f"{source} cannot be converted: {words(error)}") from error
    with written_whole(target) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # of its own options
    print(f"{target} holds {len(arrays)} arrays.")


def read_tensors(torch: Any, source: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a file, or of the first place in it where people keep weights, by name."""
    refuse_what_is_no_pickle(source)
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            "it holds other things than tensors, which could run code when they are loaded, so it is not opened: "
            "ask for a file that was written with torch.save(model.state_dict(), ...)"
        ) from error
    except Exception as error:  # PyTorch complains of damage in as many ways as there are bytes
        raise ValueError("it is damaged, or only part of what torch.save wrote: download it again") from error
    tensors = find_tensors(content, torch.Tensor)
    if not tensors:
        raise ValueError("it holds no weights by name: save model.state_dict()")
    return {
        name: tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy()
        for name, tensor in tensors.items()
    }


PLACES = ("state_dict", "model", "model_state_dict", "net", "state_dict_ema", "ema", "weights", "params")
PICKLES = (b"PK", *(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))


def find_tensors(content: Any, kind: type) -> dict[str, Any]:
    """Return the tensors by name: of the first place in a dict where weights are kept, or of the dict itself."""
    if not isinstance(content, dict):
        return {}
    for place in PLACES:
        found = find_tensors(content.get(place), kind)
        if found:
            return found
    return {name: tensor for name, tensor in content.items() if isinstance(tensor, kind) and isinstance(name, str)}


def refuse_what_is_no_pickle(source: Path) -> None:
    """Raise a ValueError for an empty file, and for a page that a browser saved under the name of a file."""
    with open(source, "rb") as file:
        start = file.read(512)
    if not start:
        raise ValueError("the file is empty: download it again")
    if start.lstrip()[:1] == b"<":
        raise ValueError("it is a web page and not the file itself: download what the page links to")
    if start[:2] not in PICKLES:
        raise ValueError("it is no file that torch.save wrote")
