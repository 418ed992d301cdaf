"""A comparison: paired, honest about noise, and whole again after any stop."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cbam_np import cli
from cbam_np.cli.compare import Watch
from cbam_np.cli.errors import UserError
from cbam_np.train import (
    VARIANTS,
    InUseError,
    Recipe,
    Settings,
    bootstrap_interval,
    comparison_table,
    sign_flip_p,
    workers,
)
from cbam_np.train.compare import compare, run_folder
from cbam_np.train.lock import held
from cbam_np.train.run import prepare
from cbam_np.train.table import Row, comparison_page
from cbam_np.train.variants import variants_of
from cbam_np.train.workers import WorkerError, run_in_processes

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
    for row, variant in zip(found["rows"], variants_of("attention", SMALL).values(), strict=True):
        for seed, accuracy in enumerate(row["accuracies"]):
            settings = variant.changed(seed=seed)
            alone = prepare(settings, tmp_path / f"{row['variant']}-{seed}").finish(progress=False)
            assert alone["test_accuracy"] == accuracy
    kept = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert kept == found


def test_the_control_has_as_many_parameters(found):
    none, _, cbam, wider = (row["parameters"] for row in found["rows"])
    assert none < cbam <= wider < 1.1 * cbam


def test_differences_are_paired(found):
    first, *others = found["rows"]
    assert first["difference"] is None and first["verdict"] == "baseline"
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
    with pytest.raises(ValueError, match="other settings: .*(reduction was 2, is 4|channels was)"):
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


def test_six_copies_are_compared_where_training_had_such_images(found, tmp_path):
    assert found["rows_six_copies"] is None and "six copies" not in comparison_page(found)
    settings = SMALL.changed(augment="shift+alternate")
    out = tmp_path / "six"
    six = compare("cbam", settings, 2, out, executor=Here(), progress=False)
    for row, name in zip(six["rows_six_copies"], ("none", "CBAM"), strict=True):
        results = [json.loads((run_folder(out, name, seed) / "result.json").read_text()) for seed in range(2)]
        assert row["variant"] == name
        assert row["accuracies"] == [result["test_accuracy_six_copies"] for result in results]
    _, alone, together = comparison_page(six).split("| variant |")
    assert alone.count("| none |") == together.count("| CBAM |") == 1


@pytest.mark.parametrize(
    ("data", "images", "note", "said"),
    [
        ("shapes", 2500, "", "1 epoch on 2,500 shapes;"),
        ("shapes", None, "", "1 epoch on shapes;"),
        ("cifar10", None, "", "1 epoch on CIFAR-10;"),
        ("cifar10", None, "copy", "1 epoch on the copy;"),
        ("cifar10", 20_000, "copy", "1 epoch on 20,000 images of the copy;"),
    ],
)
def test_a_page_says_how_many_images_of_what_were_seen(found, data, images, note, said):
    settings = {**found["settings"], "data": data, "images": images}
    assert said in comparison_page({**found, "settings": settings, "note": note})


def test_one_seed_says_nothing(tmp_path):
    found = compare(
        "reduction", SMALL.changed(channels=(32,), reduction=16), 1, tmp_path, executor=Here(), progress=False
    )
    assert {row["verdict"] for row in found["rows"][1:]} == {"one seed: no conclusion"}
    assert "| r = 8 |" in comparison_table(found)


@pytest.mark.parametrize("what", VARIANTS)
def test_all_variants_differ_and_make_networks(what):
    settings = Settings(channels=(32,), conv_start="dirac").changed(augment="shift+flip", schedule="triangle")
    if what == "public-recipe":
        with pytest.raises(
            ValueError, match="is that of the whitened network, not of smallcnn: set network to whitened"
        ):
            variants_of(what, settings)
        settings = Settings(data="cifar10", network="whitened", attention=None, widths=(24, 32, 32))
    made = variants_of(what, settings)
    assert list(made) == list(VARIANTS[what]) and len(set(made.values())) == len(made) >= 2
    for variant in made.values():
        variant.make_network(10, np.random.default_rng(0))


def test_the_table_says_nulls_as_nulls():
    found = {
        "images": "test",
        "rows": [
            {"variant": "a", "parameters": 1000, "mean": 0.5, "deviation": 0.01, "difference": None, "low": None}
            | {"high": None, "verdict": "baseline"},
            {"variant": "b", "parameters": 1100, "mean": 0.51, "deviation": 0.02, "difference": 0.01, "low": -0.01}
            | {"high": 0.03, "verdict": "no difference found"},
        ],
    }
    *_, first, second = comparison_table(found).splitlines()
    assert first == "| a | 1,000 | 50.00 ± 1.00 |  |  | baseline |"
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


def parameters(settings):
    return sum(array.size for array in settings.make_network(10, np.random.default_rng(0)).params.values())


@pytest.mark.parametrize("settings", [Settings(network="resnet", depth=8), Settings(), Settings(channels=(8, 16))])
def test_the_control_without_attention_has_more_parameters_than_none(settings):
    found = {
        name: parameters(variant) for name, variant in variants_of("attention", settings.changed(reduction=4)).items()
    }
    assert found["none"] < found["CBAM"] <= found["wider, no attention"] < 1.2 * found["CBAM"]


def test_no_run_of_a_comparison_is_made_twice():
    found = variants_of("recipe", Settings(data="cifar10"))
    assert len(set(found.values())) == len(found) and next(iter(found)) == "as it is"
    same = {"convolutions drawn", "one cycle with a cosine", "shift by 4, black border"}  # as the default recipe is
    assert not same & found.keys() and len(found) == len(VARIANTS["recipe"]) - 3


def test_options_of_cbam_reach_cbam_alone():
    found = variants_of("attention", Settings(kernel_size=3))
    assert [variant.kernel_size for variant in found.values()] == [7, 7, 3, 7]


@pytest.mark.parametrize(
    ("what", "chosen"),
    [("order", {"order": "spatial"}), ("start", {"start": "he"}), ("spatial", {"kernel_size": 5})],
)
def test_what_is_compared_cannot_be_chosen(what, chosen):
    with pytest.raises(ValueError, match=rf"{next(iter(chosen))} is .*, but the variants of '{what}' choose it"):
        variants_of(what, Settings(**chosen))


def test_unknown_comparison(tmp_path):
    with pytest.raises(ValueError, match="what is 'depth', expected one of 'attention', 'cbam', 'channel-pools'"):
        compare("depth", SMALL, 2, tmp_path)
    with pytest.raises(ValueError, match="seeds is 0"):
        compare("order", SMALL, 0, tmp_path)


def start(out, workers="2", **options):
    command = [sys.executable, "-W", "error", "-m", "cbam_np", "compare", "channel-pools", "--seeds", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    return subprocess.Popen([*command, "--workers", workers, *OPTIONS, "--out", str(out)], **pipes, **options)


def end(process):
    """Wait until a comparison is finished, and return what it said."""
    printed, shown = process.communicate(timeout=300)
    assert process.returncode == 0, shown.decode()
    return printed.decode(), shown.decode()


def children(pid):
    """Return the processes that a process has started, with what they work for, whether it still lives or not."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == pid and fields[0] != "Z" and int(path.parent.name) != pid:  # of its session
                found.append(int(path.parent.name))
    return found


