"""The benchmark of speed, tiny: what it compares, in which order, and what it writes. A time is never tested."""

import gc
import importlib.util
import json

import numpy as np
import pytest

from benchmarks import cases, speed, speed_memory, speed_shares, timing
from benchmarks.speed_report import PARTS, markdown
from cbam_np import viz
from cbam_np.nn.layers import ReLU

TINY = cases.Sizes(
    blocks=((2, 4, 6, 6),),
    convs=((2, 3, 4, 6), (2, 4, 5, 6)),
    batch=4,
    side=8,
    channels=(4, 8),
    reduction=2,
    loops=(1, 2, 6, 6),
    growth=(1, 4, 4, 4),
    doublings=2,
    gemm=(8, 16),
    imagenet=(18, 1, 32),
)
WAY = {"way": "NCHW", "median": 0.004, "q1": 0.003, "q3": 0.005}
COMPARED = {
    "part": "c",
    "name": "a convolution",
    "flops": 10**9,
    "cores_of_others": 0.26,
    "NumPy": {"way": "", "median": 0.002, "q1": 0.0015, "q3": 0.0025},
    "eager": WAY,
    "ratio": 0.5,
}
needs_proc = pytest.mark.skipif(not speed_memory.PROC.exists(), reason="this system has no /proc")


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr(speed, "load_twins", lambda: None)


@pytest.fixture
def twins():
    pytest.importorskip("torch")
    return speed.load_twins()


# --- timing ---


def test_every_repeat_runs_each_candidate_once_in_turn():
    calls = []
    runs = {key: lambda key=key: calls.append(key) for key in "ABC"}
    seconds = timing.interleave(runs, repeats=3, warm_up=2, pause=0)
    assert "".join(calls) == 5 * "AABBCC"  # one to settle, one that is timed
    assert {key: len(times) for key, times in seconds.items()} == {"A": 3, "B": 3, "C": 3}


def test_a_time_is_that_of_its_candidate_without_pause_and_warm_up(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(timing.time, "sleep", lambda seconds: [next(clock) for _ in range(7)])
    runs = {"slow": lambda: [next(clock) for _ in range(3)], "fast": lambda: None}
    assert timing.interleave(runs, repeats=2, warm_up=1, pause=1) == {"slow": [4, 4], "fast": [1, 1]}


def test_no_garbage_is_collected_while_timing_even_if_a_run_fails():
    states = []
    timing.interleave({"A": lambda: states.append(gc.isenabled())}, repeats=2, pause=0)
    assert not any(states) and gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        timing.interleave({"A": lambda: 1 / 0}, repeats=1, pause=0)
    assert gc.isenabled()


def test_median_and_quartiles():
    assert timing.summarise([5, 1, 3, 2, 4]) == {"median": 3, "q1": 2, "q3": 4}


@pytest.mark.parametrize("p", [0.5, 1, 2, 3.25])
def test_exponents_are_found_in_a_power_law(p):
    sizes = np.array([1, 2, 4, 8])
    assert timing.exponent(sizes, 0.003 * sizes**p) == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize(("all_did", "expected"), [(7.0, 1.25), (2.0, 0.0), (1.0, 0.0)])
def test_the_work_of_others_is_that_of_all_less_ours(monkeypatch, all_did, expected):
    marks = iter([(100.0, 10.0), (100.0 + all_did, 12.0)])
    clock = iter([50.0, 54.0])
    monkeypatch.setattr(timing, "_work", lambda: next(marks))
    monkeypatch.setattr(timing.time, "monotonic", lambda: next(clock))
    with timing.watch_others() as others:
        pass
    assert others == [expected]


def test_where_nobody_can_tell_nothing_is_said_of_others(monkeypatch):
    monkeypatch.setattr(timing, "_work", lambda: None)
    with timing.watch_others() as others:
        pass
    assert others == [None]


# --- agreement ---


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([1.0, 2.0004], r"theirs: array 1 is off by 0.0004 from that of ours, whose largest entry is 2; allowed"),
        ([1.0, np.nan], "theirs: array 1 is off by nan"),
        ([[1.0, 2.0]], r"array 1 has shape \(1, 2\), that of ours \(2,\)"),
    ],
)
def test_different_results_are_an_error(wrong, message):
    right = [1.0, 2.0]
    timing.check_same({"ours": lambda: (0, np.array(right)), "theirs": lambda: (0, np.array([1.0, 2.0001]))})
    with pytest.raises(timing.Disagreement, match=message):
        timing.check_same({"ours": lambda: (0, np.array(right)), "theirs": lambda: (0, np.array(wrong))})


