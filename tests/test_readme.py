"""What README and the pages in docs show, runs: their Python, their commands, their links."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import attending
from benchmarks.pointing import table
from cbam_np import ImageNetResNet
from cbam_np.train import comparison_table

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
TEXTS = "\n".join([README, *DOCS.values()])
PYTHON = re.findall(r"```python\n(.*?)```", TEXTS, flags=re.DOTALL)
COMMANDS = re.findall(r"^    ((?:make|cbam-np|python) [^\n]*)$", TEXTS, flags=re.MULTILINE)
COMMANDS = sorted({line.partition("#")[0].strip() for line in COMMANDS})
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("results/**/*.md")]
LINKS = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, timeout=300)


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_prints_what_its_comments_say(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed == re.findall(r"^print\(.*# (.*)$", code, flags=re.MULTILINE)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make")])
def test_make_targets_exist(command):
    target = command.split("#")[0].split()[1]
    done = run("make", "--dry-run", target)
    assert done.returncode == 0, done.stderr


def test_cbam_np_lecture():
    done = run(sys.executable, "-m", "cbam_np", "lecture")
    assert done.returncode == 0 and done.stdout.endswith("numbers on the slides matched.\n")


TRAIN = sorted({c.partition(" --out")[0] for c in COMMANDS if c.startswith("cbam-np train")})


@pytest.mark.parametrize("command", TRAIN)
def test_train_commands_are_understood(command, tmp_path):
    options = [*command.split()[2:], "--out", str(tmp_path / "run")]
    if "cifar10" in options:
        options += ["--data-root", str(tmp_path)]
        done = run(sys.executable, "-m", "cbam_np", "train", *options)
        assert done.returncode == 2 and "cifar-10-batches-bin" in done.stderr  # understood: only the data are missing
    else:
        small = ["--images", "128", "--epochs", "1", "--channels", "4", "8", "--reduction", "2"]
        done = run(sys.executable, "-m", "cbam_np", "train", *options, *small)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "run" / "attention.png").stat().st_size > 10_000


def test_cbam_np_worksheet_and_check(tmp_path):
    (sheets,) = (c.split()[1:] for c in COMMANDS if c.startswith("cbam-np worksheet"))
    sheets[sheets.index("--count") + 1], sheets[sheets.index("--out") + 1] = "2", str(tmp_path / "sheets")
    done = run(sys.executable, "-m", "cbam_np", *sheets)
    assert done.returncode == 0 and (tmp_path / "sheets" / "class.html").exists(), done.stderr
    (mark,) = (c.split()[1:] for c in COMMANDS if c.startswith("cbam-np mark"))
    assert mark[0] == "mark" and mark[2:4] == ["--class", "sheets/roster.csv"]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "worksheet-7.csv").write_text("F_max[1],1\n", encoding="utf-8")
    roster, out = str(tmp_path / "sheets" / "roster.csv"), str(tmp_path / "report")
    done = run(sys.executable, "-m", "cbam_np", "mark", str(tmp_path / "in"), "--class", roster, "--out", out)
    assert done.returncode == 0 and (tmp_path / "report" / "class.html").exists(), done.stderr
    (check,) = (c.split()[1:] for c in COMMANDS if c.startswith("cbam-np check "))
    answers = tmp_path / check[-1]
    answers.write_text("F_avg[1],0.89\nM_c[1],0.81\n", encoding="utf-8")
    done = run(sys.executable, "-m", "cbam_np", *check[:-1], str(answers))
    assert done.returncode == 0 and done.stdout.startswith("Both answers are right"), done.stderr


MODULE = """
import numpy as np
import cbam_np


class CBAM(cbam_np.nn.layers.CBAM):
    def __init__(self, channels):
        super().__init__(channels, rng=np.random.default_rng(0))
