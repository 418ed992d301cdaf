"""How fast the NumPy code is, next to PyTorch on the same machine, in the same run, in turn.

    python -m benchmarks.speed [--only a,c] [--repeats 15] [--threads 2] [--no-compile] [--out results/speed]

Before anything is timed, all that is compared is run once and must give the same numbers: in float64, and in the
float32 that is timed. Every repeat then runs each candidate once, in turn. Without PyTorch the rest is measured.
"""

import argparse
import importlib.util
import json
import os
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm import tqdm

from cbam_np.cli.arguments import a_folder, whole
from cbam_np.engine import limit_threads, memory
from cbam_np.train import describe_machine

from . import speed_memory, speed_shares
from .cases import Sizes, block_run, draw_block, growth_cases, loop_cases, make_cases
from .speed_report import PARTS, markdown
from .timing import Disagreement, check_same, exponent, interleave, summarise, watch_others

AGAINST_PYTORCH = "abcdej"
LIBRARIES = ("OPENBLAS_", "OMP_", "GOMP_", "MKL_", "ONEDNN_", "DNNL_")  # variables of the environment that matter


def load_twins():
    """Return the module that needs PyTorch, or None where PyTorch is not installed."""
    return importlib.import_module(".twins", __package__) if importlib.util.find_spec("torch") else None


def time_case(case, twins, compiled, repeats):
    """Check that all ways of a case agree, time them, and return a row with the best way of each kind.

    Parameters
    ----------
    case : Case
        What to time.
    twins : module or None
        `benchmarks.twins`, where there is PyTorch.
    compiled : bool
        Whether to time `torch.compile` too.
    repeats : int
        How often.

    Returns
    -------
    dict
        `part`, `name`, `flops`; seconds as `NumPy`, `eager`, `compiled`, the last two of the way with the least
        median; `ways`, the seconds of all; `ratio` and `ratio_compiled`, NumPy's median divided by PyTorch's;
        `cores_of_others`, how many cores other processes kept busy meanwhile.

    Raises
    ------
    Disagreement
        If a way does not return NumPy's numbers.
    """
    candidates = case.candidates(twins, compiled)
    check_same(candidates, case.tolerance)
    with watch_others() as others:
        times = interleave(candidates, repeats)
    row = {"part": case.part, "name": case.name, "flops": case.flops, "cores_of_others": others[0], "ways": []}
    for (kind, way), seconds in times.items():
        found = {"kind": kind, "way": way, **summarise(seconds)}
        row["ways"].append(found)
        if kind not in row or found["median"] < row[kind]["median"]:
            row[kind] = found
    for kind, ratio in (("eager", "ratio"), ("compiled", "ratio_compiled")):
        if kind in row:
            row[ratio] = row["NumPy"]["median"] / row[kind]["median"]
    return row


def time_cases(sizes, parts, twins, compiled, repeats):
    """Check the cases of some parts in float64, then time them in float32; return the rows."""
    rows = []
    pairs = zip(make_cases(sizes), make_cases(sizes, np.float64), strict=True)
    for case, exact in tqdm([pair for pair in pairs if pair[0].part in parts], "against PyTorch" if twins else "NumPy"):
        try:
            if twins:
                check_same(exact.candidates(twins))
            rows.append(time_case(case, twins, compiled, repeats))
        except Disagreement as error:
            raise Disagreement(f"{case.name}: {error}") from error
    return rows


def time_loops(sizes, repeats):
    """Time the loops against whole arrays; return rows."""
    rows = []
    for name, pair in tqdm(loop_cases(sizes).items(), "loops"):
        found = {key: summarise(seconds) for key, seconds in interleave(pair, repeats, warm_up=1).items()}
        rows.append({"name": name, **found, "ratio": found["loops"]["median"] / found["arrays"]["median"]})
    return rows


def time_growth(sizes, repeats):
    """Time CBAM forward and backward while N, C and H·W double, and fit exponents."""
    rows = []
    for name, steps in tqdm(growth_cases(sizes).items(), "growth"):
        runs = {size: block_run(*draw_block(shape, sizes.reduction)) for size, shape in steps}
        points = [{"size": size, **summarise(seconds)} for size, seconds in interleave(runs, repeats).items()]
        p = exponent([point["size"] for point in points], [point["median"] for point in points])
        rows.append({"name": name, "exponent": p, "points": points})
    return rows


