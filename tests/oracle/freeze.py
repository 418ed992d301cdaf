"""Freeze what PyTorch says into small files, so that the default tests need no PyTorch.

Run from the repository's root: ``python -m tests.oracle.freeze``.
"""

import json
from pathlib import Path

import numpy as np
import torch

from . import reference
from .cases import frozen_cases

HERE = Path(__file__).parent


def freeze(cases, path):
    """Write one file: for each case its name, options, arrays, output and gradients, in float64."""
    rng = np.random.default_rng(7)
    entries = {"torch": np.array(torch.__version__)}
    for label, case in cases.items():
        out, dout, gradients = reference.run(case.name, case.arrays, case.options, lambda shape: rng.normal(size=shape))
        entries[f"{label}/case"] = np.array(json.dumps({"name": case.name, "options": case.options}))
        entries |= {f"{label}/out": out, f"{label}/dout": dout}
        for key, array in case.arrays.items():
            entries |= {f"{label}/array/{key}": array, f"{label}/gradient/{key}": gradients[key]}
    np.savez_compressed(path, **entries)
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size:,} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, cases in frozen_cases().items():
        freeze(cases, HERE / f"{name}.npz")