"""


def test_cbam_np_check_code(tmp_path):
    (command,) = (c.split()[1:] for c in COMMANDS if c.startswith("cbam-np check-code"))
    file, _, name = command[-1].partition(":")
    (tmp_path / file).write_text(MODULE, encoding="utf-8")
    done = run(sys.executable, "-m", "cbam_np", *command[:-1], f"{tmp_path / file}:{name}")
    assert done.returncode == 0 and done.stdout.startswith("CBAM: right"), done.stderr
    (code,) = (code for code in PYTHON if "def test_mine_is_cbam" in code)
    names = {}
    exec(MODULE + code, names)
    names["test_mine_is_cbam"]()


def test_code_is_what_was_measured():
    measured = json.loads((ROOT / "results" / "code" / "code.json").read_text(encoding="utf-8"))
    own, others, second = (len(measured[key]) for key in ("own", "census", "second"))
    told = f"was measured on {own} modules of our own and on {others} of other people's. A second list of {second},"
    assert told in DOCS["checking"].replace("\n", " ")
    rows = measured["own"] + measured["census"]
    assert not any(row["truth"] != "right" and row["verdict"] == "right" for row in rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = [link for where, link in LINKS if where == page]
    assert not [link for link in links if not link.startswith("https://") and not (page.parent / link).exists()]


RESULTS = sorted((ROOT / "results").glob("*/result.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.parent.name)
def test_results_say_what_was_measured(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    copies = [name for name in ("test_accuracy_mirrored", "test_accuracy_six_copies") if name in result]
    more = " | ".join(f"{result[name]:.1%}" for name in copies)
    minutes = result["epochs"] * result["seconds_per_epoch"] / 60
    row = f"| {result['test_accuracy']:.1%} | {more} | {minutes:.1f} | {result['images_per_second']:.0f} |"
    name, training = path.parent.name, DOCS["training"]
    assert re.search(rf"^\| \[{name}\]\(\.\./results/{name}\) \|[^|]*{re.escape(row)}$", training, re.MULTILINE), row
    if "JPEG" in result["note"]:
        assert result["note"] in training.replace("\n", " ")
    short = f"| {result['test_accuracy']:.1%} | {minutes:.1f} |"
    (in_readme,) = re.findall(rf"^\| \[{name}\].*$", README, re.MULTILINE) or [short]
    assert in_readme.endswith(short) and (
        f"{result['epochs']} epochs" in in_readme or "the same" in in_readme or in_readme == short
    )
    assert {"cores", "blas", "numpy"} <= result["machine"].keys()
    assert "--seed" in result["command"] and not re.search(r"(^|\s)/\w", result["command"])


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.parent.name)
def test_the_command_of_a_result_makes_such_a_run(path):
    from cbam_np.cli import _parser
    from cbam_np.cli.train import settings_of

    result = json.loads(path.read_text(encoding="utf-8"))
    given = vars(_parser("cbam-np").parse_args([*shlex.split(result["command"])[1:], "--out", "x"]))
    settings = settings_of(
        {name: value for name, value in given.items() if name not in ("run", "command", "out", "resume")}
    )
    assert settings.recipe.epochs == result["epochs"] and settings.seed == result["settings"]["seed"]
    assert settings.attention == result["settings"]["attention"]


def test_the_calibration_is_what_was_measured():
    runs = json.loads((ROOT / "results" / "recipe-in-torch" / "runs.json").read_text(encoding="utf-8"))["runs"]
    alone, six = (sum(run[name] for run in runs) / len(runs) for name in ("test_accuracy", "test_accuracy_six_copies"))
    text = " ".join(DOCS["training"].split())
    assert f"it reaches {six:.1%} with them and {alone:.1%} without" in text and abs(0.940 - six - 0.03) < 0.005


def test_a_network_that_knows_its_images_by_heart_and_one_that_cannot():
    wide, plain, cbam, longer, again = (
        json.loads((ROOT / "results" / f"cifar10-whitened-{name}" / "result.json").read_text(encoding="utf-8"))
        for name in ("wide-cbam", "record-plain", "record-cbam", "record-cbam-23", "record-cbam-23-again")
    )
    text = " ".join(DOCS["training"].split())
    assert f"it was right about {wide['train_accuracy']:.2%} of them" in text
    without_cbam, with_cbam = (f"{run['train_accuracy']:.2%}" for run in (plain, cbam))
    assert f"right about {without_cbam} of its training images, the one with CBAM about {with_cbam}." in text
    without, right, first, second = (
        round(run["test_accuracy_six_copies"] * run["test_images"]) for run in (plain, cbam, longer, again)
    )
    assert f"about {without:,} and {right:,} of the {plain['test_images']:,} test images, one and two short" in text
    assert (9_200 - without, 9_200 - right) == (1, 2)
    assert f"CBAM is {100 * (cbam['test_accuracy'] - plain['test_accuracy']):.2f} points ahead" in text
    ours, theirs = (dict(run["settings"], attention=None) for run in (plain, cbam))
    assert ours == theirs  # they differ in CBAM alone
    minutes = [f"{run['seconds_per_epoch'] * run['epochs'] / 60:.0f}" for run in (longer, again)]
    for said in (
        f"The first took {minutes[0]} minutes, and with the six copies it is right about {first:,} of the test images.",
        f"It took {minutes[1]} minutes, was right about {again['train_accuracy']:.2%} of its training images,",
        f"and with the six copies about {second:,} of the test images.",
    ):
        assert said in text
    of_longer = dict(longer["settings"], recipe=dict(longer["settings"]["recipe"], epochs=cbam["epochs"]))
    assert of_longer == cbam["settings"] and longer["epochs"] - cbam["epochs"] == 3
    assert again["settings"] == longer["settings"] and again["seconds_per_epoch"] * again["epochs"] <= 9000


def test_what_each_part_of_the_recipe_brings_is_what_was_measured():
    found = json.loads((ROOT / "results" / "compare-public-recipe" / "comparison.json").read_text(encoding="utf-8"))
    assert found["images"] == "validation" and found["seeds"] == 3
    rows, text = {row["variant"]: row for row in found["rows"]}, " ".join(DOCS["training"].split())
    muon, whitening = (-100 * rows[name]["difference"] for name in ("SGD instead of Muon", "first filters drawn"))
    assert f"in its place the network is {muon:.0f} points behind. Whitening brings {whitening:.1f} points" in text
    unclear = {name for name, row in rows.items() if row["verdict"] == "no difference found"}
    assert unclear == set(rows) - {"as it is", "SGD instead of Muon", "first filters drawn"}


def test_cbam_in_the_whitened_network_is_what_was_measured():
    found = json.loads((ROOT / "results" / "compare-cbam" / "comparison.json").read_text(encoding="utf-8"))
    text = " ".join(DOCS["training"].split())
    (none, cbam), (none_six, cbam_six) = found["rows"], found["rows_six_copies"]
    assert f"without attention reach {none['mean']:.1%}, and {none_six['mean']:.1%} with the six copies" in text
    assert f"they reach {cbam['mean']:.1%} and {cbam_six['mean']:.1%}: without the copies, CBAM is" in text
    low, high = (f"{100 * cbam[end]:.2f}".replace("-", "−") for end in ("low", "high"))
    assert f"{-100 * cbam['difference']:.2f} points lower" in text and f"interval {low} to {high}" in text
    assert cbam["verdict"] == "lower in all 3 seeds" and cbam_six["verdict"] == "no difference found"
    runs = json.loads((ROOT / "results" / "recipe-in-torch" / "runs.json").read_text(encoding="utf-8"))["runs"]
    assert abs(none["mean"] - sum(run["test_accuracy"] for run in runs) / len(runs)) < 0.003  # as in PyTorch


def test_readme_has_three_of_the_results():
    assert len(re.findall(r"^\| \[cifar10-", README, re.MULTILINE)) == 3
    assert "JPEG-recompressed copy of CIFAR-10" in README


SPEED, HELD, AMD = (
    json.loads((ROOT / "results" / name / "speed.json").read_text(encoding="utf-8"))
    for name in ("speed", "speed-haswell", "speed-amd")
)


def test_speed_is_what_was_measured():
    assert HELD["blas_kernels"] == ["Haswell"] != SPEED["blas_kernels"]
    for text in (README, DOCS["speed"]):
        assert all(f"PyTorch {run['torch'][:4]}" in text and run["threads"] == 2 for run in (SPEED, HELD, AMD))
        assert AMD["machine"]["processor"] in text
    assert len(SPEED["cases"]) == 16
    short = 0
    for a, b, c in zip(SPEED["cases"], HELD["cases"], AMD["cases"], strict=True):
        row = f"| {a['name']} | {a['ratio']:.2f} | {b['ratio']:.2f} | {c['ratio']:.2f} |"
        assert a["name"] == b["name"] == c["name"] and (row in DOCS["speed"] or a["part"] == "e"), row
        short += f"| {a['name']} | {a['ratio']:.2f} | {c['ratio']:.2f} |\n" in README
    assert short == len(re.findall(r"^\| .* \| \d\.\d\d \| \d\.\d\d \|$", README, re.MULTILINE)) == 3


def test_where_the_time_of_a_step_goes_is_what_was_measured():
    text = " ".join(DOCS["speed"].split())
    (step,) = (row for row in AMD["shares"] if row["name"] == "training step, CBAM")
    ours, theirs = step["NumPy"], step["eager"]
    for kind, seconds in ours.items():
        cells = f"{1000 * theirs[kind]:.1f} | {seconds / theirs[kind]:.2f}" if kind in theirs else "– | –"
        assert f"| {kind} | {1000 * seconds:.1f} | {cells} |" in text
    assert all(ours[kind] < theirs[kind] for kind in ("attention", "ReLU"))
    assert all(ours[kind] > theirs[kind] for kind in ("convolutions", "batch normalisation", "pooling"))
    for part, kind, said in (
        ("a", "ratio_compiled", "the CBAM blocks of the table take {} times as long there"),
        ("d", "ratio_compiled", "and the training steps {} times."),
        ("e", "ratio", "Inference of the small network takes {} times as long as in eager PyTorch."),
    ):
        ratios = [case[kind] for case in AMD["cases"] if case["part"] == part]
        assert len(ratios) == 3 and said.format(f"{min(ratios):.2f} to {max(ratios):.2f}") in text
    numpy, *torch = (row["bytes"] for row in sorted(AMD["memory"], key=lambda row: row["kind"] != "NumPy"))
    assert f"peak memory is {numpy / min(torch):.2f} of what PyTorch needs at its least" in text
    assert f"exponents of at most {max(row['exponent'] for row in AMD['growth']):.2f}." in text
    first, second = (
        next(peak["flops_per_second"] for peak in run["gemm"] if peak["threads"] == 2) / 1e9 for run in (SPEED, AMD)
    )
    assert f"reach {first:.0f} GFLOP/s in matrix products, the AMD EPYC's {second:.0f};" in text


def test_comparison_is_what_was_measured():
    text = DOCS["attention"]
    found = json.loads((ROOT / "results" / "compare-attention" / "comparison.json").read_text(encoding="utf-8"))
    assert comparison_table(found) in text and found["note"] in text.replace("\n", " ")
    assert f"--seeds {found['seeds']} --epochs {found['settings']['recipe']['epochs']} " in text
    for name in ("pointing", "pointing-start", "pointing-cifar10"):
        pointing = json.loads((ROOT / "results" / name / "pointing.json").read_text(encoding="utf-8"))
        assert table(pointing) in text and f"{pointing['seeds']} seeds:" in text
    found = json.loads((ROOT / "results" / "attending" / "attending.json").read_text(encoding="utf-8"))
    assert "\n".join(attending.lines(found)) in text and found["seeds"] == 5


def test_cbam_np_gradcam(tmp_path):
    (command,) = (c.split()[1:] for c in COMMANDS if c.startswith("cbam-np gradcam --data"))
    done = run(sys.executable, "-m", "cbam_np", *command[:-1], str(tmp_path / command[-1]))
    assert done.returncode == 0 and (tmp_path / command[-1]).stat().st_size > 50_000, done.stderr


@pytest.mark.slow
def test_cbam_np_gradcam_with_weights(tmp_path):
    (command,) = (c.split()[1:] for c in COMMANDS if c.startswith("cbam-np gradcam --weights"))
    files = [word for word in command if "." in word]
    assert files == ["resnet50.npz", "resnet50-cbam.npz", "leopard.jpg", "leopard.png"]
    for name, attention in zip(files, (None, "cbam"), strict=False):
        model = ImageNetResNet(50, attention, rng=np.random.default_rng(0))
        np.savez(tmp_path / name, **{f"module.{key}": array for key, array in model.state_dict().items()})
    picture = np.random.default_rng(0).integers(0, 256, (300, 260, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "leopard.jpg")
    command = [str(tmp_path / word) if word in files else word for word in command]
    done = run(sys.executable, "-m", "cbam_np", *command)
    assert done.returncode == 0 and "for class 289; most probable: " in done.stdout, done.stderr
    assert (tmp_path / "leopard.png").stat().st_size > 50_000


@pytest.mark.oracle
@pytest.mark.parametrize("command", [c.split()[1:] for c in COMMANDS if c.startswith("cbam-np convert")], ids=" ".join)
def test_cbam_np_convert(command, tmp_path):
    torch = pytest.importorskip("torch")
    name, source, target = command
    torch.save({"state_dict": {"module.fc.bias": torch.ones(3)}}, tmp_path / source)
    done = run(sys.executable, "-m", "cbam_np", name, str(tmp_path / source), str(tmp_path / target))
    assert done.returncode == 0 and np.load(tmp_path / target)["module.fc.bias"].tolist() == [1, 1, 1], done.stderr


def test_the_picture_moves_and_is_small():
    path = ROOT / "results" / "gallery" / "walk.webp"
    with Image.open(path) as picture:
        assert picture.n_frames >= 20 and path.stat().st_size < 1_000_000
    assert README.index("walk.webp") < README.index("## Try it")


def test_everything_is_found():
    assert len(PYTHON) == 5 and len(COMMANDS) >= 15 and len(TRAIN) == 3 and len(LINKS) >= 50 and RESULTS


def test_the_library_s_requirements_are_among_all_requirements():
    import tomllib

    library = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    everything = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert library and set(library) <= set(everything)
