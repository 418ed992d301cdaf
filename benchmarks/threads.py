"""Whether any bit of a result depends on the number of threads, ours or those of BLAS.

    python -m benchmarks.threads [--configurations 2000] [--out results/threads]

A configuration is drawn from its number: a convolution of some kind, a linear map, a CBAM block or a network, with odd
shapes, in float32 or float64, forward and backward. Its results are hashed under `limit_threads` of 1, 2, 3 and 8, and
in processes whose environment says as many to BLAS, on each kernel of OpenBLAS that this processor can run. What was
done is kept in `.threads/` and not repeated; --again forgets it.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import cbam_np
from cbam_np import ops
from cbam_np.engine import limit_threads
from cbam_np.files import write_json, write_text
from cbam_np.nn import InPieces
from cbam_np.nn.muon import Muon
from cbam_np.train import describe_machine

THREADS = (1, 2, 3, 8)
KERNELS = ("", "Haswell")  # of OpenBLAS, by OPENBLAS_CORETYPE; "" is the one that it chooses itself
KINDS = ("7x7", "3x3", "1x1", "strided", "linear", "block", "network", "muon")
PART = 100  # configurations in a process
KEPT = Path(".threads/parts.jsonl")


def results_of(number: int) -> list[np.ndarray]:
    """Return all that a configuration computes."""
    rng = np.random.default_rng([7, number])
    dtype = (np.float32, np.float64)[int(rng.integers(2))]
    kind = KINDS[number % len(KINDS)]
    N, H, W = int(rng.integers(1, 9)), int(rng.integers(3, 40)), int(rng.integers(3, 40))
    C = int(rng.integers(1, 65))

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(dtype)

    if kind in ("7x7", "3x3", "1x1", "strided"):
        O, C, k, stride, padding = {
            "7x7": (1, 2, 7, 1, 3),
            "3x3": (int(rng.integers(1, 65)), C, 3, 1, 1),
            "1x1": (int(rng.integers(1, 65)), C, 1, 1, 0),
            "strided": (int(rng.integers(1, 65)), C, 3, 2, 1),
        }[kind]
        out, cache = ops.conv2d_forward(drawn(N, C, H, W), drawn(O, C, k, k), stride=stride, padding=padding)
        return [out, *_present(ops.conv2d_backward(drawn(*out.shape), cache))]
    if kind == "linear":
        M, D = int(rng.integers(1, 300)), int(rng.integers(1, 300))
        out, linear = ops.linear_forward(drawn(20 * N, D), drawn(M, D))
        return [out, *_present(ops.linear_backward(drawn(*out.shape), linear))]
    if kind == "block":
        x, C = drawn(N, 16 * (1 + C // 16), H, W), 16 * (1 + C // 16)
        params = cbam_np.init_cbam(C, 4, rng=rng, dtype=dtype)
        out, block = cbam_np.cbam_forward(x, params)
        dx, grads = cbam_np.cbam_backward(drawn(*out.shape), block)
        return [out, dx, *grads.values()]
    if kind == "network":
        model = InPieces(cbam_np.SmallCNN("cbam", rng=rng, channels=(16, 24), reduction=4, start="he"))
        images = rng.integers(0, 256, (2 * N, 3, 32, 32), dtype=np.uint8)
        out = model.forward(images, training=True)
        model.backward(rng.normal(size=out.shape).astype(out.dtype))
        return [out, *model.model.grads.values()]
    kernels = {"W": drawn(8 + C, C, 3, 3)}
    Muon(kernels).step({"W": drawn(8 + C, C, 3, 3)}, 0.1)
    return [kernels["W"]]


def _present(arrays: Iterable[np.ndarray | None]) -> list[np.ndarray]:
    return [array for array in arrays if array is not None]


def hashed(number: int) -> str:
    """Return a hash of every bit that a configuration computes."""
    found = hashlib.sha256()
    for array in results_of(number):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def hashes(numbers: Iterable[int], limits: Sequence[int] = THREADS) -> dict[str, dict[int, str]]:
    """Return the hashes of configurations, by the number of threads that `limit_threads` allows; "" without it."""
    numbers = list(numbers)
    found: dict[str, dict[int, str]] = {"": {number: hashed(number) for number in numbers}}
    for count in limits:
        with limit_threads(count):
            found[str(count)] = {number: hashed(number) for number in numbers}
    return found


def hashes_elsewhere(first: int, last: int, threads: int, kernel: str) -> dict[str, dict[str, str]]:
    """Return the same from a process whose environment gives BLAS so many threads and a kernel."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads)}
    if kernel:
        environment["OPENBLAS_CORETYPE"] = kernel
    words = [sys.executable, "-m", "benchmarks.threads", "--hashes", str(first), str(last)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def differing(first: int, last: int, kernel: str, threads: Sequence[int] = THREADS) -> dict[int, list[str]]:
    """Return the configurations that do not have the same bits everywhere, each with where they differ."""
    everywhere: dict[str, dict[str, str]] = {}
    for count in threads:
        for limit, found in hashes_elsewhere(first, last, count, kernel).items():
            everywhere[f"BLAS {count}, limit {limit or 'none'}"] = found
    reference = next(iter(everywhere.values()))
    wrong = {
        number: [where for where, found in everywhere.items() if found[number] != reference[number]]
        for number in reference
    }
    return {int(number): where for number, where in wrong.items() if where}


def differing_kept(first: int, last: int, kernel: str) -> dict[int, list[str]]:
    """Return the same as `differing`, read where it was done before."""
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else []
    for part in map(json.loads, lines):
        if [part["first"], part["last"], part["kernel"]] == [first, last, kernel]:
            return {int(number): where for number, where in part["wrong"].items()}
    wrong = differing(first, last, kernel)
    KEPT.parent.mkdir(exist_ok=True)
    with open(KEPT, "a", encoding="utf-8") as file:
        print(json.dumps({"first": first, "last": last, "kernel": kernel, "wrong": wrong}), file=file)
    return wrong


def markdown(rows: list[dict[str, Any]], configurations: int) -> str:
    """Return the table as a page."""
    lines = [
        "# Bits and threads",
        "",
        f"{configurations} random configurations ({', '.join(KINDS)}; odd maps, float32 and float64; forward and "
        f"backward), each under `limit_threads` of {', '.join(map(str, THREADS))} and without it, in processes where "
        f"OPENBLAS_NUM_THREADS is {', '.join(map(str, THREADS))}. Made by `python -m benchmarks.threads`.",
        "",
        "| kernel of OpenBLAS | configurations | with the same bits everywhere | with other bits somewhere |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {row['kernel'] or 'its own choice'} | {row['configurations']} | {row['configurations'] - row['differ']} "
        f"| {row['differ']} |"
        for row in rows
    ]
    return "\n".join([*lines, "", "Between the two kernels, bits differ: they add in another order.", ""])


def main() -> int:
    """Compare, and print a table; return 1 where any bit differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--configurations", type=int, default=2000)
    parser.add_argument("--hashes", type=int, nargs=2, metavar=("FIRST", "LAST"), help="print hashes as JSON")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--again", action="store_true", help="forget what was done before")
    given = parser.parse_args()
    if given.hashes:
        print(json.dumps(hashes(range(*given.hashes))))
        return 0
    if given.again:
        KEPT.unlink(missing_ok=True)
    rows: list[dict[str, Any]] = [
        {"kernel": kernel, "configurations": 0, "differ": 0, "where": {}} for kernel in KERNELS
    ]
    for first in range(0, given.configurations, PART):
        last = min(first + PART, given.configurations)
        for row in rows:
            wrong = differing_kept(first, last, row["kernel"])
            row |= {"configurations": last, "differ": row["differ"] + len(wrong), "where": row["where"] | wrong}
        print(f"{last} of {given.configurations}: {[row['differ'] for row in rows]} differ", file=sys.stderr)
        if given.out:  # as far as it is
            given.out.mkdir(parents=True, exist_ok=True)
            write_json(given.out / "threads.json", {"kernels": rows, "machine": describe_machine()})
            write_text(given.out / "README.md", markdown(rows, last))
    print(markdown(rows, given.configurations))
    return 1 if any(row["differ"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