def gemm_peak(sizes, threads, repeats):
    """Return the best rate of a float32 product of square matrices, in operations per second, by number of threads."""
    matrices = {n: np.ones((n, n), np.float32) for n in sizes.gemm}
    runs = {n: partial(np.matmul, A, A) for n, A in matrices.items()}
    peaks = []
    for count in sorted({1, threads}):
        with threadpool_limits(count, "blas"):
            fastest = {n: 2 * n**3 / min(seconds) for n, seconds in interleave(runs, repeats).items()}
        size = max(fastest, key=fastest.get)
        peaks.append({"threads": count, "flops_per_second": fastest[size], "size": size})
    return peaks


def measure(sizes, parts, repeats, threads, compile, twins):
    """Measure some parts and return all that was found, as JSON can hold it."""
    memory.keep()  # as training does
    with limit_threads(threads), twins.limit_threads(threads) if twins else nullcontext():
        result = {"threads": threads, "repeats": repeats, "dtype": "float32", "machine": describe_machine()}
        result["blas_kernels"] = [
            pool.get("architecture", "?") for pool in threadpool_info() if pool["user_api"] == "blas"
        ]
        result["torch"] = twins.torch.__version__ if twins else None
        why_not = "PyTorch is not installed" if not twins else None if compile else "left out by --no-compile"
        if twins and compile and set(parts) & set(AGAINST_PYTORCH):
            why_not = twins.no_compiler()
        result["not_compiled"] = why_not
        rows = time_cases(sizes, parts, twins, compile and not why_not, repeats)
        result["cases"] = rows
        if "f" in parts:
            result["loops"] = time_loops(sizes, repeats)
        if "g" in parts:
            result["growth"] = time_growth(sizes, repeats)
        if "i" in parts:
            result["gemm"] = gemm_peak(sizes, threads, repeats)
        if "k" in parts:
            result["shares"] = speed_shares.measure(sizes, threads, repeats, twins)
    if "h" in parts:
        result["memory"] = speed_memory.measure(sizes, threads, twins) if speed_memory.PROC.exists() else []
    return result


def declare(parser):
    """Add the options to a parser."""
    parser.add_argument(
        "--only",
        type=letters,
        default="".join(PARTS),
        metavar="a,c",
        help="parts to measure; default: all. " + "; ".join(f"{part}: {title}" for part, title in PARTS.items()),
    )
    parser.add_argument(
        "--repeats", type=whole(1, 10_000), default=15, metavar="N", help="runs of each candidate; default: 15"
    )
    parser.add_argument(
        "--threads", type=whole(1, 1024), default=2, metavar="N", help="of NumPy and of PyTorch; default: 2"
    )
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out")
    parser.add_argument(
        "--out", type=a_folder(), default=Path("results/speed"), metavar="DIR", help="for speed.json and speed.png"
    )


def letters(text):
    """Read --only."""
    parts = text.replace(",", "").replace(" ", "")
    wrong = sorted(set(parts) - set(PARTS))
    if wrong or not parts:
        raise argparse.ArgumentTypeError(f"{text!r}: expected some of {','.join(PARTS)}, as in a,c")
    return parts


def run(only, repeats, threads, compile, out, sizes=None):
    """Measure, print, write JSON and picture; return the exit status: 1 if results differ, 2 if `out` is bad."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"cannot write into {out}: {error.strerror}", file=sys.stderr)
        return 2
    try:
        result = measure(sizes or Sizes(), only, repeats, threads, compile, load_twins())
    except Disagreement as error:
        print(f"not timed, results differ: {error}", file=sys.stderr)
        return 1
    flags = [] if set(only) == set(PARTS) else ["--only", ",".join(only)]
    flags += ["--repeats", str(repeats), "--threads", str(threads)] + ([] if compile else ["--no-compile"])
    chosen = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(LIBRARIES)]
    result["command"] = " ".join([*chosen, "python -m benchmarks.speed", *flags])
    (out / "speed.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    compared = [row for row in result["cases"] if "ratio" in row]
    if compared:
        from cbam_np import viz

        viz.speed_figure(compared).savefig(out / "speed.png", dpi=150)
    text = markdown(result)
    (out / "README.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    print(text)
    return 0


def main(argv=None, sizes=None):
    """Run the benchmark from the shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    declare(parser)
    return run(**vars(parser.parse_args(argv)), sizes=sizes)


if __name__ == "__main__":
    sys.exit(main())
