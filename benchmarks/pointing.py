"""How well Grad-CAM points, with and without CBAM: at the object where its mask is known, or at what a network needs.

    python -m benchmarks.pointing RUNS [--out results/pointing]

RUNS is the folder of `cbam-np compare attention`: of each seed, the networks without attention and with CBAM look at
the same test images, for the right class. Shapes have masks; for CIFAR-10 there is the deletion curve alone.
"""

import argparse
from pathlib import Path

import numpy as np

from cbam_np.explain import deletion_curve, energy_inside, grad_cam, pointing_game
from cbam_np.train import bootstrap_interval, describe_machine, load_model
from cbam_np.train.checkpoint import write_json
from cbam_np.train.run import load_data, read_settings

VARIANTS = {"none": "no attention", "cbam": "CBAM"}
IMAGES = 1000  # of the test images, the first
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
        heat = grad_cam(model, images, labels)
        if test.masks is not None:
            masks = test.masks[at : at + batch]
            found["energy"].append(energy_inside(heat, masks))
            found["hit"].append(pointing_game(heat, masks))
        found["deletion"].append(deletion_curve(model, images, heat, labels).mean(axis=1))
    return {name: float(np.nanmean(np.concatenate(values))) for name, values in found.items() if values}


def measure(runs, data_root=None):
    """Return, for each score, the variants' means seed by seed, and their paired difference with its interval."""
    seeds = sorted(path.name for path in (runs / "cbam").glob("seed-*"))
    if not seeds:
        raise SystemExit(f"{runs} has no folder cbam/seed-0: make it with cbam-np compare attention")
    settings = read_settings(runs / "cbam" / seeds[0]).changed(data_root=data_root)
    test = load_data(settings)[2].subset(slice(IMAGES))
    by_variant = {v: [scores(load_model(runs / v / seed), test) for seed in seeds] for v in VARIANTS}
    rows = {}
    for name in by_variant["cbam"][0]:
        plain, cbam = ([score[name] for score in by_variant[v]] for v in VARIANTS)
        low, high = bootstrap_interval(np.subtract(cbam, plain))
        rows[name] = {"none": plain, "cbam": cbam, "low": low, "high": high}
        rows[name]["difference"] = float(np.mean(cbam) - np.mean(plain))
    return {
        "data": settings.data,
        "note": settings.note,
        "seeds": len(seeds),
        "images": len(test),
        "chance": None if test.masks is None else float(test.masks.mean()),
        "scores": rows,
        "machine": describe_machine(),
    }


def markdown(found):
    """Write the table."""
    even = ""
    if found["chance"]:
        even = f" The object covers {found['chance']:.1%} of a picture: so much of an even heat map would lie on it."
    lines = [
        "# Pointing",
        "",
        f"{found['seeds']} paired seeds, {found['images']} test images of {found['note'] or found['data']}, "
        f"Grad-CAM of the last maps for the right class.{even}",
        "",
        f"`cbam-np compare attention --data {found['data']} --seeds N --out RUNS`, then "
        "`python -m benchmarks.pointing RUNS`",
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
    parser.add_argument("runs", type=Path, help="folder of cbam-np compare attention")
    parser.add_argument("--data-root", metavar="DIR", help="where CIFAR-10 lies, as for cbam-np train")
    parser.add_argument("--out", type=Path, default=Path("results/pointing"), help="default: results/pointing")
    given = parser.parse_args()
    found = measure(given.runs, given.data_root)
    given.out.mkdir(parents=True, exist_ok=True)
    write_json(given.out / "pointing.json", found)
    (given.out / "README.md").write_text(markdown(found), encoding="utf-8")
    print(markdown(found))


if __name__ == "__main__":
    main()
