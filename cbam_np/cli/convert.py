"""`cbam-np convert`: weights that PyTorch saved become a `.npz`, which holds arrays only and needs no PyTorch."""

import argparse
import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import path
from .errors import UserError, words


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what is read and what is written."""
    parser.add_argument("source", type=path, metavar="PTH", help="what torch.save wrote")
    parser.add_argument("target", type=path, metavar="NPZ", help="where the arrays go")
    parser.epilog = "PyTorch reads the file with weights_only=True, which refuses whatever could run code."


def run(command: str, source: Path, target: Path) -> None:
    """Convert a file, and say what it holds."""
    from ..train.files import written_whole

    try:
        torch = import_module("torch")  # nothing else here needs it, so nothing depends on it
    except ImportError as error:
        raise UserError("this needs PyTorch, once: python -m pip install torch") from error
    try:
        arrays = read_tensors(torch, source)
    except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = words(error).partition("\n")[0]
        raise UserError(f"{source} cannot be converted: {reason}") from error
    with written_whole(target) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # of its own options
    print(f"{target} holds {len(arrays)} arrays.")


def read_tensors(torch: Any, source: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a file, or of the `state_dict` in it, by name."""
    content = torch.load(source, map_location="cpu", weights_only=True)
    content = content.get("state_dict", content) if isinstance(content, dict) else {}
    tensors = {name: tensor for name, tensor in content.items() if isinstance(tensor, torch.Tensor)}
    if not tensors:
        raise ValueError("it holds no weights by name: save model.state_dict()")
    return {
        name: tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy()
        for name, tensor in tensors.items()
    }
