"""What a comparison found: a row for each variant, and what may be said about it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .statistics import bootstrap_interval, sign_flip_p, smallest_p

BASELINE, ONE_SEED = "baseline", "one seed: no conclusion"


@dataclass(frozen=True)
class Row:
    """One variant: its accuracy seed by seed, and the mean difference from the baseline, with interval and p."""

    variant: str
    parameters: int
    accuracies: list[float]
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def mean(self) -> float:
        """Mean accuracy."""
        return float(np.mean(self.accuracies))

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the seeds; None with one seed."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else None

    @property
    def verdict(self) -> str:
        """What may be said: "better" and "worse" only where p ≤ 0.05, which takes six seeds or more."""
        if self.difference is None:
            return BASELINE
        if self.p is None:
            return ONE_SEED
        if self.p <= 0.05:
            return "better" if self.difference > 0 else "worse"
        if self.p == smallest_p(len(self.accuracies)):  # all seeds agree, but there are too few
            return f"{'higher' if self.difference > 0 else 'lower'} in all {len(self.accuracies)} seeds"
        return "no difference found"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {**asdict(self), "mean": self.mean, "deviation": self.deviation, "verdict": self.verdict}


def row_of(variant: str, parameters: int, accuracies: list[float], baseline: Row | None) -> Row:
    """Return the row of a variant; without a baseline, it is the baseline."""
    if baseline is None:
        return Row(variant, parameters, accuracies)
    differences = np.subtract(accuracies, baseline.accuracies)
    low, high = bootstrap_interval(differences)
    p = None if low is None else sign_flip_p(differences)
    return Row(variant, parameters, accuracies, float(differences.mean()), low, high, p)


def comparison_table(found: dict[str, Any], rows: str = "rows") -> str:
    """Return a comparison, as `comparison.json` holds it, as a Markdown table, from its rows of that name."""
    lines = [
        f"| variant | parameters | {found['images']} accuracy, mean ± deviation | difference | 95% interval "
        "| verdict |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in found[rows]:
        spread = "" if row["deviation"] is None else f" ± {100 * row['deviation']:.2f}"
        difference = "" if row["difference"] is None else f"{100 * row['difference']:+.2f}"
        interval = "" if row["low"] is None else f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}"
        lines.append(
            f"| {row['variant']} | {row['parameters']:,} | {100 * row['mean']:.2f}{spread} | {difference} | {interval} "
            f"| {row['verdict']} |"
        )
    return "\n".join(lines)


def _images(found: dict[str, Any]) -> str:
    """Say on what, and on how many images where not on all, a comparison was trained."""
    settings = found["settings"]
    count = f"{settings['images']:,} " if settings["images"] else ""
    if settings["data"] == "shapes":
        return f"{count}shapes"
    name = f"the {found['note']}" if found["note"] else "CIFAR-10"
    return f"{count}images of {name}" if count else name


def comparison_page(found: dict[str, Any]) -> str:
    """Return the Markdown page about a comparison."""
    recipe = found["settings"]["recipe"]
    epochs = f"{recipe['epochs']} epoch{'s' if recipe['epochs'] != 1 else ''}"
    copies = ""
    if found.get("rows_six_copies"):
        table = comparison_table(found, "rows_six_copies")
        copies = f"\nWith the scores of six copies of each test image, shifted and mirrored, together:\n\n{table}\n"
    return (
        f"# {found['what']}\n\n"
        f"{found['seeds']} paired seeds per variant, {epochs} on {_images(found)}; differences from the first "
        "variant, with bootstrap intervals over the seeds. With few seeds, such intervals are too narrow rather than "
        "too wide. “Better” and “worse” are reported only when p ≤ 0.05 (a sign-flip test), which takes six seeds or "
        f"more.\n\n{comparison_table(found)}\n{copies}"
    )
