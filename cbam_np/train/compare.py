"""Networks compared fairly: the same seeds, the same images in the same order, and what of a difference is noise.

Each variant is trained once a seed; a run is an ordinary run in a folder of its own, so that whatever stops the
comparison, nothing is lost: a finished run is read, a stopped one goes on, and the numbers at the end are the same.
Where training images are held back for validation, they score the variants, and nobody looks at the test images.
"""

import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from ..engine.slices import limit_threads
from ..nn import SmallCNN
from ..ops.checks import check_option
from .checkpoint import write_json
from .machine import describe_machine
from .run import prepare
from .state import CHECKPOINT

COMPARISON = "comparison.json"
EXACT = 6  # seeds up to which every resampling of them can be looked at


def _widened(settings):
    """Return the channels of a network without attention that has as many parameters: its last stage is wider."""
    channels, rng = list(settings.channels), np.random.default_rng(0)

    def count(attention, channels):
        return sum(
            array.size
            for array in SmallCNN(
                attention, channels=channels, convs=settings.convs or 1, reduction=settings.reduction, rng=rng
            ).params.values()
        )

    wanted = count("cbam", channels)
    while count(None, channels) < wanted:
        channels[-1] += 1
    return {"attention": None, "channels": tuple(channels)}


def _only(**changes):
    return lambda settings: {"attention": "cbam", **changes}


VARIANTS = {
    "attention": {
        "none": lambda settings: {"attention": None},
        "SE": lambda settings: {"attention": "se"},
        "CBAM": _only(),
        "wider, no attention": _widened,
    },
    "channel-pools": {  # paper, Table 1
        "avg & max": _only(order="channel"),
        "avg": _only(order="channel", channel_pools=("avg",)),
        "max": _only(order="channel", channel_pools=("max",)),
    },
    "spatial": {  # paper, Table 2, without the learned 1×1 convolution
        "avg & max, 7×7": _only(),
        "avg & max, 3×3": _only(kernel_size=3),
        "avg, 7×7": _only(spatial_pools=("avg",)),
        "max, 7×7": _only(spatial_pools=("max",)),
        "channel only": _only(order="channel"),
    },
    "order": {  # paper, Table 3
        "channel, then spatial": _only(),
        "spatial, then channel": _only(order="spatial-channel"),
        "side by side": _only(order="parallel"),
        "channel only": _only(order="channel"),
        "spatial only": _only(order="spatial"),
    },
    "start": {  # which the paper leaves out, and the official code does in another way
        "all maps 1/2": _only(),
        "He": _only(start="he"),
        "none": lambda settings: {"attention": None},
    },
    "recipe": {  # what each choice buys, of a recipe that makes all of these
        "as it is": lambda settings: {},
        "convolutions drawn": lambda settings: {"conv_start": "he"},
        "one cycle with a cosine": lambda settings: {"schedule": "one-cycle"},
        "shift by 4, black border": lambda settings: {"augment": "crop+flip"},
        "flip without shift": lambda settings: {"augment": "flip"},
        "no augmentation": lambda settings: {"augment": "none"},
        "cutout 8×8": lambda settings: {"cutout": 8},
        "no label smoothing": lambda settings: {"label_smoothing": 0.0},
        "no weight decay": lambda settings: {"weight_decay": 0.0},
        "half the learning rate": lambda settings: {"lr": settings.recipe.lr / 2},
        "twice the learning rate": lambda settings: {"lr": settings.recipe.lr * 2},
    },
    "reduction": {  # which the paper leaves out
        "r = 16": _only(reduction=16),
        "r = 2": _only(reduction=2),
        "r = 4": _only(reduction=4),
        "r = 8": _only(reduction=8),
        "r = 32": _only(reduction=32),
    },
}
"""What can be compared: by name, the variants, as changes to the settings. The others are held to the first."""


