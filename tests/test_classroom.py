"""The explorer without a browser: what the kernel answers, what the page is made of, and what is stored with it."""

import base64
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cbam_np
from cbam_np import lecture
from cbam_np.classroom import front, images
from cbam_np.classroom.begin import begin, texts
from cbam_np.classroom.example import Example
from cbam_np.classroom.kernels import KERNELS
from cbam_np.classroom.mistaken import mistaken_values
from cbam_np.classroom.mlps import mlps
from cbam_np.classroom.page import page
from cbam_np.cli import main
from cbam_np.ops import softmax

pytest.importorskip("anywidget")


class Front:
    """Stands for the front end: it asks, and keeps what the explorer answers."""

    def __init__(self, explorer, monkeypatch):
        self.explorer, self.number, self.answers = explorer, 0, {}
        self.numbers, self.choices = (
            json.loads(json.dumps(begin(explorer.example)[k])) for k in ("numbers", "choices")
        )
        monkeypatch.setattr(explorer, "send", lambda answer: self.answers.update({answer["number"]: answer}))

    def ask(self, kind, **content):
        self.number += 1
        message = {"kind": kind, "number": self.number, **content}
        self.explorer._handle_custom_msg(json.loads(json.dumps(message)), [])
        return json.loads(json.dumps(self.answers[self.number], allow_nan=False))

    def calculate(self, aside=False):
        return self.ask("calculate", example={"numbers": self.numbers, "choices": self.choices}, aside=aside)

    def check(self, **answers):
        example = {"numbers": self.numbers, "choices": self.choices}
        return self.ask("check", example=example, answers={k.replace("_at_", "[") + "]": v for k, v in answers.items()})


@pytest.fixture
def explorer():
    return cbam_np.explore()


@pytest.fixture
def kernel(explorer, monkeypatch):
    return Front(explorer, monkeypatch)


def floats(values):
    """Return what was sent as an array of floats."""
    if isinstance(values, list):
        return np.array([floats(part) for part in values])
    n, _, d = str(values).partition("/")
    return float(n) / float(d or 1)


def assert_same(answer, trace):
    assert list(answer) == list(trace.names)
    for step in trace:
        np.testing.assert_allclose(floats(answer[step.name]), np.asarray(step.value, float), atol=1e-12)


def test_it_begins_with_the_lecture(explorer, kernel):
    assert explorer.trace["M_c[1]"].value == lecture.trace()["M_c[1]"].value
    answer = kernel.calculate()["answer"]
    assert_same(answer, lecture.trace())
    assert answer["F_avg"] == ["8/9", "8/9", "10/9"]  # exact, as long as it can be


@pytest.mark.parametrize(
    ("typed", "value"), [("8/9", 8 / 9), ("0,5", 0.5), ("−1/3", -1 / 3), ("1e-3", 0.001), (" 2 ", 2)]
)
def test_what_is_typed_is_read_as_the_checker_reads_it(typed, value, explorer, kernel):
    kernel.numbers["F"][0][1][2] = typed
    F = lecture.F.astype(float)
    F[0, 1, 2] = value
    params = {name: W.astype(float) for name, W in lecture.parameters().items()}
    assert_same(kernel.calculate()["answer"], cbam_np.trace_cbam(F, params, lecture.upstream()))
    assert explorer.trace["F[1,2,3]"].value == pytest.approx(value)


@pytest.mark.parametrize("order", ["channel-spatial", "spatial-channel", "parallel", "channel", "spatial"])
@pytest.mark.parametrize("pools", [["avg", "max"], ["max", "avg"], ["avg"], ["max"]])
def test_orders_pools_ties_and_biases_are_handed_on(order, pools, explorer, kernel):
    kernel.choices |= {
        "order": order,
        "channel_pools": pools,
        "spatial_pools": pools,
        "ties": "split",
        "mlp_bias": True,
    }
    answer = kernel.calculate()["answer"]
    params = explorer.example.parameters()
    choices = {"channel_pools": tuple(pools), "spatial_pools": tuple(pools), "ties": "split", "mlp_bias": True}
    assert_same(answer, cbam_np.trace_cbam(lecture.F, params, lecture.upstream(), order=order, **choices))
    assert ("b0" in params) == (order != "spatial") and ("W7" in params) == (order != "channel")
    if "W7" in params:
        halves = [0 if pool == "avg" else 1 for pool in pools]
        np.testing.assert_array_equal(params["W7"], lecture.kernel()[:, halves])


