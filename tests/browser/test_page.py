"""The page that needs nothing, in Chromium: no network, and every error is fatal."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest

import cbam_np
from cbam_np import lecture
from cbam_np.classroom.page import page as explorer_page

pytestmark = pytest.mark.browser

SIZES = {"projector": (1280, 720), "large": (1920, 1080), "phone": (390, 844)}
STEPS = 27

TYPE = """
([key, value]) => {
    const input = document.querySelector(`[data-key="${key}"]`);
    const start = performance.now();
    input.value = value;
    input.dispatchEvent(new Event('input', {bubbles: true}));
    document.body.getBoundingClientRect();  // laid out, too
    return performance.now() - start;
}
"""
OUTSIDE = """
() => {
    const box = document.documentElement;
    const parts = document.querySelectorAll('.stage .cell, .frame .cell, .line, .steps button, .stage-head');
    const hidden = [...parts].filter(e => {
        const r = e.getBoundingClientRect();
        return r.width && (r.left < -1 || r.top < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1);
    });
    const scrolls = box.scrollHeight > innerHeight + 1 || box.scrollWidth > innerWidth + 1;
    return [scrolls, hidden.map(e => e.className + ' ' + e.innerText)];
}
"""
CUT = """
() => [...document.querySelectorAll('.cell')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && e.offsetWidth)
    .map(e => e.value ?? e.innerText)
"""


class Page:
    """The explorer's page, and what a person does with it."""

    def __init__(self, browser, path, size, theme):
        self.context = browser.new_context(
            viewport=dict(zip(("width", "height"), size, strict=True)), color_scheme=theme
        )
        self.tab, self.path, self.errors = self.context.new_page(), path, []
        self.context.set_offline(True)
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") else None)
        self.tab.on(
            "request", lambda r: self.errors.append(r.url) if not re.match("file:|data:|blob:", r.url) else None
        )

    def open(self, address=""):
        self.tab.goto("about:blank")
        self.tab.goto(f"file://{self.path}#{address}")
        self.tab.wait_for_selector(".cbam-explorer .bar")
        return self

    def type(self, cell, text, place="stage"):
        return self.tab.evaluate(TYPE, [f"{place}:{key(cell)}", text])

    def text(self, cell, place="stage"):
        """Return what stands in a cell, without the old value beside it."""
        found = self.tab.locator(f'[data-key="{place}:{key(cell)}"]')
        return found.evaluate("e => e.nodeName === 'INPUT' ? e.value : e.firstChild.data")

    def press(self, *keys):
        for name in keys:
            self.tab.keyboard.press(name)

    def click(self, text):
        self.tab.get_by_role("button", name=text, exact=True).click()

    def formula(self):
        return " ".join(self.tab.inner_text(".formula-text").replace("\n", " ").split())

    def focused(self):
        return self.tab.evaluate("document.activeElement.dataset.cell ?? document.activeElement.innerText")


def key(cell):
    """Turn "F[1,1,2]" into the key of a cell on the page."""
    name, _, index = cell.rstrip("]").partition("[")
    return f"{name}:{','.join(str(int(i) - 1) for i in index.split(','))}"


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "cbam.html"
    path.write_text(explorer_page(), encoding="utf-8")
    return path


@pytest.fixture
def make(browser, html):
    pages = []

    def make(size="projector", theme="light"):
        pages.append(Page(browser, html, SIZES[size], theme))
        return pages[-1]

    yield make
    for page in pages:
        page.context.close()
    assert [error for page in pages for error in page.errors] == []


@pytest.fixture
def page(make):
    return make().open()


def test_a_planted_error_and_a_request_would_be_seen(make):
    page = make().open()
    page.tab.evaluate("setTimeout(() => { throw new Error('planted') }, 0)")
    page.tab.evaluate("fetch('https://example.org/').catch(() => 0)")
    page.tab.wait_for_timeout(200)
    assert any("planted" in error for error in page.errors)
    assert any("example.org" in error or "Content Security Policy" in error for error in page.errors)
    page.errors.clear()


# --- the frame, and the walk ---


