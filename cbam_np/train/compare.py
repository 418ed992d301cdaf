"""Networks compared fairly: the same seeds, the same images in the same order, and what of a difference is noise.

Each variant is trained once with every seed; a run is an ordinary run in a folder of its own, so that whatever stops
the comparison, nothing is lost: a finished run is read, a stopped one goes on, and the numbers at the end are the same.
Where training images are held back for validation, they score the variants, and nobody looks at the test images.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..engine import limit_threads
from ..files import check_writable, write_json
from .lock import held
from .machine import cores, describe_machine
from .run import SIX_COPIES, prepare
from .settings import Settings
from .state import CHECKPOINT
from .table import Row, row_of
from .variants import variants_of
from .workers import run_in_processes

COMPARISON = "comparison.json"
MOST_SEEDS = 1000
TURN = 1.0  # seconds between two looks at whether an executor is still there


def compare(
    what: str,
    settings: Settings,
    seeds: int,
    out: Path | str,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = True,
    watch: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Train the variants of a comparison and say how they differ.

    Parameters
    ----------
    what : str
        A name in `VARIANTS`.
    settings : Settings
        What all variants have in common; its attention and seed are not used.
    seeds : int
        How many; every variant is trained with seeds 0, 1, …
    out : Path or str
        Folder; a run of a variant lies in its own folder inside.
    executor : concurrent.futures.Executor, optional
        Where runs are made, each on one thread; processes on this machine where none is given.
    workers : int, optional
        How many processes; one per core where no number is given.
    progress : bool
        Whether to show a progress bar.
    watch : callable, optional
        Called about once a second while the executor works; what it raises ends the waiting.

    Returns
    -------
    dict
        What `comparison.json` in `out` holds.

    Raises
    ------
    ValueError
        If `what` is unknown, or a setting does not fit.
    OSError, CheckpointError
        If a folder cannot be used, or holds another run.
    WorkerError
        If the process of a run was killed twice.
    """
    from tqdm.auto import tqdm

    if not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"seeds is {seeds}, expected 1 to {MOST_SEEDS}")
    if workers is not None and workers < 1:
        raise ValueError(f"workers is {workers}, expected 1 or more")
    variants = variants_of(what, _anywhere(settings))
    for name, variant in variants.items():
        _check_network(name, variant)
    out = Path(out).expanduser().resolve()  # so that a worker in another folder means the same
    check_writable(out)
    jobs = {
        _title(name, seed): (variant.changed(seed=seed), run_folder(out, name, seed))
        for seed in range(seeds)
        for name, variant in variants.items()
    }

    def report(text: str) -> None:
        tqdm.write(text, file=sys.stderr)

    with held(out):
        if executor is None:
            found = run_in_processes(finish, jobs, workers or cores(), report)
        else:
            found = _run_in_executor(executor, jobs, watch)
        results = dict(tqdm(found, total=len(jobs), desc=what, unit="run", disable=not progress))
        write_json(out / COMPARISON, _found(what, settings, list(variants), seeds, results))
    return json.loads((out / COMPARISON).read_text(encoding="utf-8"))


def _check_network(name: str, variant: Settings) -> None:
    """Raise a ValueError that names the variant where its network cannot be made, before hours go into the others."""
    try:
        variant.make_network(10, np.random.default_rng(0))
    except ValueError as error:
        raise ValueError(f"{name!r} cannot be trained: {error}") from error


def _title(variant: str, seed: int) -> str:
    return f"{variant!r}, seed {seed}"


def _anywhere(settings: Settings) -> Settings:
    """Return settings whose paths mean the same in every folder."""
    root = settings.data_root
    return settings if root is None else settings.changed(data_root=os.path.abspath(os.path.expanduser(root)))


def _run_in_executor(
    executor: Executor, jobs: dict[str, tuple], watch: Callable[[], None] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield results as they are finished; where one fails, those that wait are not begun."""
    futures = {executor.submit(finish, *job): key for key, job in jobs.items()}
    waiting = set(futures)
    try:
        while waiting:
            finished, waiting = wait(waiting, TURN if watch else None, FIRST_COMPLETED)
            for done in finished:
                yield futures[done], done.result()
            if watch and not finished:
                watch()
    finally:
        for future in futures:
            future.cancel()


def run_folder(out: Path | str, variant: str, seed: int) -> Path:
    """Return where a comparison in `out` keeps the run of a variant and a seed."""
    folder = "".join(letter if letter.isalnum() else "-" for letter in variant.lower().replace("×", "x"))
    return Path(out) / folder / f"seed-{seed}"


def finish(settings: Settings, folder: Path) -> dict[str, Any]:
    """Start a run, go on with it, or read its result, whichever it needs; on one thread."""
    with limit_threads(1):
        run = prepare(settings, folder, resume=(folder / CHECKPOINT).is_file())
        return run.finish(progress=False, test=not settings.validation)


def _found(
    what: str, settings: Settings, variants: list[str], seeds: int, results: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    images = "validation" if settings.validation else "test"
    of_variants = {name: [results[_title(name, seed)] for seed in range(seeds)] for name in variants}
    copies = all(SIX_COPIES in result for result in results.values())
    common = asdict(settings)
    for name in ("data_root", "note", "seed", "attention"):
        del common[name]
    return {
        "what": what,
        "note": settings.note,
        "seeds": seeds,
        "images": images,
        "settings": common,
        "rows": _rows(of_variants, f"{images}_accuracy"),
        "rows_six_copies": _rows(of_variants, SIX_COPIES) if copies else None,
        "seconds_per_run": float(np.mean([r["seconds_per_epoch"] * r["epochs"] for r in results.values()])),
        "machine": describe_machine(),
    }


def _rows(of_variants: dict[str, list[dict[str, Any]]], score: str) -> list[dict[str, Any]]:
    """Return a row for each variant, from the results of its seeds."""
    rows: list[Row] = []
    for name, of_seeds in of_variants.items():
        accuracies = [result[score] for result in of_seeds]
        rows.append(row_of(name, of_seeds[0]["parameters"], accuracies, rows[0] if rows else None))
    return [row.to_dict() for row in rows]
