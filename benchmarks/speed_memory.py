"""Peak memory of a training step of SmallCNN with CBAM, each measured in a fresh process of its own.

What is measured: the largest resident set of the process during a few steps (VmHWM, the high-water mark, reset
before the first step) minus what was resident before the first step (VmRSS), when libraries were loaded, the batch
drawn and the network built. So it is what the steps add: activations, gradients, velocities, workspace, and what
libraries and threads allocate when they first work. Linux only, where /proc tells.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path

from cbam_np.engine import limit_threads, memory

from .cases import RECIPE, Sizes, draw_network, training_step

ROOT = Path(__file__).resolve().parents[1]
PROC = Path("/proc/self")
STEPS = 3


def resident(field):
    """Return VmRSS, what is resident now, or VmHWM, the most that was, in bytes."""
    lines = (PROC / "status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])


def added(run, steps):
    """Return how many bytes the largest resident set during `run` lies above what was resident before."""
    before = resident("VmRSS")
    (PROC / "clear_refs").write_text("5")  # the mark starts again from here
    for _ in range(steps):
        run()
    return max(0, resident("VmHWM") - before)


def numpy_step(sizes):
    """Return our training step."""
    return training_step(*draw_network(Sizes(**sizes), "cbam"))


def torch_step(sizes, layout, maxima, threads):
    """Return PyTorch's training step, eager."""
    from . import twins

    twins.torch.set_num_threads(threads)
    model, images, labels = draw_network(Sizes(**sizes), "cbam")
    return twins.training_step(model, "cbam", images, labels, RECIPE, layout, maxima, lambda function: function)


def peak(target, options, threads=1, steps=STEPS):
    """Measure in a fresh process by how much some steps raise its peak memory.

    Parameters
    ----------
    target : str
        "module:function"; the function returns what takes a step.
    options : dict
        Its arguments, which JSON must be able to hold.
    threads : int
        For NumPy's side.
    steps : int
        How many are taken.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    OSError
        If the process fails, or the system does not tell.
    """
    order = json.dumps({"target": target, "options": options, "threads": threads, "steps": steps})
    command = [sys.executable, "-m", __spec__.name, order]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{target} could not be measured: {done.stderr.strip().splitlines()[-1]}")
    return int(done.stdout)


def measure(sizes, threads, twins=None):
    """Return the bytes that training steps add, NumPy's and PyTorch's in every eager way, as rows."""
    sizes = vars(sizes)
    rows = [{"kind": "NumPy", "way": "", "bytes": peak(f"{__spec__.name}:numpy_step", {"sizes": sizes}, threads)}]
    for layout in twins.LAYOUTS if twins else ():
        for name, maxima in twins.MAXIMA.items():
            options = {"sizes": sizes, "layout": layout, "maxima": maxima, "threads": threads}
            size = peak(f"{__spec__.name}:torch_step", options, threads)
            rows.append({"kind": "eager", "way": f"{layout}, {name}", "bytes": size})
    return rows


def main(order):
    """Do in the fresh process what `peak` asked for, and print the bytes."""
    order = json.loads(order)
    memory.keep()  # as training does
    module, function = order["target"].split(":")
    make = getattr(importlib.import_module(module), function)
    with limit_threads(order["threads"]):
        print(added(make(**order["options"]), order["steps"]))


if __name__ == "__main__":
    main(sys.argv[1])