def test_walking_shows_one_step_after_another(page):
    params = {name: W.astype(float) for name, W in lecture.parameters().items()}
    trace = cbam_np.trace_cbam(lecture.F, params, lecture.upstream())
    assert page.text("F_avg[1]", "frame0") == "?"
    for step in range(1, STEPS + 1):
        assert page.tab.inner_text(".stage-head .number") == str(step)
        for button in page.tab.query_selector_all(".results .cell:not(input)"):
            name, _, index = button.get_attribute("data-cell").partition(":")
            shown = float(Fraction(button.evaluate("e => e.firstChild.data").replace("−", "-")))
            expected = np.asarray(trace[name].value, float)[tuple(map(int, index.split(",")))]
            assert shown == pytest.approx(expected, rel=0.06, abs=6e-4), (name, index)
        if step < STEPS:
            page.click("Next →")
    assert page.tab.get_by_role("button", name="Next →").is_disabled()
    assert page.text("dF[1,1,1]", "frame0") == "0.591"


@pytest.mark.parametrize("size", ["projector", "large"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_scrolls_away_on_a_projector(size, theme, make, keep):
    page = make(size, theme).open()
    for step in range(1, STEPS + 1):
        scrolls, outside = page.tab.evaluate(OUTSIDE)
        assert not scrolls and outside == [], step
        assert page.tab.evaluate(CUT) == [], step
        if step in (1, 5, 8, 15) or size == "projector":
            keep(page, f"walk-{size}-{theme}-{step:02}")
        if step < STEPS:
            page.click("Next →")
    for address in ("mode=all", "mode=all&way=backward", "mode=image"):
        page.open(address)
        scrolls, outside = page.tab.evaluate(OUTSIDE)
        assert not scrolls and outside == [], address
        keep(page, f"{address.replace('=', '-').replace('&', '-')}-{size}-{theme}")


def test_a_cell_outside_would_be_seen(page):
    page.tab.evaluate("document.querySelector('.stage .cell').style.transform = 'translateX(3000px)'")
    assert page.tab.evaluate(OUTSIDE)[1] != []


def test_letters_are_large_enough_for_a_back_row(page):
    sizes = """selector => Math.min(...[...document.querySelectorAll(selector)].map(e =>
        parseFloat(getComputedStyle(e).fontSize) * e.getBoundingClientRect().width / e.offsetWidth))"""
    page.open("at=M_c")
    assert page.tab.evaluate(sizes, ".stage .cell") >= 24
    assert page.tab.evaluate(sizes, ".formula .line") >= 24
    page.open()
    for step in range(1, STEPS + 1):
        is_large = page.tab.locator(".stage .window, .stage .dense").count() > 0  # 98 weights
        assert page.tab.evaluate(sizes, ".stage .cell") >= (11.5 if is_large else 14), step
        assert page.tab.evaluate(sizes, ".frame .cell") >= 10.5, step
        if step < STEPS:
            page.click("Next →")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_it_is_one_column(theme, make, keep):
    page = make("phone", theme).open()
    for step in range(1, STEPS + 1):
        assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), step
        head, stage, frame = (page.tab.locator(s).bounding_box() for s in (".stage-head", ".stage .fitted", ".frame"))
        assert head["y"] < stage["y"] < frame["y"] and stage["x"] + stage["width"] <= 391
        assert page.tab.get_by_role("button", name="← Back").is_visible()
        if step in (1, 5, 8):
            keep(page, f"phone-{theme}-{step:02}")
        if step < STEPS:
            page.click("Next →")


def test_it_works_at_twice_the_size(browser, html):
    context = browser.new_context(viewport={"width": 640, "height": 360})
    page = context.new_page()
    page.goto(f"file://{html}#at=M_c")
    page.wait_for_selector(".narrow .stage .cell")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    context.close()


def test_predicting(page, keep):
    page.open("mode=predict&at=M_c")
    assert page.tab.locator(".results input").count() == 6
    assert "0.809" not in page.tab.inner_text(".lesson")  # not the answer, anywhere
    page.type("z_c[1]", "1.445")  # from the slides' rounded average
    page.type("M_c[1]", "0,81")
    page.type("z_c[2]", "2")
    page.type("M_c[2]", "0.88")  # wrong, but σ(2)
    page.type("M_c[3]", "0.5")
    verdicts = {
        c.get_attribute("data-cell"): c.get_attribute("class") for c in page.tab.query_selector_all(".results input")
    }
    expected = {"z_c:0": "follows", "M_c:0": "right", "z_c:1": "wrong", "M_c:1": "follows", "M_c:2": "wrong"}
    for cell, verdict in expected.items():
        assert verdict in verdicts[cell].split(), cell
    keep(page, "predict")
    page.type("M_c[3]", "0.826")
    assert "right" in page.tab.locator('[data-key="stage:M_c:2"]').get_attribute("class").split()
    page.click("Next →")
    assert page.text("M_c[2]", "frame0") == "0.809"  # what has been passed is shown


# --- touching cells ---


def test_where_a_cell_comes_from(page):
    page.open("at=M_c")
    page.tab.click('[data-key="stage:M_c:0"]')
    assert page.formula() == "Mc[1] = σ(zc[1]) = σ(4/9 + 1) ≈ 0.809"

    def lit(kind):
        return {e.get_attribute("data-cell") for e in page.tab.query_selector_all(f".frame .cell.{kind}")}

    assert lit("from") == {"z_c:0"} and lit("chosen") == {"M_c:0"}
    page.click("all the way")
    assert {"F:0,0,0", "F:0,2,2", "F_avg:0", "h_max:0"} <= lit("from") and "F:1,0,0" not in lit("from")
    assert "(1 + 0 + 1 + 2" in page.formula()
    page.click("influences")
    assert {"F':0,0,0", "Fs_avg:1,1", "M_s:2,2", "F'':2,0,0"} <= lit("to") and "M_c:1" not in lit("to")


def test_the_keyboard_reaches_everything(page):
    page.press("Tab")
    seen = []
    for _ in range(25):
        seen.append(page.focused())
        page.press("Tab")
    assert "F:0,0,0" in seen[:12] and "Next →" in seen
    page.press("PageDown", "PageDown", "PageUp")  # as a presenter's remote control does
    assert page.tab.inner_text(".stage-head .number") == "2"
    page.press("PageUp")
    page.tab.focus('[data-key="stage:F:0,0,0"]')
    page.press("End", "ArrowRight", "ArrowDown")
    assert page.focused() == "F:0,1,1"
    page.press("Enter")
    assert page.focused() == "F:0,1,2"
    page.open("at=M_c")
    page.tab.focus('[data-key="stage:M_c:0"]')
    page.press("ArrowDown")
    assert page.focused() == "M_c:1" and page.formula().startswith("Mc[2] =")


def test_a_nudge_agrees_with_the_gradient(page):
    page.open("at=M_c")
    page.tab.click('[data-key="stage:M_c:0"]')
    page.click("nudge by 0.01")
    said = page.formula()
    slope, gradient = map(float, re.search(r"Slope ([\d.]+), gradient dM_c\[1\] = ([\d.]+\d)", said).groups())
    assert gradient == pytest.approx(float(lecture.trace()["dM_c[1]"].value), abs=1e-3)
    assert slope == pytest.approx(gradient, rel=0.02) and "They agree" in said
    page.open("at=F")  # three entries of textures are the largest: a corner
    page.tab.click('[data-key="stage:F:2,0,1"]')
    page.click("nudge by 0.01")
    assert "They differ" in page.formula()


# --- the window ---


def test_the_window_moves_over_the_padding(page, keep):
    page.open("at=z_s")

    def met():
        return page.tab.locator(".padded").first.locator(".met").count()

    assert met() == 49 and page.tab.locator(".padded").first.locator(".padding").count() == 81 - 9
    page.tab.click('[data-key="stage:z_s:0,0"]')
    corner = [e.bounding_box() for e in page.tab.query_selector_all(".padded .middle")]
    page.press("ArrowDown", "ArrowRight")
    middle = [e.bounding_box() for e in page.tab.query_selector_all(".padded .middle")]
    assert all(a["x"] < b["x"] and a["y"] < b["y"] for a, b in zip(corner, middle, strict=True))
    assert "= 1.489" in " ".join(page.tab.inner_text(".totals").split())
    page.click("products")
    sums = [
        float(re.search(r"sum (−?[\d.]+)", t)[1].replace("−", "-"))
        for t in page.tab.locator(".kernel .caption").all_inner_texts()
    ]
    assert sum(sums) == pytest.approx(float(lecture.trace()["z_s[2,2]"].value), abs=2e-3)
    keep(page, "window-products")


def test_a_uniform_kernel_sees_everything_from_everywhere(page, keep):
    page.open("at=z_s&kernel=uniform")
    assert "Every window sees all 9 pixels, and all give the same number." in page.tab.inner_text(".reach")
    page.open("at=z_s&kernel=centre")
    assert "1 of 9 pixels" in page.tab.inner_text(".reach")
    page.open("at=z_s&kernel=learned")
    assert page.tab.evaluate(CUT) == []
    keep(page, "window-learned")


def test_every_weight_of_the_kernel_can_be_typed(page):
    page.open("at=z_s")
    assert page.tab.locator(".kernel input").count() == 98
    before = page.text("z_s[2,2]")
    page.type("W7[2,4,4]", "-1/8")
    assert page.text("W7[2,4,4]") == "-1/8" or page.text("W7[2,4,4]") == "−1/8"
    assert page.text("z_s[2,2]") != before
    assert "kernel=own" in page_address(page)


def test_sliding_stops(page):
    page.open("at=z_s")
    page.click("slide")
    page.tab.wait_for_timeout(1200)
    page.click("stop")
    here = page.tab.locator(".stage .chosen").first.get_attribute("data-cell")
    page.tab.wait_for_timeout(1200)
    assert page.tab.locator(".stage .chosen").first.get_attribute("data-cell") == here


# --- changes, and numbers ---


def page_address(page):
    page.tab.wait_for_timeout(300)
    return page.tab.evaluate("location.hash")


@pytest.mark.parametrize(
    ("typed", "average"), [("1/3", "22/27"), ("0,5", "5/6"), ("−1/3", "20/27"), ("-0.125", "55/72"), ("1e3", "1007/9")]
)
def test_numbers_are_read_as_the_checker_reads_them(typed, average, page):
    page.type("F[1,1,1]", typed)
    page.tab.locator('[data-key="stage:F:0,0,0"]').blur()
    assert page.text("F[1,1,1]").replace("−", "-") == typed.replace("−", "-")
    page.click("Next →")
    assert page.text("F_avg[1]") == average and page.text("F_avg[2]") == "8/9"


@pytest.mark.parametrize("typed", ["1/", "half", "1/0", "1,000.5", "0.5.5", "nan", "", "1e99"])
def test_what_is_no_number_is_said_beside_the_field(typed, page):
    page.type("F[1,1,1]", typed)
    note = page.tab.locator(".bad-note")
    assert note.inner_text() == "not a number" and note.is_visible()
    assert page.tab.locator('[data-key="stage:F:0,0,0"]').get_attribute("aria-invalid") == "true"
    page.type("F[1,1,1]", "3")
    assert page.tab.locator(".bad-note").count() == 0


def test_huge_and_long_numbers_break_nothing(page):
    page.type("F[1,1,1]", "123456789012345678901234567890")
    page.type("F[1,1,2]", "0.12345678901234567")
    page.type("F[2,1,1]", "-98765432109876543210/12345678987")
    page.tab.locator('[data-key="stage:F:1,0,0"]').blur()
    for _ in range(STEPS):
        scrolls, outside = page.tab.evaluate(OUTSIDE)
        assert not scrolls and outside == [] and page.tab.evaluate(CUT) == []
        if not page.tab.get_by_role("button", name="Next →").is_disabled():
            page.click("Next →")
    page.open("at=F&F=0.12345678901234567,0,1;2,1,0;0,2,1|0,1,0;1,1,2;2,0,1|2,2,1;0,1,0;1,1,2")
    assert page.text("F[1,1,1]") == "0.123…"
    page.tab.focus('[data-key="stage:F:0,0,0"]')
    assert page.text("F[1,1,1]") == "0.12345678901234567"


def test_what_changed_is_marked_with_its_old_value(page):
    page.tab.focus('[data-key="stage:F:0,0,0"]')
    page.type("F[1,1,1]", "10")
    page.click("Next →")
    assert page.text("F_avg[1]") == "17/9"
    assert page.tab.inner_text('[data-key="stage:F_avg:0"] .old') == "8/9"
    assert page.tab.locator(".stage .results .changed").count() == 2  # of six


def test_a_number_typed_is_redrawn_at_once(page):
    times = []
    for address in ("at=F", "mode=all"):
        page.open(address)
        place = "stage" if address == "at=F" else "frame0"
        times += sorted(page.type("F[1,1,1]", str(n), place) for n in range(10, 31))[10:11]
    print(
        f"page: {times[0]:.0f} ms (walk) and {times[1]:.0f} ms (all) from a number typed to all redrawn, medians of 21"
    )
    assert max(times) < 400  # 50 on a machine that has nothing else to do


def test_curves_have_the_points_on_them(page):
    page.open("at=M_c")
    assert page.tab.locator(".curve .point").count() == 3 and "σ" in page.tab.inner_text(".curve figcaption")
    page.open("at=hidden")
    assert page.tab.locator(".curve .point").count() == 6 and "ReLU" in page.tab.inner_text(".curve figcaption")
    page.open("at=F%27")
    assert page.tab.locator(".curve").count() == 0


# --- choices, and comparing ---


def test_menus_without_effect_are_disabled_and_say_why(page, keep):
    page.open("order=channel")
    page.click("Choices")

    def menu(name):
        return page.tab.locator(f"select[id$=menu-{name}]")

    assert menu("kernel").is_disabled() and menu("spatial_pools").is_disabled() and not menu("ties").is_disabled()
    assert "this order has no convolution" in page.tab.inner_text(".choices")
    menu("order").select_option("spatial")
    assert menu("reduction").is_disabled() and not menu("kernel").is_disabled()
    keep(page, "choices")
    page.open("F=1,2;3,4&at=F&channel_pools=avg&order=channel")
    page.click("Choices")
    assert menu("ties").is_disabled() and "no maximum is taken" in page.tab.inner_text(".choices")


def test_every_choice_changes_the_numbers(page):
    page.open("mode=all&way=backward")
    page.click("Choices")

    def shown():
        return page.tab.inner_text(".frame")

    for name, value in [
        ("order", "parallel"),
        ("reduction", "3"),
        ("channel_pools", "max"),
        ("mlp_bias", "true"),
        ("spatial_norm", "true"),
        ("spatial_pools", "avg"),
        ("kernel", "edge"),
        ("ties", "split"),
        ("dialect", "paper"),
    ]:
        before = shown()
        page.tab.locator(f"select[id$=menu-{name}]").select_option(value)
        assert shown() != before, name


def test_two_choices_side_by_side(page, keep):
    page.click("Compare")
    page.tab.locator("select[id$=compare-which]").select_option("ties")
    assert "Steps that differ" in page.tab.inner_text(".compare")
    options = page.tab.locator("select[id$=compare-step] option").all_inner_texts()
    assert options and all(name.startswith("d") for name in options)  # ties decide on the way back alone
    page.tab.locator("select[id$=compare-which]").select_option("order")
    two = page.tab.locator(".two figure")
    assert two.count() == 2 and two.nth(0).inner_text() != two.nth(1).inner_text()
    keep(page, "compare")


def test_other_sizes(page):
    page.click("Choices")
    for name, size in (("channels", "4"), ("rows", "5"), ("columns", "5")):
        page.tab.locator(f".sizes label:has-text('{name}') select").select_option(size)
    assert page.tab.locator(".stage input.cell").count() == 100
    for _ in range(STEPS - 1):
        scrolls, outside = page.tab.evaluate(OUTSIDE)
        assert not scrolls and outside == []
        page.click("Next →")


# --- answers ---


def ask(page, name, text, at=0):
    page.tab.fill(f'[data-key="answer:name:{at}"]', name)
    page.tab.fill(f'[data-key="answer:text:{at}"]', text)
    found = page.tab.locator(".verdict")
    return " ".join(found.nth(at).inner_text().split()) if found.count() > at else ""


def test_answers_are_judged_at_every_change(page, keep):
    page.click("Is mine right?")
    assert ask(page, "M_c[1]", "0.81").startswith("✓ right")
    assert ask(page, "M_c[1]", "0.5").startswith("✗ wrong")  # nothing stays from before
    assert "the channel sigmoid forgotten" in ask(page, "M_c[1]", "1.444")
    keep(page, "answers")
    assert ask(page, "Mc(1)", "0,809").startswith("✓ right")
    assert "there is no step" in ask(page, "M_x[1]", "0.81") and "indices start at 1" in ask(page, "M_c[4]", "1")
    assert "not a number" in ask(page, "M_c[1]", "big")
    for name in ("dF''[1,1,1]", "dz_s[2,2]", "dF[1,1,1]", "dW7[1,4,4]", "dW0[1,1]", "dF'_via_Fs_max[1,1,1]"):
        right = float(lecture.trace()[name].value)
        assert ask(page, name, f"{right:.3f}").startswith("✓ right"), name
        assert ask(page, name, f"{right + 0.7:.3f}").startswith("✗ wrong"), name
    assert ask(page, "F_avg[1]", "8/9").startswith("✓ right")
    page.tab.focus('[data-key="stage:F:0,0,0"]')
    page.type("F[1,1,1]", "10")
    assert "wrong" in page.tab.inner_text(".verdict")  # the example has changed, and so has the verdict
    page.tab.fill('[data-key="answer:text:0"]', "17/9")
    page.press("Enter")
    assert "✓ right" in page.tab.inner_text(".verdict")
    assert ask(page, "F_max[1]", "17/9").startswith("✗ wrong") and ":" not in ask(page, "F_max[1]", "17/9")


# --- the address ---


def test_a_link_leads_to_the_same_example(page, make):
    page.type("F[1,1,1]", "-1/3")
    page.click("Choices")
    page.tab.locator("select[id$=menu-order]").select_option("parallel")
    page.click("Next →")
    address = page_address(page)
    other = make().open(address.removeprefix("#"))
    assert other.text("F_avg[1]") == page.text("F_avg[1]") == "20/27"
    assert other.tab.inner_text(".frame") == page.tab.inner_text(".frame")


@pytest.mark.parametrize(
    "address",
    [
        "at=nowhere&mode=x",
        "kernel=constructor",
        "kernel=__proto__&order=toString",
        "F=;;;|||",
        "F=1,2;3",
        "F=<img src=x>",
        "W0=1&order=backwards",
        "cell=F,9,9,9",
        "F=" + "1," * 4000,
        "%",
    ],
)
def test_a_broken_link_does_no_harm(address, make):
    page = make().open(address)
    assert page.tab.locator(".stage .cell").count() == 27 and page.text("F[1,1,1]") == "1"
    assert page.tab.evaluate(OUTSIDE) == [False, []]  # whatever is said of the link has room


def test_another_link_on_the_same_page(page):
    page.tab.evaluate("location.hash = 'F=1,2;x'")
    page.tab.wait_for_selector(".cbam-notice:has-text('could not be used: F.')")
    page.tab.evaluate("location.hash = 'F=5,2;3,4'")
    page.tab.wait_for_selector(".cbam-notice", state="detached")
    assert page.text("F[1,1,1]") == "5" and page.tab.locator(".stage .cell").count() == 4
    page.click("Next →")
    assert "at=pool-space" in page_address(page)
    page.tab.reload()  # or away, and back again
    assert page.tab.inner_text(".stage-head .number") == "2" and page.text("F_avg[1]") == "7/2"


# --- what nobody should do ---

ODD = [
    "1e308",
    "-1e30",
    "1e-30",
    "--",
    "9" * 39,
    "9" * 500,
    "🦆",
    "1\n2\n3",
    "<b>x</b>",
    "½",
    "∞",
    "0x10",
    "  ",
    "1/0",
    "٣",
]
CLICK = """
times => {
    for (let time = 0; time < times; time++) {
        const buttons = [...document.querySelectorAll('.cbam-explorer button:not(:disabled)')];
        buttons[(time * 7919) % buttons.length].click();
        const menus = [...document.querySelectorAll('.cbam-explorer select:not(:disabled)')];
        const menu = time % 5 || !menus.length ? null : menus[(time * 31) % menus.length];
        if (menu) menu.selectedIndex = (time * 17) % menu.options.length;
        menu?.dispatchEvent(new Event('change', {bubbles: true}));
    }
}
"""


@pytest.mark.parametrize(
    ("address", "cell"),
    [("at=F", "F[1,1,1]"), ("at=z_s", "W7[1,4,4]"), ("at=hidden", "W0[1,1]"), ("mode=predict&at=M_c", "M_c[1]")],
)
def test_odd_input_breaks_nothing(address, cell, page):
    page.open(address)
    field = page.tab.locator(f'[data-key="stage:{key(cell)}"]')
    for odd in ODD:
        field.fill(odd)
        assert page.tab.evaluate(OUTSIDE) == [False, []] and page.tab.evaluate(CUT) == [], odd
    page.click("All")
    assert page.text("F_max[2]", "frame0") == "2"


def test_odd_answers_break_nothing(page):
    page.click("Is mine right?")
    for odd in [*ODD, "M_c[" + "1," * 300 + "]", "__proto__", "constructor[1]"]:
        assert "✓" not in ask(page, odd, "1") and "✓" not in ask(page, "M_c[1]", odd), odd
        assert page.tab.evaluate("document.querySelector('.drawer').scrollWidth <= 330"), odd
    assert ask(page, "M_c[1]", "0.809").startswith("✓ right")
    ask(
        page, "M_c[1]", "0.5", at=1
    )  # of two numbers for one cell, the last one counts, and the first is not called wrong
    assert "M_c[1] stands here twice" in page.tab.locator(".verdict").nth(0).inner_text()
    assert "✗ wrong" in page.tab.locator(".verdict").nth(1).inner_text()


def test_clicking_everything_breaks_nothing(page):
    page.tab.evaluate(CLICK, 300)
    page.open("at=M_c")
    page.press("Tab", "Tab", "Enter")
    assert page.tab.locator(".cell").count() > 20


@pytest.mark.parametrize("size", [(320, 480), (761, 521), (1280, 400), (3000, 300), (500, 2000), (200, 60)])
def test_no_window_is_too_small_or_too_large(size, page):
    for address in ("at=F", "at=z_s", "mode=all", "mode=predict&at=M_c", "mode=image"):
        page.open(address)
        page.tab.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        page.tab.wait_for_timeout(50)
        assert size[0] < 320 or page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), address


