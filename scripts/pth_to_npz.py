"""Turn weights that PyTorch saved into a `.npz`, which holds arrays only and needs no PyTorch.

    python scripts/pth_to_npz.py RESNET50_CBAM_new_name_wrap.pth resnet50-cbam.npz

PyTorch reads the file with `weights_only=True`, which refuses whatever could run code.
"""

import argparse
import pickle
import sys
from pathlib import Path

import numpy as np

from cbam_np.train.files import written_whole


def convert(source, target):
    """Write the tensors of `source`, or of the `state_dict` in it, to `target`; return how many."""
    import torch

    refuse_what_is_no_pickle(source)
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            "it holds other things than tensors, which could run code when they are loaded, so it is not opened: "
            "ask for a file that was written with torch.save(model.state_dict(), ...)"
        ) from error
    tensors = find_tensors(content, torch.Tensor)
    if not tensors:
        raise ValueError("it holds no weights by name: save model.state_dict()")
    arrays = {
        name: tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy()
        for name, tensor in tensors.items()
    }
    with written_whole(target) as file:
        np.savez(file, **arrays)
    return len(arrays)


PLACES = ("state_dict", "model", "model_state_dict", "net", "state_dict_ema", "ema", "weights", "params")


def find_tensors(content, kind):
    """Return the tensors by name: of the content itself, or of the first place in it where weights are kept."""
    if not isinstance(content, dict):
        return {}
    for place in PLACES:
        inner = content.get(place)
        if isinstance(inner, dict) and (found := find_tensors(inner, kind)):
            return found
    return {name: tensor for name, tensor in content.items() if isinstance(tensor, kind) and isinstance(name, str)}


def refuse_what_is_no_pickle(source):
    """Raise a ValueError for an empty file, and for a page that a browser saved under the name of a file."""
    with open(source, "rb") as file:
        start = file.read(512)
    if not start:
        raise ValueError("the file is empty: download it again")
    if start.lstrip()[:1] == b"<":
        raise ValueError("it is a web page and not the file itself: download what the page links to")
    if start[:2] not in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise ValueError("it is no file that torch.save wrote")


def main(arguments=None):
    """Convert a file; return the exit status."""
    parser = argparse.ArgumentParser(description="Turn weights that PyTorch saved into a .npz.")
    parser.add_argument("source", type=Path, metavar="PTH", help="what torch.save wrote")
    parser.add_argument("target", type=Path, metavar="NPZ", help="where the arrays go")
    options = parser.parse_args(arguments)
    try:
        count = convert(options.source, options.target)
    except ImportError:
        print("PyTorch is not installed here: python -m pip install torch", file=sys.stderr)
        return 2
    except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        print(f"{options.source} cannot be converted: {reason}", file=sys.stderr)
        return 2
    print(f"{options.target} holds {count} arrays.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