def workers_of(process):
    """Return the processes that train, once there are some."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = [pid for pid in children(process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        if found:
            return found
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    pytest.fail("no worker came")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the comparison finds when nobody disturbs it."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    end(start(out))
    return rows(out)


def rows(out):
    return json.loads((out / "comparison.json").read_text(encoding="utf-8"))["rows"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.slow
def test_stopped_in_every_way_nothing_is_lost_and_nothing_runs_on(undisturbed, tmp_path):
    """Only the parent is told: its workers end with it, and the same command again, at once, finishes the work."""
    out, before = tmp_path / "out", None
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        stopped = start(out)
        if before is not None:
            nothing_runs_on(before)
        workers_of(stopped)
        time.sleep(random.SystemRandom().uniform(0, 0.7))
        if number == signal.SIGINT:
            os.killpg(stopped.pid, number)  # as Ctrl-C in a terminal does
        else:
            stopped.send_signal(number)
        began = time.monotonic()
        said = stopped.communicate(timeout=10)[1]  # after Ctrl-C 2 s at most, on a machine that does nothing else
        print(f"{number.name}: ended after {time.monotonic() - began:.2f} s")
        before = stopped
    assert stopped.returncode == 130 and b"the same command again goes on" in said
    assert b"Traceback" not in said, said.decode()
    again = start(out)
    nothing_runs_on(stopped)
    printed, _ = end(again)
    assert rows(out) == undisturbed and "| max |" in printed
    assert (out / "comparison.png").stat().st_size > 10_000 and "| max |" in (out / "README.md").read_text("utf-8")
    assert not list(out.rglob(".*"))


def nothing_runs_on(process):
    """Demand that what a process had started ends soon."""
    until = time.monotonic() + 5
    while children(process.pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not children(process.pid)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.slow
def test_a_killed_worker_is_told_and_its_run_is_made_again(undisturbed, tmp_path):
    process = start(tmp_path / "out", workers="1")
    os.kill(workers_of(process)[0], signal.SIGKILL)
    _, shown = end(process)
    assert "the process for 'avg & max', seed 0 was killed by SIGKILL; another one takes over" in shown
    assert rows(tmp_path / "out") == undisturbed


def give_up():
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(what):
    masked = not hasattr(signal, "pthread_sigmask") or signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    raise ValueError(f"{what} is bad" if masked else "Ctrl-C reaches a worker")


@pytest.mark.slow
def test_a_worker_that_is_killed_again_and_again_ends_the_work():
    told = []
    with pytest.raises(WorkerError, match="the process for A was killed by SIGKILL, as had the one before it"):
        dict(run_in_processes(give_up, {"A": ()}, 1, told.append))
    assert told == ["the process for A was killed by SIGKILL; another one takes over"]


def test_what_a_worker_raises_names_its_work():
    with pytest.raises(ValueError, match="^B: this is bad$"):
        dict(run_in_processes(refuse, {"B": ("this",)}, 2, print))


def test_a_second_ctrl_c_does_not_leave_workers_behind():
    ended = []

    class Impatient:
        def __init__(self, name):
            self.name = name

        def terminate(self):
            ended.append(f"{self.name} asked")

        def join(self, timeout=None):
            if timeout is not None:
                raise KeyboardInterrupt

        def kill(self):
            ended.append(f"{self.name} killed")

        def close(self):
            pass

    found = [workers.Worker(one, one.name, one, 1) for one in map(Impatient, "AB")]
    with pytest.raises(KeyboardInterrupt):
        workers._end(found)
    assert ended == ["A asked", "B asked", "A killed", "B killed"]


@pytest.mark.slow  # it waits for the other process
def test_a_comparison_in_a_folder_that_is_in_use(tmp_path):
    with held(tmp_path), pytest.raises(InUseError, match=f"is in use by process {os.getpid()}"):
        compare("order", SMALL, 1, tmp_path, executor=Here(), progress=False)


def test_paths_mean_the_same_for_a_worker_in_another_folder(tmp_path, monkeypatch):
    class Elsewhere(Here):
        def submit(self, work, /, *arguments):
            monkeypatch.chdir(tmp_path / "elsewhere")
            try:
                return super().submit(work, *arguments)
            finally:
                monkeypatch.chdir(tmp_path / "here")

    for name in ("here", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    compare("start", SMALL.changed(data_root="data"), 1, "out", executor=Elsewhere(), progress=False)
    assert (tmp_path / "here" / "out" / "he" / "seed-0" / "result.json").is_file()
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_dask_cluster_does_it_too(found, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = compare("attention", SMALL, 2, tmp_path / "there", executor=client.get_executor(), progress=False)
    assert there["rows"] == found["rows"]


def dask(address, out, monkeypatch, capsys):
    """Run a comparison on a cluster from the shell; return the status, what was said, and the seconds it took."""
    monkeypatch.setattr("cbam_np.cli.compare.PATIENCE", 1)
    began = time.monotonic()
    status = cli.main(["compare", "start", *OPTIONS, "--seeds", "1", "--dask", address, "--out", str(out)])
    return status, capsys.readouterr(), time.monotonic() - began


def test_a_cluster_that_is_not_there_is_not_waited_for(tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    for address in ("tcp://127.0.0.1:1", "nonsense", "tcp://127.0.0.1:99999999"):
        status, said, seconds = dask(address, tmp_path, monkeypatch, capsys)
        assert status == 2 and f"there is no Dask scheduler at {address}" in said.err and "Traceback" not in said.err
        assert seconds < 20  # 2 on an idle machine


def test_a_cluster_without_workers_and_a_folder_as_seen_from_elsewhere(tmp_path, monkeypatch, capsys):
    distributed = pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    options = {"processes": False, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=0, **options) as cluster:
        status, said, seconds = dask(cluster.scheduler_address, "out", monkeypatch, capsys)
        assert status == 2 and "has no worker: start one" in said.err and seconds < 20
        cluster.scale(1)
        status, said, _ = dask(cluster.scheduler_address, "out", monkeypatch, capsys)
        assert status == 0 and "| He |" in said.out and (tmp_path / "out" / "comparison.json").is_file(), said.err


class Gone:
    """A client of Dask's whose scheduler has died."""

    status = "connecting"