@pytest.mark.parametrize("dialect", ["paper", "official", "timm", "timm-light", "keras"])
def test_implementations_of_the_menu(dialect, explorer, kernel):
    kernel.choices |= json.loads(json.dumps(begin(explorer.example)["dialects"][dialect]["choices"]))
    kernel.numbers["gamma"], kernel.numbers["beta"] = "3/2", "-0,5"
    answer = kernel.calculate()["answer"]
    params, d = explorer.example.parameters(), cbam_np.DIALECTS[dialect]
    choices = {
        name: getattr(d, name) for name in ("channel_pools", "spatial_pools", "ties", "mlp_bias", "spatial_norm")
    }
    assert_same(answer, cbam_np.trace_cbam(lecture.F, params, lecture.upstream(), **choices))
    assert ("gamma" in params) == d.spatial_norm


def test_what_is_only_compared_with_changes_nothing(explorer, kernel):
    kernel.choices["order"] = "parallel"
    answer = kernel.calculate(aside=True)["answer"]
    assert floats(answer["F''"])[0, 0, 0] != pytest.approx(explorer.trace["F''[1,1,1]"].value)
    assert explorer.trace.dialect.order == "channel-spatial"
    kernel.calculate()
    assert explorer.trace.dialect.order == "parallel"


def test_what_cannot_be_calculated_is_told(explorer, kernel):
    kernel.numbers["F"][0][0][0] = "big"
    told = kernel.calculate()
    assert "'big'" in told["problem"] and "answer" not in told
    assert explorer.trace["F[1,1,1]"].value == 1


def test_answers_are_judged_by_the_checker(kernel):
    answer = kernel.check(M_c_at_1="0.81", F_max_at_1="8/9")["answer"]
    assert answer["M_c[1]"] == {"verdict": "right"}
    assert answer["F_max[1]"]["verdict"] == "wrong" and "taken twice" in answer["F_max[1]"]["mistake"]
    kernel.numbers["F"][0][0][0] = "10"
    assert kernel.check(F_avg_at_1="17/9")["answer"]["F_avg[1]"] == {"verdict": "right"}


def test_somebodys_own_picture(kernel):
    picture = np.random.default_rng(0).integers(0, 256, (3, 32, 32)).astype(np.uint8)
    sent = base64.b64encode(picture.transpose(1, 2, 0).tobytes()).decode()
    answer = kernel.ask("look", image=sent)["answer"]
    model = cbam_np.load_pretrained("smallcnn-cbam-cifar10")
    np.testing.assert_allclose(answer["probabilities"][-1], model.predict(picture[None])[0], atol=1e-4)
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["png"]))))
    np.testing.assert_array_equal(decoded.transpose(2, 0, 1), picture)
    assert "3072" in kernel.ask("look", image="AAAA")["problem"]


def test_it_has_a_picture_for_where_no_widget_runs(explorer):
    bundle, told = explorer._repr_mimebundle_()
    assert "channel attention" in told["image/png"]["alt"]
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert picture.width >= 1280 and "children" not in bundle["text/plain"]
    other, _ = cbam_np.explore([[[1, 2], [3, 4]]])._repr_mimebundle_()
    assert "image/png" not in other and "(1, 2, 2)" in other["text/plain"]