def test_too_many_results_are_an_error():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        timing.check_same({"ours": lambda: (1, 2), "theirs": lambda: (1, 2, 3)})


def test_loops_and_whole_arrays_return_the_same():
    for name, pair in cases.loop_cases(TINY).items():
        loops, arrays = pair["loops"](), pair["arrays"]()
        if not isinstance(loops, tuple):  # forward adds a cache where the loops return the output alone
            loops, arrays = (loops,), arrays[:1] if isinstance(arrays, tuple) else (arrays,)
        for slow, fast in zip(loops, arrays, strict=True):
            if fast is not None:  # the gradient of a bias that there is not
                np.testing.assert_allclose(fast, slow, rtol=1e-4, atol=1e-5, err_msg=name)


# --- what is measured ---


CONVOLUTIONS = ("3→32, 128 of 32×32", "32→64, 128 of 16×16", "64→128, 128 of 8×8")


def test_operations_are_counted_as_in_the_loops():
    rng = np.random.default_rng(0)
    N, C, O, H, W, k = (int(n) for n in rng.integers(1, 4, 6))
    products = sum(1 for _ in np.ndindex(N, O, H, W, C, k, k))
    assert cases.conv_flops(N, C, O, H, W, k) == 2 * products
    by_name = {case.name: case.flops for case in cases.make_cases(cases.Sizes())}
    layers = [2 * 128 * 32**2 * 32 * 3 * 9, 2 * 128 * 16**2 * 64 * 32 * 9, 2 * 128 * 8**2 * 128 * 64 * 9]
    assert [by_name[f"3×3 convolution {convolution}"] for convolution in CONVOLUTIONS] == [3 * n for n in layers]
    assert by_name["training step, CBAM"] == 3 * by_name["inference, CBAM"] == 3 * sum(layers)


def test_sizes_double():
    for name, steps in cases.growth_cases(TINY).items():
        sizes, shapes = zip(*steps, strict=True)
        assert sizes == tuple(sizes[0] * 2**n for n in range(3)), name
        assert [np.prod(shape) for shape in shapes] == [64 * 2**n for n in range(3)]


@pytest.mark.slow
def test_every_part_without_pytorch(without_torch, tmp_path, capsys):
    assert speed.main(["--repeats", "1", "--threads", "1", "--out", str(tmp_path), "--only", "abcdefgik"], TINY) == 0
    result = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    text = capsys.readouterr().out
    assert text == markdown(result) + "\n"
    assert "no PyTorch, so NumPy alone" in text and "1 thread for NumPy" in text
    assert not (tmp_path / "speed.png").exists()
    assert [row["part"] for row in result["cases"]] == list("abccdddeee")
    for row in result["cases"]:
        assert row["NumPy"]["q1"] <= row["NumPy"]["median"] <= row["NumPy"]["q3"]
        assert "ratio" not in row and len(row["ways"]) == 1
        assert row["name"] in text
    assert {row["name"] for row in result["loops"]} == set(cases.loop_cases(TINY))
    assert [len(row["points"]) for row in result["growth"]] == [3, 3, 3]
    assert [peak["threads"] for peak in result["gemm"]] == [1]
    assert result["torch"] is None and result["not_compiled"] == "PyTorch is not installed"
    assert set(result["machine"]) == set(speed.describe_machine())
    command = result["command"].partition("python -m benchmarks.speed")[2]
    assert command == " --only a,b,c,d,e,f,g,i,k --repeats 1 --threads 1"


