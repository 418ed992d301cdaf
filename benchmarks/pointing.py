"""How well Grad-CAM points: at the object where its mask is known, or at what a network needs.

    python -m benchmarks.pointing RUNS [--out results/pointing]

RUNS is the folder of a `cbam-np compare`: the networks of each seed look at the same test images, for the right
class, and the first variant is the baseline. Shapes have masks; for CIFAR-10 there is the deletion curve alone.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from cbam_np.explain import deletion_curve, energy_inside, grad_cam, pointing_game
from cbam_np.files import write_json
from cbam_np.train import bootstrap_interval, describe_machine, load_model
from cbam_np.train.compare import COMPARISON, run_folder
from cbam_np.train.run import load_data, read_settings

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
    """Return each variant's mean score for every seed, and the intervals of their paired differences from the first."""
    path = runs / COMPARISON
    if not path.is_file():
        raise SystemExit(f"{runs} holds no {COMPARISON}: make it with cbam-np compare")
    comparison = json.loads(path.read_text(encoding="utf-8"))
    names, seeds = [row["variant"] for row in comparison["rows"]], range(comparison["seeds"])
    settings = read_settings(run_folder(runs, names[0], 0)).changed(data_root=data_root)
    test = load_data(settings)[2].subset(slice(IMAGES))
    by_seed = {name: [scores(load_model(run_folder(runs, name, seed)), test) for seed in seeds] for name in names}
    rows = []
    for name in names:
        row = {"variant": name, "scores": {}}
        for score in by_seed[name][0]:
            own, first = ([found[score] for found in by_seed[n]] for n in (name, names[0]))
            row["scores"][score] = {"seeds": own, "mean": float(np.mean(own))}
            if name != names[0]:
                low, high = bootstrap_interval(np.subtract(own, first))
                row["scores"][score] |= {"difference": float(np.mean(own) - np.mean(first)), "low": low, "high": high}
        rows.append(row)
    return {
        "what": comparison["what"],
        "data": settings.data,
        "note": settings.note,
        "seeds": len(seeds),
        "images": len(test),
        "chance": None if test.masks is None else float(test.masks.mean()),
        "rows": rows,
        "machine": describe_machine(),
    }


def table(found):
    """Return the scores as a Markdown table: means, and the intervals of the differences from the first variant."""
    names = list(found["rows"][0]["scores"])
    lines = ["| variant | " + " | ".join(SCORES[name] for name in names) + " |", "|---" * (1 + len(names)) + "|"]
    for row in found["rows"]:
        cells = [row["variant"]]
        for score in row["scores"].values():
            interval = "" if score.get("low") is None else f" ({score['low']:+.3f} to {score['high']:+.3f})"
            cells.append(f"{score['mean']:.3f}{interval}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def markdown(found):
    """Return the page with the table."""
    even = ""
    if found["chance"]:
        even = f" The object covers {found['chance']:.1%} of a picture: so much of an even heat map would lie on it."
    images = f"the {found['note']}" if found["note"] else found["data"]
    return (
        f"# Pointing\n\n{found['seeds']} paired seeds, {found['images']} test images of "
        f"{images}, Grad-CAM of the last maps for the right class.{even} In brackets, 95% "
        f"bootstrap intervals of the difference to the first variant.\n\n`cbam-np compare {found['what']} --data "
        f"{found['data']} --seeds {found['seeds']} --out RUNS`, then `python -m benchmarks.pointing RUNS`\n\n"
        f"{table(found)}\n"
    )


def main():
    """Measure, and write `pointing.json` and `README.md`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path, help="folder of a cbam-np compare")
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