def test_where_no_widget_runs_the_notebook_shows_that_picture():
    """As GitHub does, which shows what is stored; nbconvert takes the picture, too."""
    nbconvert, notebooks = pytest.importorskip("nbconvert"), Path(__file__).parent.parent / "notebooks"
    html, _ = nbconvert.HTMLExporter().from_filename(str(notebooks / "00_explorer.ipynb"))
    picture = base64.b64encode((front.FOLDER / "explorer.png").read_bytes()).decode()
    assert picture in html.replace("\n", "") and "Explorer of F" not in html


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"F": np.zeros((5, 3, 3))}, r"F has shape \(5, 3, 3\), expected \(C, H, W\), at most \(4, 5, 5\)"),
        ({"F": np.zeros((3, 3))}, r"F has shape \(3, 3\), expected \(C, H, W\)"),
        ({"order": "backwards"}, "order is 'backwards', expected one of"),
        ({"kernel": "round"}, "kernel is 'round', expected one of 'lecture', 'uniform'"),
        ({"reduction": 5}, r"reduction is 5, expected one of \[1, 3\]"),
    ],
)
def test_what_cannot_be_explored(wrong, message):
    with pytest.raises(ValueError, match=message):
        cbam_np.explore(**wrong)


def test_without_the_widget_library_it_says_what_is_missing(monkeypatch):
    monkeypatch.delitem(sys.modules, "cbam_np.classroom.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match="explore needs anywidget: pip install anywidget"):
        cbam_np.explore()


# --- the page ---


def begun(html):
    return json.loads(re.search(r'<script type="application/json" id="begin">(.*?)</script>', html, re.DOTALL)[1])


def test_the_page_needs_nothing_and_is_small():
    html = page()
    told = begun(html)
    pictures = len(json.dumps(told["images"]))
    assert len(html.encode()) - pictures < 500_000
    assert not re.search(
        r"""(?:src|href|url|import)\s*[=(]?\s*["']?\s*(?:https?:)?//""", html.replace("http://www.w3.org/2000/svg", "")
    )
    assert "default-src 'none'" in html


def test_a_saved_page_begins_with_what_is_on_the_screen(explorer, kernel, tmp_path):
    kernel.numbers["F"][0][0][0] = "</script><b>9"
    assert "problem" in kernel.calculate()
    kernel.numbers["F"][0][0][0] = "9"
    kernel.choices |= {"order": "parallel", "kernel": "own"}
    kernel.calculate()
    told = begun(explorer.save(tmp_path / "mine.html").read_text(encoding="utf-8"))
    assert told["numbers"]["F"][0][0][0] == "9" and told["choices"]["order"] == "parallel"
    entries = {tuple(pair) for pair in told["mistakes"]["values"]["F_max[1]"]}
    assert any(value == pytest.approx(16 / 9) for value, _ in entries)  # the average where the maximum belongs


def test_every_mlp_and_kernel_of_the_menus():
    assert list(mlps(4)) == [1, 2, 4] and list(mlps(3)) == [1, 3]
    np.testing.assert_array_equal(mlps(3)[3]["W0"], lecture.parameters("mixing")["W0"])
    for name, kernel in KERNELS.items():
        W7 = kernel()
        assert W7.shape == (1, 2, 7, 7) and np.abs(W7.astype(float)).sum() > 0.5, name
        np.testing.assert_array_equal(floats(texts(W7)), W7.astype(float))
    for shape in [(1, 2, 2), (4, 5, 5), (2, 3, 4)]:
        example = Example(np.ones(shape))
        assert example.trace()["dF"].shape == shape


def test_the_numbers_of_mistakes_are_wrong_and_named():
    told = mistaken_values(lecture.trace())
    names = {name for name, _ in told["said"]}
    assert "the channel sigmoid forgotten" in names and len(names) > 60
    by_value = {round(value, 4): told["said"][place][0] for value, place in told["values"]["M_c[1]"]}
    assert by_value[round(13 / 9, 4)] == "the channel sigmoid forgotten"
    for entry, pairs in told["values"].items():
        right = float(lecture.trace()[entry].value)
        assert all(abs(value - right) > 1e-7 for value, _ in pairs), entry


def test_the_command_writes_the_page(tmp_path, capsys):
    out = tmp_path / "cbam.html"
    assert main(["page", "--out", str(out), "--order", "parallel", "--reduction", "3"]) == 0
    told = begun(out.read_text(encoding="utf-8"))
    assert told["choices"]["order"] == "parallel" and told["numbers"]["W0"] == texts(lecture.parameters("mixing")["W0"])
    assert f"cbam.html: {out.stat().st_size / 1000:.0f} kB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kernel", "round"], "kernel is 'round', expected one of"),
        (["--reduction", "2"], "reduction is 2, expected one of"),
        (["--out", "nowhere/cbam.html"], "nowhere/cbam.html: No such file or directory"),
    ],
)
def test_the_command_says_what_it_cannot_do(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["page", *options]) == 2
    assert message in capsys.readouterr().err