@pytest.mark.slow
def test_only_what_was_asked_for(without_torch, tmp_path, capsys):
    assert speed.main(["--repeats", "1", "--only", "f, i", "--out", str(tmp_path)], TINY) == 0
    result = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert result["cases"] == [] and "loops" in result and "gemm" in result
    assert "growth" not in result and "memory" not in result
    text = capsys.readouterr().out
    assert "times faster" in text and "share of" not in text


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--only", "a,z"], "'a,z': expected some of a,b,c,d,e,f,g,h,i,j,k, as in a,c"),
        (["--only", ""], "'': expected some of"),
        (["--repeats", "0"], "'0': expected a whole number, 1 to 10000"),
        (["--threads", "two"], "'two': expected a whole number, 1 to 1024"),
    ],
)
def test_bad_options(argv, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        speed.main(argv, TINY)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


# --- shares ---


def test_a_lap_counts_for_the_layer_that_began_it(monkeypatch):
    clock = iter([0.0, 1.0, 3.0, 6.0, 10.0])
    monkeypatch.setattr(speed_shares.time, "perf_counter", lambda: next(clock))
    watch = speed_shares.Stopwatch()
    for kind in ("ReLU", "pooling", "ReLU", "the rest"):
        watch.lap(kind)
    assert watch.spent == {"the rest": 1, "ReLU": 2 + 4, "pooling": 3}


def test_the_clocks_count_every_layer_forward_and_back_and_are_taken_off_again(monkeypatch):
    monkeypatch.setattr(speed_shares.time, "thread_time", iter(range(1000)).__next__)  # each call takes a second
    before = [vars(owner)[name] for owner in speed_shares.OURS for name in ("forward", "backward")]
    step = cases.training_step(*cases.draw_network(TINY, "cbam"))  # two stages, and a piece of four images
    with speed_shares.our_clocks() as spent:
        step()
    kinds = {"convolutions": 4, "batch normalisation": 4, "ReLU": 4, "pooling": 2, "attention": 4}
    assert spent == kinds
    step()
    assert spent == kinds
    assert before == [vars(owner)[name] for owner in speed_shares.OURS for name in ("forward", "backward")]


def test_shares_add_up_to_the_time_of_a_run(monkeypatch):
    clock = iter([10.0, 16.0])
    monkeypatch.setattr(speed_shares.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(speed_shares.time, "thread_time", iter(range(1000)).__next__)
    monkeypatch.setattr(speed_shares.time, "process_time", iter([20.0, 29.0]).__next__)
    relu = ReLU()
    shares = speed_shares.our_shares(lambda: relu.forward(np.ones((1, 1, 2, 2))), repeats=3, threads=2)
    assert shares == {"ReLU": 0.5, "the rest": 1.0, "waiting": 0.5}


def test_the_table_of_shares():
    text = markdown(
        {
            "threads": 2,
            "repeats": 3,
            "dtype": "float32",
            "machine": {"cores": 2, "processor": "x86_64", "numpy": "2.0"},
            "blas_kernels": [],
            "torch": None,
            "cases": [],
            "shares": [{"part": "e", "name": "inference", "NumPy": {"ReLU": 0.003, "a": 1}, "eager": {"ReLU": 0.002}}],
        }
    )
    assert "| e: inference, ReLU | 3.00 | 2.00 | 1.50 |\n| e: inference, a | 1000.00 | – | – |" in text


# --- memory ---


def plant(size):
    """Return a step that needs an array of `size` bytes for a moment."""

    def step():
        np.ones(size, np.uint8).sum()

    return step


@needs_proc
def test_a_planted_array_is_seen_in_the_peak():
    nothing, much = (speed_memory.peak(f"{__name__}:plant", {"size": size}) for size in (1, 100 * 2**20))
    assert nothing < 20 * 2**20
    assert 95 * 2**20 < much < 120 * 2**20


@needs_proc
def test_what_was_resident_or_freed_before_does_not_count():
    kept = np.ones(50 * 2**20, np.uint8)
    np.ones(200 * 2**20, np.uint8).sum()  # the high-water mark is far above now
    assert speed_memory.added(plant(10 * 2**20), steps=2) < 40 * 2**20
    assert kept.size


@needs_proc
def test_memory_of_our_training_step(without_torch, tmp_path, capsys):
    assert speed.main(["--only", "h", "--out", str(tmp_path)], TINY) == 0
    (row,) = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))["memory"]
    assert row["kind"] == "NumPy" and row["bytes"] > 0
    assert "| NumPy |" in capsys.readouterr().out