@dataclass(frozen=True)
class Row:
    """One variant: its accuracy seed by seed, and the mean difference to the first variant, with interval and p."""

    variant: str
    parameters: int
    accuracies: list[float]
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def mean(self):
        """Mean accuracy."""
        return float(np.mean(self.accuracies))

    @property
    def deviation(self):
        """Standard deviation over the seeds; None with one seed."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else None

    @property
    def verdict(self):
        """What may be said: "better" and "worse" only where p ≤ 0.05, which takes six seeds or more."""
        if self.difference is None:
            return "the others are held to it"
        if self.low is None:
            return "one seed: nothing can be said"
        if self.p <= 0.05:
            return "better" if self.difference > 0 else "worse"
        if self.p == smallest_p(len(self.accuracies)):  # no seed says otherwise, but there are too few
            return f"{'higher' if self.difference > 0 else 'lower'} in all {len(self.accuracies)} seeds"
        return "no difference found"


def bootstrap_interval(differences, level=0.95, resamples=10_000):
    """Return the ends of a percentile bootstrap interval of the mean.

    Parameters
    ----------
    differences : array_like, shape (n,)
        Paired differences, one a seed; up to six of them, every one of the nⁿ resamplings is looked at.
    level : float
        Part of the resampled means that the interval holds.
    resamples : int
        How many are drawn where there are too many to look at all.

    Returns
    -------
    low, high : float
        Ends of the interval, or None for both with fewer than two differences.

    Notes
    -----
    Source: Efron, Annals of Statistics 1979. With a handful of seeds such an interval is too narrow rather than too
    wide: three seeds that agree by chance look like a result.
    """
    differences = np.asarray(differences, float)
    n = len(differences)
    if n < 2:
        return None, None
    if n <= EXACT:
        means = np.array(list(product(differences, repeat=n))).mean(axis=1)
    else:
        means = np.random.default_rng(0).choice(differences, (resamples, n)).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def sign_flip_p(differences, resamples=10_000):
    """Return how probable a mean difference as large as this is, either way, if each sign were a coin's.

    Parameters
    ----------
    differences : array_like, shape (n,)
        Paired differences, one a seed; up to twelve of them, every one of the 2ⁿ ways is looked at.
    resamples : int
        How many ways are drawn where there are too many to look at all.

    Returns
    -------
    float
        p, exact and without assumptions about the noise; never less than `smallest_p(n)`.

    Notes
    -----
    Source: Fisher, The Design of Experiments, 1935, section 21.
    """
    differences = np.asarray(differences, float)
    n = len(differences)
    if n <= 12:
        signs = np.array(list(product((1, -1), repeat=n)))
    else:
        signs = np.vstack([np.ones(n), np.random.default_rng(0).choice((1, -1), (resamples, n))])
    means = np.abs((signs * differences).mean(axis=1))
    return float(np.mean(means >= means[0] * (1 - 1e-12)))  # the first way is the one that was seen


def smallest_p(n):
    """Return the p of n differences that all have the same sign."""
    return 2 / 2**n


def compare(what, settings, seeds, out, *, executor=None, workers=None, progress=True):
    """Train the variants of a comparison and say how they differ.

    Parameters
    ----------
    what : str
        A name in `VARIANTS`.
    settings : Settings
        What all variants have in common; its attention, seed and what a variant changes are not used.
    seeds : int
        How many; every variant is trained with seeds 0, 1, …
    out : Path or str
        Folder; a run of a variant lies in its own folder inside.
    executor : concurrent.futures.Executor, optional
        Where runs are made, each on one thread; processes on this machine, one a core, where none is given.
    workers : int, optional
        How many processes.
    progress : bool
        Whether to show a progress bar.

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
    """
    from tqdm.auto import tqdm

    check_option(what, "what", VARIANTS)
    if seeds < 1:
        raise ValueError(f"seeds is {seeds}, expected 1 or more")
    out = Path(out)
    jobs = {
        (name, seed): (settings.changed(**changes(settings), seed=seed), run_folder(out, name, seed))
        for seed in range(seeds)
        for name, changes in VARIANTS[what].items()
    }
    own = executor or ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        futures = {own.submit(finish, *job): key for key, job in jobs.items()}
        results = {}
        for done in tqdm(as_completed(futures), total=len(jobs), desc=what, unit="run", disable=not progress):
            results[futures[done]] = done.result()
    finally:
        if executor is None:
            own.shutdown(cancel_futures=True)
    path = out / COMPARISON
    write_json(path, _found(what, settings, seeds, results))
    return json.loads(path.read_text(encoding="utf-8"))


def run_folder(out, variant, seed):
    """Return where a comparison in `out` keeps the run of a variant and a seed."""
    folder = "".join(letter if letter.isalnum() else "-" for letter in variant.lower().replace("×", "x"))
    return Path(out) / folder / f"seed-{seed}"


def finish(settings, folder):
    """Start a run, go on with it, or read its result, whichever it needs; on one thread."""
    with limit_threads(1):
        run = prepare(settings, folder, resume=(folder / CHECKPOINT).is_file())
        return run.finish(progress=False, test=not settings.validation)


def _found(what, settings, seeds, results):
    rows, images = [], "validation" if settings.validation else "test"
    for name in VARIANTS[what]:
        own = [results[name, seed] for seed in range(seeds)]
        row = Row(name, own[0]["parameters"], [result[f"{images}_accuracy"] for result in own])
        if rows:
            differences = np.subtract(row.accuracies, rows[0].accuracies)
            low, high = bootstrap_interval(differences)
            p = None if low is None else sign_flip_p(differences)
            row = Row(row.variant, row.parameters, row.accuracies, float(differences.mean()), low, high, p)
        rows.append(row)
    common = asdict(settings)
    for name in ("data_root", "note", "seed", "attention"):
        del common[name]
    return {
        "what": what,
        "note": settings.note,
        "seeds": seeds,
        "images": images,
        "settings": common,
        "rows": [{**asdict(row), "mean": row.mean, "deviation": row.deviation, "verdict": row.verdict} for row in rows],
        "seconds_per_run": float(np.mean([r["seconds_per_epoch"] * r["epochs"] for r in results.values()])),
        "machine": describe_machine(),
    }


def comparison_table(found):
    """Return a comparison as a Markdown table."""
    lines = [
        f"| variant | parameters | {found['images']} accuracy, mean ± deviation | difference | 95% interval | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in found["rows"]:
        spread = "" if row["deviation"] is None else f" ± {100 * row['deviation']:.2f}"
        difference = "" if row["difference"] is None else f"{100 * row['difference']:+.2f}"
        interval = "" if row["low"] is None else f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}"
        lines.append(
            f"| {row['variant']} | {row['parameters']:,} | {100 * row['mean']:.2f}{spread} | {difference} | {interval} "
            f"| {row['verdict']} |"
        )
    return "\n".join(lines)