# --- the modules ---


def test_modules_come_after_what_they_import():
    order = front.modules("page.js")
    assert order[-1] == "page.js" and order.index("numbers.js") < order.index("twin.js") < order.index("explorer.js")
    assert {*order} | {"widget.js"} == {path.name for path in front.FOLDER.glob("*.js")}  # none is forgotten
    joined = front.script("page.js")
    assert not re.search(r"^(import|export) ", joined, re.MULTILINE)
    assert front.script("widget.js").rstrip().endswith("export default { render };")


def defined_in(text):
    """Return the names that a module defines at its top level."""
    return re.findall(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", text, re.MULTILINE)


def test_no_two_modules_define_the_same_name():
    for entry in ("page.js", "widget.js"):
        names = defined_in(front.script(entry))
        assert len(names) > 150 and [name for name in names if names.count(name) > 1] == []
    assert defined_in("const a = 1;\nexport function a() {}") == ["a", "a"]  # would be seen


def test_joining_changes_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "a.js").write_text('import { two } from "./b.js";\n\nexport const four = two + two; // export me\n')
    (tmp_path / "b.js").write_text("export const two = 2;\nconst text = `\nexport`;\n")
    monkeypatch.setattr(front, "FOLDER", tmp_path)
    front._read.cache_clear()
    try:
        assert (
            front.script("a.js")
            == "const two = 2;\nconst text = `\nexport`;\n\n\nconst four = two + two; // export me\n"
        )
    finally:
        front._read.cache_clear()


# --- the images ---


def test_the_stored_images_are_what_the_networks_give():
    pictures = images.stored()
    assert len(pictures) == 12 and sum(picture["outline"] is not None for picture in pictures) == 2
    for picture in (pictures[0], pictures[7], pictures[-1]):
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["png"])))).transpose(2, 0, 1)
        told = images.look(cbam_np.load_pretrained(picture["network"]), image)
        np.testing.assert_allclose(told["probabilities"], picture["probabilities"], atol=2e-3)
        for kind in ("Mc", "Ms"):
            for now, before in zip(told["stages"], picture["stages"], strict=True):
                bytes_of = [np.frombuffer(base64.b64decode(s[kind]), np.uint8).astype(int) for s in (now, before)]
                assert np.abs(bytes_of[0] - bytes_of[1]).max() <= 1


def test_attention_is_turned_off_and_on():
    model = cbam_np.load_pretrained("smallcnn-cbam-cifar10")
    picture = np.random.default_rng(1).integers(0, 256, (2, 3, 32, 32)).astype(np.uint8)
    np.testing.assert_allclose(softmax(images.forward_with(model, picture, 1.0)), model.predict(picture), atol=1e-5)
    plain = cbam_np.SmallCNN(attention=None, rng=np.random.default_rng(0))
    rest = {name: array for name, array in model.state_dict().items() if "attention" not in name}
    plain.load_state_dict(rest)
    np.testing.assert_allclose(images.forward_with(model, picture, 0.0), plain.forward(picture), rtol=1e-4)
