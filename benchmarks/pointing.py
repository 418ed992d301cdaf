"""How well Grad-CAM points at the object, with and without CBAM: on shapes, whose masks are known.

    python -m benchmarks.pointing RUNS [--out results/pointing]

RUNS is the folder of `cbam-np compare attention --data shapes`: of each seed, the networks without attention and with
CBAM look at the same test images, for the right class.
"""

import argparse
from pathlib import Path

import numpy as np

from cbam_np.explain import deletion_curve, energy_inside, grad_cam, pointing_game
from cbam_np.train import bootstrap_interval, describe_machine, load_model
from cbam_np.train.checkpoint import write_json
from cbam_np.train.run import load_data
from cbam_np.train.settings import Settings

VARIANTS = {"none": "no attention", "cbam": "CBAM"}
SCORES = {
    "energy": "part of the heat on the object",
    "hit": "hottest pixel on the object",
    "deletion": "mean probability while the hottest pixels are taken away (lower is better)",
}


def scores(model, test, batch=100):
    """Return the mean of each score over the test images."""
    found = {name: [] for name in SCORES}
    for at in range(0, len(test), batch):
        images, labels = test.images[at : at + batch], test.labels[at : at + batch]
        masks = test.masks[at : at + batch]
        heat = grad_cam(model, images, labels)
        found["energy"].append(energy_inside(heat, masks))
        found["hit"].append(pointing_game(heat, masks))
        found["deletion"].append(deletion_curve(model, images, heat, labels).mean(axis=1))
    return {name: float(np.nanmean(np.concatenate(values))) for name, values in found.items()}


def measure(runs, test):
    """Return, for each score, the variants' means seed by seed, and their paired difference with its interval."""
    seeds = sorted(path.name for path in (runs / "cbam").glob("seed-*"))
    if not seeds:
        raise SystemExit(f"{runs} has no folder cbam/seed-0: make it with cbam-np compare attention --data shapes")
    by_variant = {v: [scores(load_model(runs / v / seed), test) for seed in seeds] for v in VARIANTS}
    rows = {}
    for name in SCORES:
        plain, cbam = ([score[name] for score in by_variant[v]] for v in VARIANTS)
        low, high = bootstrap_interval(np.subtract(cbam, plain))
        rows[name] = {"none": plain, "cbam": cbam, "low": low, "high": high}
        rows[name]["difference"] = float(np.mean(cbam) - np.mean(plain))
    return {"seeds": len(seeds), "images": len(test), "scores": rows, "machine": describe_machine()}


def chance(test):
    """Return what a heat map that is the same everywhere would score: the part of a picture that the object covers."""
    return float(test.masks.mean())


def markdown(found):
    """Write the table."""
    lines = [
        "# Pointing",
        "",
        f"{found['seeds']} paired seeds, {found['images']} test shapes, Grad-CAM of the last maps for the right class. "
        f"The object covers {found['chance']:.1%} of a picture: so much of an even heat map would lie on it.",
        "",
        "`cbam-np compare attention --data shapes --seeds N --out RUNS`, then `python -m benchmarks.pointing RUNS`",
        "",
        "| | no attention | CBAM | difference | 95% interval |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, row in found["scores"].items():
        interval = "" if row["low"] is None else f"{row['low']:+.3f} to {row['high']:+.3f}"
        plain, cbam = np.mean(row["none"]), np.mean(row["cbam"])
        lines.append(f"| {SCORES[name]} | {plain:.3f} | {cbam:.3f} | {row['difference']:+.3f} | {interval} |")
    return "\n".join(lines) + "\n"


def main():
    """Measure, and write `pointing.json` and `README.md`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path, help="folder of cbam-np compare attention --data shapes")
    parser.add_argument("--out", type=Path, default=Path("results/pointing"), help="default: results/pointing")
    given = parser.parse_args()
    test = load_data(Settings(data="shapes"))[2]
    found = measure(given.runs, test) | {"chance": chance(test)}
    given.out.mkdir(parents=True, exist_ok=True)
    write_json(given.out / "pointing.json", found)
    (given.out / "README.md").write_text(markdown(found), encoding="utf-8")
    print(markdown(found))


if __name__ == "__main__":
    main()