def test_a_system_that_does_not_tell_is_said(without_torch, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(speed_memory, "PROC", tmp_path / "proc")
    assert speed.main(["--only", "h", "--out", str(tmp_path)], TINY) == 0
    assert "Peak memory: not measured, there is no /proc here." in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_said_at_once(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setattr(speed, "measure", lambda *args: pytest.fail("measured"))
    assert speed.main(["--out", str(tmp_path / "file" / "x")], TINY) == 2
    assert f"cannot write into {tmp_path / 'file' / 'x'}: Not a directory" in capsys.readouterr().err


def test_a_failing_process_is_an_error_with_its_last_words():
    with pytest.raises(OSError, match="nowhere:step could not be measured: .*No module named 'nowhere'"):
        speed_memory.peak("nowhere:step", {})


# --- tables and picture ---


def test_the_table_tells_the_best_way_and_ratios():
    gemm = [{"threads": 1, "flops_per_second": 1e12, "size": 8}, {"threads": 2, "flops_per_second": 2e12, "size": 8}]
    machine = {"cores": 2, "processor": "AMD EPYC", "numpy": "2.0"}
    result = {"threads": 2, "repeats": 15, "dtype": "float32", "machine": machine, "blas_kernels": ["Haswell"]}
    result |= {"torch": "2.13", "not_compiled": "no C++ compiler", "command": "…", "cases": [COMPARED], "gemm": gemm}
    result["memory"] = [
        {"kind": "NumPy", "way": "", "bytes": 3 * 2**20},
        {"kind": "eager", "way": "NCHW", "bytes": 4 * 2**20},
        {"kind": "eager", "way": "channels-last", "bytes": 2**20},
    ]
    text = markdown(result)
    assert "| c: a convolution | 2 (1.5–2.5) | 4 (3–5) | 0.50 | – | – | 0.3 | NCHW |" in text
    assert "| c: a convolution | 500.0 (25%) | 250.0 (12%) | – |" in text
    assert "2 cores (AMD EPYC)" in text and "torch.compile: no C++ compiler" in text
    assert "1000 GFLOP/s on 1 thread (8×8), 2000 GFLOP/s on 2 threads (8×8)" in text
    assert "| PyTorch eager, least: channels-last | 1 | 3.00 |\n| PyTorch eager, most: NCHW | 4 | 0.75 |" in text


def test_the_picture_has_a_bar_a_row_and_a_line_at_1():
    rows = [{"part": part, "name": part, "ratio": ratio} for part, ratio in zip("aab", (0.5, 2.25, 1.0), strict=True)]
    ax = viz.speed_figure(rows).axes[0]
    assert [bar.get_width() for bar in ax.patches] == [0.5, 2.25, 1.0]
    assert [text.get_text() for text in ax.texts] == ["0.50", "2.25", "1.00"]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("aab")
    assert list(ax.lines[0].get_xdata()) == [1, 1]
    faster, slower, same = (bar.get_facecolor() for bar in ax.patches)
    assert faster != slower == same
    middles = [bar.get_y() + bar.get_height() / 2 for bar in ax.patches]
    assert middles[2] - middles[1] > middles[1] - middles[0] > 0
    assert ax.yaxis_inverted()  # the first row on top
    with pytest.raises(ValueError, match="nothing to draw: no case was timed in both"):
        viz.speed_figure([])


# --- with PyTorch ---


@pytest.mark.oracle
def test_every_part_with_pytorch(twins, tmp_path, capsys):
    threads = twins.torch.get_num_threads()
    options = ["--repeats", "1", "--threads", "1", "--no-compile", "--out", str(tmp_path), "--only", "abcdeijk"]
    assert speed.main(options, TINY) == 0
    assert twins.torch.get_num_threads() == threads
    result = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert result["torch"] == twins.torch.__version__ and result["not_compiled"] == "left out by --no-compile"
    for row in result["cases"]:
        eager = [way for way in row["ways"] if way["kind"] == "eager"]
        assert len(eager) == (8 if "CBAM" in row["name"] and row["part"] != "j" else 2)
        assert row["eager"]["median"] == min(way["median"] for way in eager)
        assert row["ratio"] == row["NumPy"]["median"] / row["eager"]["median"]
    kinds = {"convolutions", "batch normalisation", "ReLU", "pooling", "the rest"}
    for row in result["shares"]:
        expected = kinds if "no attention" in row["name"] else kinds | {"attention"}
        assert set(row["NumPy"]) - {"waiting"} == set(row["eager"]) == expected and min(row["eager"].values()) > 0
    assert f"PyTorch {twins.torch.__version__}" in capsys.readouterr().out


@pytest.mark.oracle
@pytest.mark.parametrize("case", cases.make_cases(TINY, np.float64), ids=lambda case: f"{case.part} {case.name}")
def test_twins_agree_far_closer_than_is_asked_for(twins, case):
    timing.check_same(case.candidates(twins), 1e-9)


PLANTED = {
    "a": ("cbam", lambda right: lambda x, W0, W1, W7, maxima: right(x, W0, W1, W7, maxima) * 1.001),
    "b": ("conv", lambda right: lambda x, W: right(x, W.flip(2))),
    "c": ("conv", lambda right: lambda x, W: right(x.detach(), W) + 0 * x.sum()),
    "d": ("SmallCNN.forward", lambda right: lambda self, images: right(self, images) * 1.001),
    "e": ("SmallCNN.forward", lambda right: lambda self, images: right(self, images) + 0.01),
}


@pytest.mark.oracle
@pytest.mark.parametrize("part", PLANTED)
def test_a_planted_fault_stops_before_anything_is_timed(twins, part, monkeypatch, tmp_path, capsys):
    name, spoil = PLANTED[part]
    owner, _, attribute = name.rpartition(".")
    owner = getattr(twins, owner) if owner else twins
    monkeypatch.setattr(owner, attribute, spoil(getattr(owner, attribute)))
    monkeypatch.setattr(speed, "interleave", lambda *args: pytest.fail("timed"))
    assert speed.main(["--repeats", "1", "--only", part, "--no-compile", "--out", str(tmp_path)], TINY) == 1
    assert "not timed, results differ: " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.oracle
def test_a_fault_in_float32_alone_is_caught_too(twins, monkeypatch):
    right = twins.conv
    monkeypatch.setattr(twins, "conv", lambda x, W: right(x, W) * (1 if x.dtype == twins.torch.float64 else 1.001))
    with pytest.raises(timing.Disagreement, match="7×7 convolution 2→1, 2 of 6×6: .*array 0 is off"):
        speed.time_cases(TINY, "b", twins, False, 1)


@pytest.mark.oracle
def test_a_missing_compiler_is_said(twins, monkeypatch):
    def fail(function):
        raise RuntimeError("No working C++ compiler found\nlong story")

    monkeypatch.setattr(twins.torch, "compile", fail)
    assert twins.no_compiler() == "No working C++ compiler found"


@pytest.mark.oracle
def test_compiled_ways_are_compiled_and_reported(twins, monkeypatch, tmp_path):
    compiled = []
    monkeypatch.setattr(twins, "no_compiler", lambda: None)
    monkeypatch.setattr(twins.torch, "compile", lambda f, **options: compiled.append(options) or f)
    speed.main(["--repeats", "1", "--only", "ad", "--out", str(tmp_path)], TINY)
    rows = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))["cases"]
    assert compiled == [{"dynamic": False}] * 2 * len(rows)  # both layouts
    for row in rows:
        assert row["ratio_compiled"] == row["NumPy"]["median"] / row["compiled"]["median"]


@needs_proc
@pytest.mark.oracle
def test_memory_of_pytorch(twins, monkeypatch):
    monkeypatch.setattr(twins, "MAXIMA", {"amax": twins.AMAX})
    rows = speed_memory.measure(TINY, 1, twins)
    assert [(row["kind"], row["way"]) for row in rows[1:]] == [
        ("eager", "NCHW, amax"),
        ("eager", "channels-last, amax"),
    ]
    assert all(row["bytes"] > 0 for row in rows)


def test_without_pytorch_there_are_no_twins(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert speed.load_twins() is None


def test_help_names_every_part(capsys):
    with pytest.raises(SystemExit) as stopped:
        speed.main(["--help"])
    assert stopped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert all(f"{part}: {title}" in text for part, title in PARTS.items())