def test_a_scheduler_that_dies_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.train.compare.TURN", 0.01)
    monkeypatch.setattr("cbam_np.cli.compare.GONE", 0.05)
    never = Future()

    class Silent(Executor):
        def submit(self, work, /, *arguments):
            return never

    watch = Watch(Gone(), "tcp://127.0.0.1:8786")
    with pytest.raises(UserError, match="tcp://127.0.0.1:8786 has stopped answering: start it again, and the same"):
        compare("start", SMALL, 1, tmp_path, executor=Silent(), progress=False, watch=watch)
    assert never.cancelled()


def test_a_scheduler_that_comes_back_is_waited_for(monkeypatch):
    monkeypatch.setattr("cbam_np.cli.compare.GONE", 0.0)
    client = Gone()
    watch = Watch(client, "here")
    client.status = "running"
    watch()
    watch()
    client.status = "closed"
    with pytest.raises(UserError):
        watch()


@pytest.mark.slow
def test_a_real_scheduler_that_is_killed_is_said_in_time(tmp_path):
    """Its process is killed in the middle of the work; the command ends in a sentence within ten seconds."""
    pytest.importorskip("distributed")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    words += ["--no-dashboard", "--scheduler-file", str(tmp_path / "scheduler.json")]
    scheduler = subprocess.Popen(words, **quiet)
    until = time.monotonic() + 60
    while not (tmp_path / "scheduler.json").exists() and time.monotonic() < until:
        time.sleep(0.1)
    address = json.loads((tmp_path / "scheduler.json").read_text())["address"]
    words = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    worker = subprocess.Popen([*words, "--local-directory", str(tmp_path)], **quiet)
    words = [sys.executable, "-m", "cbam_np", "compare", "attention", "--epochs", "50", "--dask", address]
    words += ["--out", str(tmp_path / "out")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not list(tmp_path.rglob("checkpoint.npz")) and time.monotonic() < until + 60:
            time.sleep(0.1)
        scheduler.kill()
        began = time.monotonic()
        said = process.communicate(timeout=60)[1].decode()
        print(f"said after {time.monotonic() - began:.1f} s")
        assert process.returncode == 2 and "has stopped answering" in said.splitlines()[-1], said
        assert time.monotonic() - began < 30  # 6 on an idle machine
    finally:
        for one in (scheduler, worker, process):
            one.kill()
            one.wait()


def test_a_choice_that_a_network_does_not_have_is_left_out():
    found = variants_of("recipe", Settings(network="resnet", depth=8))
    assert "convolutions drawn" not in found and "cutout 8×8" in found


def test_a_network_that_cannot_be_made_is_named_before_any_is_trained(tmp_path):
    with pytest.raises(ValueError, match=r"'r = 32' cannot be trained: .*leaves no hidden unit"):
        compare("reduction", Settings(network="resnet", depth=8), 1, tmp_path / "out", executor=None, progress=False)
    assert not (tmp_path / "out").exists()


def test_the_public_recipe_is_compared_as_it_is():
    with pytest.raises(ValueError, match="optimiser is sgd, but the public recipe has muon"):
        variants_of("public-recipe", Settings(network="whitened").changed(optimiser="sgd"))


def test_workers_of_this_machine_and_of_a_cluster_are_not_mixed(tmp_path, capsys):
    command = ["compare", "order", "--dask", "tcp://nowhere:1", "--workers", "2", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 2
    assert "--workers is the number of processes on this machine" in capsys.readouterr().err


def test_ctrl_c_while_a_worker_starts_leaves_none_behind(monkeypatch):
    log = []

    class Process:
        pid = None

        def __init__(self, **_):
            pass

        def start(self):
            self.pid = 1
            raise KeyboardInterrupt

        def kill(self):
            log.append("killed")

    context = SimpleNamespace(Process=Process, Pipe=lambda duplex: (None, None))
    monkeypatch.setattr(workers, "get_context", lambda kind: context)
    with pytest.raises(KeyboardInterrupt):
        workers._start(print, "key", (), 1)
    assert log == ["killed"]
