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

    content = torch.load(source, map_location="cpu", weights_only=True)
    content = content.get("state_dict", content) if isinstance(content, dict) else {}
    tensors = {name: tensor for name, tensor in content.items() if isinstance(tensor, torch.Tensor)}
    if not tensors:
        raise ValueError(f"{source} holds no weights by name: save model.state_dict()")
    arrays = {
        name: tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy()
        for name, tensor in tensors.items()
    }
    with written_whole(target) as file:
        np.savez(file, **arrays)
    return len(arrays)


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
