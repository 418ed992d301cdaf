"""A real JupyterLab on a copy of the notebooks, and a real Chromium that looks at it."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCREENSHOTS = ROOT / "screenshots"
TOKEN = "browser-test"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
SETTINGS = {  # no question about news, and every cell on the page, not only those in sight
    "apputils-extension/notification": {"fetchNews": "false"},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Lab:
    """JupyterLab, and a page that shows it."""

    def __init__(self, url, page):
        self.url, self.page, self.errors = url, page, []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def run(self, notebook, waits=True):
        """Open a notebook, run it from top to bottom, and wait until the kernel has nothing to do."""
        self.page.goto(f"{self.url}/lab/tree/{notebook}?token={TOKEN}&reset")
        self.page.wait_for_selector(".jp-Notebook", timeout=60_000)
        self.wait("the kernel", lambda: self._state(notebook) == "idle")
        for accept in self.page.query_selector_all(".jp-Dialog button.jp-mod-accept"):
            accept.click()
        self.page.keyboard.press("Control+b")  # the list of files goes
        self.page.click("text=Run >> nth=0")
        self.page.click("text=Run All Cells")
        if not waits:
            return
        self.wait("all cells", lambda: self._state(notebook) == "idle" and self._all_counted())
        self.page.wait_for_timeout(1000)  # for pictures and formulas

    def wait(self, what, done, seconds=120):
        """Wait until something is done."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"waited {seconds} seconds for {what}"
            self.page.wait_for_timeout(200)

    def error_outputs(self):
        """Return the texts of outputs that are errors or warnings."""
        selector = "[data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type='application/vnd.jupyter.error']"
        return [output.inner_text() for output in self.page.query_selector_all(selector)]

    def own_errors(self):
        """Return what the console complained of, without what a machine that is offline has to complain of."""
        return [text for text in self.errors if "net::ERR" not in text and "Failed to load resource" not in text]

    def screenshot(self, name):
        """Keep a picture of what is on the screen."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def _all_counted(self):
        prompts = self.page.query_selector_all(".jp-CodeCell .jp-InputPrompt")
        return prompts and all(prompt.inner_text().strip("[]: ").isdigit() for prompt in prompts)

    def _state(self, notebook):
        with urllib.request.urlopen(f"{self.url}/api/sessions?token={TOKEN}") as answer:
            states = {session["path"]: session["kernel"]["execution_state"] for session in json.load(answer)}
        return states.get(notebook)


def _cleared(notebook):
    """Take away outputs and counts, so that what is on the page has just been calculated."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return notebook


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start JupyterLab, with settings of its own, and stop it in the end."""
    pytest.importorskip("playwright", reason="needs playwright: make test-browser")
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "results", folder / "results")
    for path in (folder / "notebooks").glob("*.ipynb"):
        path.write_text(json.dumps(_cleared(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    for name, values in SETTINGS.items():
        path = folder / "CONFIG" / "lab" / "user-settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={TOKEN}"]
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder / 'notebooks'}"]
    with open(folder / "log", "w", encoding="utf-8") as log:
        lab = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/api?token={TOKEN}").close()
                break
            except urllib.error.URLError:
                time.sleep(0.5)
        else:
            pytest.fail((folder / "log").read_text(encoding="utf-8"))
        yield url
    finally:
        lab.terminate()
        lab.wait(20)


@pytest.fixture(scope="module")
def browser():
    """Start the browser."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright: make test-browser")
    path = next((path for path in map(shutil.which, BROWSERS) if path), None)
    with api.sync_playwright() as playwright:
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("needs Chromium: install it, or run python -m playwright install chromium")
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def keep():
    """Keep a picture of a page, to look at."""

    def keep(page, name):
        SCREENSHOTS.mkdir(exist_ok=True)
        getattr(page, "tab", page).screenshot(path=SCREENSHOTS / f"{name}.png")

    return keep


@pytest.fixture(scope="session")
def axe():
    """Return a function that lists what axe-core finds wrong with a page, best practice included."""
    folder = importlib.util.find_spec("axe_playwright_python")
    if folder is None:
        pytest.skip("needs axe-playwright-python, which carries axe-core: make test-browser")
    source = (Path(folder.origin).parent / "axe.min.js").read_text(encoding="utf-8")

    def axe(page, options=None):
        page.evaluate(source)
        found = page.evaluate("options => axe.run(options)", options or {})["violations"]
        return [f"{v['impact']} {v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]

    return axe


@pytest.fixture
def lab(server, browser):
    """Return a page of a projector's size."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    yield Lab(server, page)
    page.close()
