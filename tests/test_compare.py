"""A comparison: paired, honest about noise, and whole again after any stop."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from cbam_np.train import VARIANTS, Recipe, Settings, bootstrap_interval, compare, comparison_table, sign_flip_p
from cbam_np.train.compare import Row, run_folder
from cbam_np.train.run import prepare

from .helpers import Here

SMALL = Settings(
    recipe=Recipe(epochs=1, batch_size=32, lr=0.05, augment="none"), channels=(4, 8), reduction=2, images=64
)
OPTIONS = ["--epochs", "2", "--batch-size", "32", "--lr", "0.05", "--augment", "none", "--images", "64"]
OPTIONS += ["--channels", "4", "8", "--reduction", "2"]


@pytest.fixture(autouse=True)
def few_shapes(monkeypatch):
    monkeypatch.setattr("cbam_np.train.run.SHAPES", {"train": (64, (0, 0)), "test": (50, (0, 1))})


@pytest.fixture
def found(tmp_path):
    return compare("attention", SMALL, 2, tmp_path / "out", executor=Here(), progress=False)


def test_every_variant_is_what_a_run_of_its_own_gives(found, tmp_path):
    assert [row["variant"] for row in found["rows"]] == list(VARIANTS["attention"])
    for row, changes in zip(found["rows"], VARIANTS["attention"].values(), strict=True):
        for seed, accuracy in enumerate(row["accuracies"]):
            settings = SMALL.changed(**changes(SMALL), seed=seed)
            alone = prepare(settings, tmp_path / f"{row['variant']}-{seed}").finish(progress=False)
            assert alone["test_accuracy"] == accuracy
    kept = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert kept == found


def test_the_control_has_as_many_parameters(found):
    none, _, cbam, wider = (row["parameters"] for row in found["rows"])
    assert none < cbam <= wider < 1.1 * cbam


def test_differences_are_paired(found):
    first, *others = found["rows"]
    assert first["difference"] is None and first["verdict"] == "the others are held to it"
    for row in others:
        differences = np.subtract(row["accuracies"], first["accuracies"])
        assert row["difference"] == pytest.approx(differences.mean(), abs=1e-15)
        assert row["low"] <= row["difference"] <= row["high"]
        assert row["p"] == sign_flip_p(differences)
        agree = len({bool(d > 0) for d in differences}) == 1 and all(differences)
        assert (row["verdict"] == "no difference found") == (not agree)


def test_finished_runs_are_read_and_not_repeated(found, tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.train.state.Training.take_step", lambda self: pytest.fail("a step was repeated"))
    again = compare("attention", SMALL, 2, tmp_path / "out", executor=Here(), progress=False)
    assert again == found


def test_other_settings_in_the_same_folder_are_refused(found, tmp_path):
    with pytest.raises(ValueError, match="other settings: .*reduction was 2, is 4"):
        compare("attention", SMALL.changed(reduction=4), 2, tmp_path / "out", executor=Here(), progress=False)


def test_who_chooses_by_validation_images_never_sees_the_test_images(tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.train.run.Run._scores", lambda run: pytest.fail("the test images were looked at"))
    found = compare("start", SMALL.changed(images=48, validation=16), 1, tmp_path, executor=Here(), progress=False)
    for row in found["rows"]:
        path = run_folder(tmp_path, row["variant"], 0) / "history.json"
        history = json.loads(path.read_text(encoding="utf-8"))["epochs"]
        assert row["accuracies"] == [history[-1]["validation_accuracy"]]
    assert "| validation accuracy, mean ± deviation |" in comparison_table(found)


@pytest.mark.parametrize(("augment", "there"), [("none", False), ("flip", True)])
def test_mirror_images_are_scored_where_training_had_them(augment, there, tmp_path):
    result = prepare(SMALL.changed(augment=augment), tmp_path / "run").finish(progress=False)
    assert ("test_accuracy_mirrored" in result) == there and 0 <= result["test_accuracy"] <= 1


def test_one_seed_says_nothing(tmp_path):
    found = compare("reduction", SMALL.changed(channels=(32,)), 1, tmp_path, executor=Here(), progress=False)
    assert {row["verdict"] for row in found["rows"][1:]} == {"one seed: nothing can be said"}
    assert "| r = 8 |" in comparison_table(found)


@pytest.mark.parametrize("what", VARIANTS)
def test_all_variants_differ_and_make_networks(what):
    settings = SMALL.changed(channels=(32,), augment="shift+flip", schedule="triangle", conv_start="dirac")
    made = [settings.changed(**changes(settings)) for changes in VARIANTS[what].values()]
    assert len(set(made)) == len(made) >= 3
    for variant in made:
        variant.make_network(10, np.random.default_rng(0))


def test_the_table_says_nulls_as_nulls():
    found = {
        "images": "test",
        "rows": [
            {"variant": "a", "parameters": 1000, "mean": 0.5, "deviation": 0.01, "difference": None, "low": None}
            | {"high": None, "verdict": "the others are held to it"},
            {"variant": "b", "parameters": 1100, "mean": 0.51, "deviation": 0.02, "difference": 0.01, "low": -0.01}
            | {"high": 0.03, "verdict": "no difference found"},
        ],
    }
    *_, first, second = comparison_table(found).splitlines()
    assert first == "| a | 1,000 | 50.00 ± 1.00 |  |  | the others are held to it |"
    assert second == "| b | 1,100 | 51.00 ± 2.00 | +1.00 | -1.00 to +3.00 | no difference found |"


def test_bootstrap_interval_of_two_is_known():
    assert bootstrap_interval([0.0, 1.0], level=0.3) == (0.5, 0.5)  # means 0, ½, ½, 1
    assert bootstrap_interval([0.0, 1.0], level=1.0) == (0.0, 1.0)
    assert bootstrap_interval([0.3]) == (None, None)


@pytest.mark.parametrize("n", [5, 30])
def test_bootstrap_intervals_hold_the_mean_about_as_often_as_they_say(n):
    rng = np.random.default_rng(0)
    held = [low <= 0 <= high for low, high in (bootstrap_interval(rng.normal(size=n)) for _ in range(200))]
    assert 0.75 < np.mean(held) < 0.99  # too narrow with few, as its notes say


def test_sign_flip_p_is_exact():
    assert sign_flip_p([1.0, 1.0, 1.0]) == 2 / 8
    assert sign_flip_p([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == 2 / 64
    assert sign_flip_p([1.0, -1.0]) == 1
    assert sign_flip_p([3.0, 1.0, -1.0]) == 6 / 8  # only 3 - 1 - 1, and its opposite, is less than 3 + 1 - 1
    assert 0 < sign_flip_p(np.full(30, 0.1)) < 0.001


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.02, 0.03, 0.04], "higher in all 3 seeds"),
        ([-0.02] * 5, "lower in all 5 seeds"),
        ([0.02, 0.03, -0.01], "no difference found"),
        ([0.02] * 6, "better"),
        ([-0.02] * 6, "worse"),
        ([0.02] * 8 + [-0.05, -0.06], "no difference found"),
    ],
)
def test_no_more_is_said_than_the_seeds_allow(differences, verdict):
    row = Row("a", 1, differences, np.mean(differences), *bootstrap_interval(differences), sign_flip_p(differences))
    assert row.verdict == verdict


def test_unknown_comparison(tmp_path):
    with pytest.raises(ValueError, match="what is 'depth', expected one of 'attention', 'channel-pools'"):
        compare("depth", SMALL, 2, tmp_path)
    with pytest.raises(ValueError, match="seeds is 0"):
        compare("order", SMALL, 0, tmp_path)


def start(out, workers="2"):
    command = [sys.executable, "-m", "cbam_np", "compare", "attention", "--seeds", "1", "--workers", workers]
    return subprocess.Popen([*command, *OPTIONS, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.skipif(os.name != "posix", reason="kills a group of processes")
def test_killed_at_any_moment_nothing_is_lost(tmp_path):
    """With the shapes that everyone gets, in processes, and kill -9 three times on the way."""
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    done = start(undisturbed)
    _, errors = done.communicate(timeout=120)
    assert done.returncode == 0, errors.decode()
    for seconds in (2.5, 4.0, 5.5):
        killed = subprocess.Popen(
            [sys.executable, "-m", "cbam_np", "compare", "attention", "--seeds", "1", *OPTIONS, "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    done = start(out)
    _, errors = done.communicate(timeout=120)
    assert done.returncode == 0, errors.decode()
    rows = [
        json.loads((folder / "comparison.json").read_text(encoding="utf-8"))["rows"] for folder in (undisturbed, out)
    ]
    assert rows[0] == rows[1]
    assert (out / "comparison.png").stat().st_size > 10_000 and "| CBAM |" in (out / "README.md").read_text("utf-8")


def test_a_dask_cluster_does_it_too(found, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = compare("attention", SMALL, 2, tmp_path / "there", executor=client.get_executor(), progress=False)
    assert there["rows"] == found["rows"]