def test_by_keyboard_alone(page):
    page.tab.locator("[data-drawer=choices]").focus()
    page.press("Enter", "Tab", "Tab")  # past the × of the drawer
    assert page.tab.evaluate("document.activeElement.id").endswith("menu-order")
    page.press("ArrowDown", "ArrowUp", "Escape")
    assert page.tab.locator(".drawer").count() == 0
    assert page.tab.evaluate("document.activeElement.dataset.drawer") == "choices"
    page.press("Tab", "Enter", "Tab", "Tab")
    page.tab.keyboard.type("M_c[1]")
    page.press("Tab")
    page.tab.keyboard.type("0.809")
    page.press("Enter")
    assert page.tab.inner_text(".verdict").startswith("✓ right")
    page.press("Escape", "PageDown", "PageDown")
    assert page.tab.inner_text(".stage-head .number") == "3"


# --- images ---


def test_images(page, keep):
    page.open("mode=image")
    assert page.tab.locator(".thumbnails img").count() == 12
    page.tab.wait_for_timeout(200)
    stored = json.loads(re.search(r'id="begin">(.*?)</script>', page.path.read_text(encoding="utf-8"), re.DOTALL)[1])[
        "images"
    ]

    def shown():
        return page.tab.locator(".probabilities td").all_inner_texts()

    assert [float(p) for p in shown()] == pytest.approx(stored[0]["probabilities"][10], abs=0.006)
    page.tab.locator("input[type=range]").fill("0")
    assert [float(p) for p in shown()] == pytest.approx(stored[0]["probabilities"][0], abs=0.006)
    assert "1.00 to 1.00" in page.tab.locator(".range").first.inner_text()
    page.tab.locator("input[type=range]").fill("10")
    paint = "e => e.toDataURL()"
    first = page.tab.locator(".images canvas").first.evaluate(paint)
    assert len(first) > 2000  # something is painted
    page.tab.locator(".thumbnails button").nth(10).click()
    page.tab.wait_for_timeout(200)
    assert page.tab.locator(".images canvas").first.evaluate(paint) != first
    assert "outline" in page.tab.inner_text(".verdicts")
    keep(page, "image-outline")


# --- accessibility ---


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["projector", "phone"])
def test_accessible(size, theme, make, axe):
    page = make(size, theme)
    for address in ("at=F", "at=M_c", "at=z_s", "at=dW7", "at=dFs", "mode=all", "mode=predict&at=M_c", "mode=image"):
        page.open(address)
        assert axe(page.tab) == [], address
        for drawer in ("Choices", "Is mine right?", "Compare"):
            if "image" not in address and address == "at=M_c":
                page.click(drawer)
                assert axe(page.tab) == [], drawer


def test_an_unlabelled_field_would_be_seen(page, axe):
    page.tab.evaluate("document.querySelector('.stage input').removeAttribute('aria-label')")
    assert any("label" in violation for violation in axe(page.tab))


def test_motion_is_reduced_where_that_is_wanted(browser, html):
    for motion, expected in (("reduce", "0s"), ("no-preference", "0.15s")):
        context = browser.new_context(reduced_motion=motion)
        page = context.new_page()
        page.goto(f"file://{html}")
        page.wait_for_selector(".stage .cell")
        assert page.evaluate("getComputedStyle(document.querySelector('.stage .cell')).transitionDuration") == expected
        context.close()
