"""The page: what is typed into its fields, and what stands behind the # of its address, in Chromium."""

import atexit
import shutil
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

import numpy as np

from cbam_np.classroom.page import page as explorer_page

from .draws import Draws
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

SILENCE = 60_000  # milliseconds without an answer, by the clock: a browser on a busy machine is slow, and does not hang
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NAMES = (
    "mode",
    "at",
    "way",
    "cell",
    "order",
    "channel_pools",
    "ties",
    "reduction",
    "kernel",
    "F",
    "W0",
    "W7",
    "picture",
)
VALUES = (
    "all",
    "predict",
    "image",
    "M_c",
    "backward",
    "M_c,1",
    "spatial",
    "max",
    "split",
    "3",
    "own",
    "1,0;0,1",
    "0.5,1",
)
TYPE = """
([number, text]) => {
    const fields = [...document.querySelectorAll('input[type=text], input:not([type]), textarea')];
    if (!fields.length) return false;
    const field = fields[number % fields.length];
    field.value = text;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
    return true;
}
"""

SHOWN = """() => [...document.querySelectorAll('input[data-key^="stage:F:"]')].map(e => e.value)"""


def available() -> bool:
    """Tell whether there is a browser to look with."""
    return any(map(shutil.which, BROWSERS)) and _playwright() is not None


def _playwright() -> Any:
    try:
        return import_module("playwright.sync_api")
    except ImportError:
        return None


@lru_cache
def _tab() -> tuple[Any, list[str], Path]:
    """Start Chromium with the page, and listen to what goes wrong in it."""
    path = Path(mkdtemp(prefix="fuzz-page-")) / "cbam.html"
    path.write_text(explorer_page(), encoding="utf-8")
    running = _playwright().sync_playwright().start()
    program = next(filter(None, map(shutil.which, BROWSERS)))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    browser = running.chromium.launch(executable_path=program, chromium_sandbox=False, args=flags)
    atexit.register(running.stop)
    tab, errors = browser.new_page(), []
    tab.set_default_timeout(SILENCE)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    return tab, errors, path


def make(draws: Draws) -> Case:
    """Draw an address and what is typed; or an address with whole numbers, which the fields have to show."""
    if draws.chance(0.2):
        return {"F": draws.rng.integers(-9, 10, (3, 3, 3)).tolist()}
    parts = []
    for name in draws.some(NAMES, 4):
        value = draws.one(VALUES) if draws.chance(0.5) else draws.text(20)
        parts.append(f"{name}={draws.damaged_text(value) if draws.chance(0.4) else value}")
    address = "&".join(parts) if draws.chance(0.9) else draws.text(40)
    typed = [
        [draws.below(200), draws.one(["1/3", "-2", "0,5", draws.text(10), "9" * 400])] for _ in range(draws.below(4))
    ]
    return {"address": address.encode("utf-8", "replace").decode(), "typed": typed}


def run(case: Case, folder: Path) -> str:
    """Open the page and type; where the address is a right one, compare the fields with it."""
    tab, errors, path = _tab()
    errors.clear()
    if "F" in case:
        maps = "|".join(";".join(",".join(map(str, row)) for row in channel) for channel in case["F"])
        address = f"F={maps}"
    else:
        address = quote(case["address"], safe="=&,;|/'%")
    tab.goto("about:blank")
    tab.goto(f"file://{path}#{address}")
    tab.wait_for_selector(".cbam-explorer .bar")
    for number, text in case.get("typed", []):
        tab.evaluate(TYPE, [number, text.encode("utf-8", "replace").decode()])
    demand(errors == [], f"the page: {errors[:1]}")
    if "F" not in case:
        return TAKEN
    shown = tab.evaluate(SHOWN)
    demand(
        shown == [str(number).replace("-", "−") for number in np.ravel(case["F"])],
        f"F is shown as {shown}, and was {case['F']}",
    )
    return RIGHT


ENTRANCE = Entrance(make, run, share=3, block=250, own=())
