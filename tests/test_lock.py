"""One writer per folder, many writers per file: nothing is damaged, and a dead process holds nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import cbam_np
from benchmarks import writers
from cbam_np.files import remove_temporaries, write_text, written_whole
from cbam_np.train import InUseError, Recipe, Settings, load_checkpoint, prepare, save_checkpoint
from cbam_np.train.lock import LOCK, held

CHILD = os.environ | {"PYTHONPATH": str(Path(cbam_np.__file__).parent.parent)}
HOLD = """
import sys, time
from cbam_np.train.lock import held
with held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, env=CHILD) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_who_holds_the_folder(holder, tmp_path):
    with (
        pytest.raises(InUseError, match=rf"is in use by process {holder.pid} on .*, since 20.*: wait until"),
        held(tmp_path, patience=0.1),
    ):
        pytest.fail("two at once")


def test_the_lock_of_a_killed_process_is_taken_over(holder, tmp_path):
    holder.kill()
    with held(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text(encoding="utf-8"))["process"] == os.getpid()
    assert os.listdir(tmp_path) == []


def test_a_lock_is_waited_for_a_little(tmp_path):
    with held(tmp_path):
        later = threading.Timer(0.3, lambda: done.append(time.monotonic()))
        done = []
        later.start()
        with pytest.raises(InUseError), held(tmp_path, patience=0.6):
            pytest.fail("two at once")
        assert done


def test_hundreds_of_holders_are_never_two_at_once(tmp_path):
    inside, worst = [], []

    def work():
        for _ in range(40):
            with held(tmp_path, patience=60):
                inside.append(1)
                worst.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == [1] * 200


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_planted_links_are_not_followed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(OSError), held(tmp_path / "run"):
        pytest.fail("followed")
    for name in ("x.tmp", ".x.tmp"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    write_text(tmp_path / "x", "new")
    assert (tmp_path / "precious").read_text() == "mine" and (tmp_path / "x").read_text() == "new"


def test_two_writers_and_a_reader(tmp_path):
    """Whoever writes last wins; nobody fails, and nobody reads half a file."""
    path, errors = tmp_path / "checkpoint.npz", []
    save_checkpoint(path, {"a": np.zeros(5000)}, {"by": 0})

    def write(number):
        for _ in range(40):
            try:
                save_checkpoint(path, {"a": np.full(5000, float(number))}, {"by": number})
            except Exception as error:
                errors.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        arrays, metadata = load_checkpoint(path)
        assert (arrays["a"] == metadata["by"]).all()
        reads += 1
    assert not errors and reads and os.listdir(tmp_path) == ["checkpoint.npz"]


def test_what_killed_writers_left_is_removed(tmp_path):
    for name in (".x.0123.tmp", "x.tmp", "x"):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["x", "x.tmp"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_with_the_file_and_what_is_safe(tmp_path, monkeypatch):
    write_text(tmp_path / "x", "old")
    before = open

    def full(path, mode, **options):
        return before("/dev/full", "wb")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(OSError, match="cannot write .*x: No space left on device; what was there before is untouched"):
        write_text(tmp_path / "x", "new")
    monkeypatch.undo()
    assert (tmp_path / "x").read_text() == "old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_or_a_device_is_written_into_and_stays_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(tmp_path / "pipe", "new")
        assert os.read(reader, 100) == b"new" and (tmp_path / "pipe").is_fifo()
    finally:
        os.close(reader)


def test_an_exception_of_the_writer_s_own_stays_what_it_is(tmp_path):
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "x"):
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_two_trainings_in_one_folder(holder, tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.train.run.SHAPES", {"train": (64, (0, 0)), "test": (20, (0, 1))})
    monkeypatch.setattr("cbam_np.train.lock.held.__wrapped__.__defaults__", (0.1,))
    run = prepare(Settings(recipe=Recipe(epochs=1, batch_size=32), channels=(4,), reduction=2), tmp_path)
    with pytest.raises(InUseError, match=f"process {holder.pid}"):
        run.finish(progress=False)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert run.finish(progress=False)["epochs"] == 1


def test_the_benchmark_of_writers_counts(tmp_path, monkeypatch):
    found = writers.save_and_read(tmp_path, 0, 20)
    assert found == {"saves": 20, "reads": 20, "errors": 0, "damaged": 0, "first": ""}
    (tmp_path / "checkpoint.npz").write_bytes(b"no checkpoint")
    monkeypatch.setattr(writers, "save_checkpoint", lambda *anything: None)  # a writer that writes nothing
    assert writers.save_and_read(tmp_path, 0, 2)["errors"] == 2


@pytest.mark.slow
def test_two_processes_write_and_read(tmp_path):
    found = writers.run(400, tmp_path)
    assert (found["saves"], found["reads"], found["errors"], found["damaged"], found["left"]) == (400, 400, 0, 0, [])
    assert "| 400 | 400 | 0 | 0 | 0 |" in writers.markdown(found)
