"""Where M_s selects: on the object or beside it, stage by stage, over seeds.

    python -m benchmarks.attending RUNS [--out results/attending]

RUNS is the folder of a `cbam-np compare` on shapes, whose objects have masks, such as `cbam-np compare start`. Of each
variant with spatial attention, every stage's M_s is compared on the object and beside it. A map can only select if it
differs from place to place: its spread is the standard deviation over the places of a picture.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from cbam_np.explain import attention_maps
from cbam_np.files import write_json
from cbam_np.train import describe_machine, load_model
from cbam_np.train.compare import COMPARISON, run_folder
from cbam_np.train.run import load_data, read_settings

IMAGES = 1000  # of the test images, the first
WITH_MAPS = ("cbam", "spatial")


def stages(model, test):
    """Return what each stage's M_s does: its means on the object and beside it, its spread, how often it favours it."""
    _, maps = attention_maps(model, test.images)
    found = {}
    for block in maps:
        _, height, width = block.Ms.shape
        N, H, W = test.masks.shape
        share = test.masks.reshape(N, height, H // height, width, W // width).mean(axis=(2, 4))  # of a place
        on = (block.Ms * share).sum(axis=(1, 2)) / share.sum(axis=(1, 2))
        beside = (block.Ms * (1 - share)).sum(axis=(1, 2)) / (1 - share).sum(axis=(1, 2))
        found[block.name.partition(".")[0]] = {
            "on": float(on.mean()),
            "beside": float(beside.mean()),
            "spread": float(block.Ms.std(axis=(1, 2)).mean()),
            "favours": float((on > beside).mean()),
        }
    return found


def measure(runs):
    """Return the stages of every seed, by variant."""
    path = runs / COMPARISON
    if not path.is_file():
        raise SystemExit(f"{runs} holds no {COMPARISON}: make it with cbam-np compare")
    comparison = json.loads(path.read_text(encoding="utf-8"))
    rows, seeds = [], range(comparison["seeds"])
    for name in (row["variant"] for row in comparison["rows"]):
        settings = read_settings(run_folder(runs, name, 0))
        if settings.attention not in WITH_MAPS:
            continue
        test = load_data(settings)[2].subset(slice(IMAGES))
        if test.masks is None:
            raise SystemExit(f"{settings.data} has no masks of its objects: compare on shapes")
        by_seed = [stages(load_model(run_folder(runs, name, seed)), test) for seed in seeds]
        rows.append({"variant": name, "seeds": by_seed})
    if not rows:
        raise SystemExit(f"no variant in {runs} has spatial attention: compare start has two")
    return {
        "what": comparison["what"],
        "seeds": len(seeds),
        "images": len(test),
        "rows": rows,
        "machine": describe_machine(),
    }


def lines(found):
    """Yield the rows of the table."""
    for row in found["rows"]:
        for stage in row["seeds"][0]:
            of_seeds = [seed[stage] for seed in row["seeds"]]
            on, beside, spread = (np.mean([s[key] for s in of_seeds]) for key in ("on", "beside", "spread"))
            differences = [s["on"] - s["beside"] for s in of_seeds]
            yield (
                f"| {row['variant']} | {stage} | {on:.3f} | {beside:.3f} | {np.mean(differences):+.3f} | "
                f"{min(differences):+.3f} to {max(differences):+.3f} | {spread:.3f} |"
            )


def markdown(found):
    """Return the page with the table."""
    head = "| variant | stage | M_s on the object | beside it | difference | over seeds | spread |\n" + "|---" * 7 + "|"
    return (
        f"# Where M_s selects\n\n{found['seeds']} seeds, {found['images']} test pictures of shapes with the masks of "
        "their objects. Where a place belongs to both, it counts for each with its share. The spread is the standard "
        "deviation over the places of a picture: a map without spread selects nothing.\n\n"
        f"`cbam-np compare {found['what']} --data shapes --seeds {found['seeds']} --out RUNS`, then "
        "`python -m benchmarks.attending RUNS`\n\n" + "\n".join([head, *lines(found)]) + "\n"
    )


def main():
    """Measure, and write `attending.json` and `README.md`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path, help="folder of a cbam-np compare on shapes")
    parser.add_argument("--out", type=Path, default=Path("results/attending"), help="default: results/attending")
    given = parser.parse_args()
    found = measure(given.runs)
    given.out.mkdir(parents=True, exist_ok=True)
    write_json(given.out / "attending.json", found)
    (given.out / "README.md").write_text(markdown(found), encoding="utf-8")
    print(markdown(found))


if __name__ == "__main__":
    main()
