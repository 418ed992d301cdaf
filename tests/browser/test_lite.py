"""The notebooks in a browser alone, without a server that calculates: JupyterLite, whose Python is WebAssembly."""

import functools
import http.server
import json
import sys
import threading
import time
from pathlib import Path

import pytest

from .conftest import SCREENSHOTS

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = ("01_cbam_by_hand", "02_backward_by_hand", "03_check_your_work", "07_dialects")
pytestmark = pytest.mark.lite


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files, and say nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """Build JupyterLite with a Pyodide of its own, and serve it; nothing of it comes from the web."""
    pytest.importorskip("jupyterlite_core", reason="needs JupyterLite: make test-lite")
    pytest.importorskip("jupyterlite_pyodide_kernel", reason="needs JupyterLite's kernel: make test-lite")
    from scripts.lite import build
    from scripts.pyodide import Missing, gather

    folder = tmp_path_factory.mktemp("lite")
    try:
        gather(folder / "pyodide")
    except Missing as reason:
        pytest.skip(f"needs Pyodide with NumPy: {reason}")
    build(folder / "out", folder / "pyodide")
    handler = functools.partial(Quiet, directory=str(folder / "out"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Lite:
    """JupyterLite in a window, and what a student does there."""

    def __init__(self, url, browser):
        self.url, self.asked = url, []
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        context.route("**/*", self._only_here)
        self.page = context.new_page()
        self.page.on("dialog", lambda dialog: dialog.accept())

    def _only_here(self, route):
        if route.request.url.startswith((self.url, "data:", "blob:")):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()

    def open(self, notebook):
        """Open a notebook; return after how many seconds its kernel was idle."""
        start = time.monotonic()
        self.page.goto(f"{self.url}/lab/index.html?path={notebook}.ipynb&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.wait_idle()
        return time.monotonic() - start

    def wait_idle(self, seconds=240):
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=1000 * seconds)

    def run(self):
        """Run all cells; return after how many seconds the last one had a number."""
        start = time.monotonic()
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        while not self.done():
            assert time.monotonic() - start < 300, "the cells have not finished"
            self.page.wait_for_timeout(300)
        return time.monotonic() - start

    def done(self):
        """Tell whether every code cell has been run."""
        prompts = self.page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
        return bool(prompts) and all(prompt.strip("[]: ").isdigit() for prompt in prompts)

    def errors(self):
        """Return the errors and warnings among the outputs."""
        kinds = ("stderr", "error")
        selector = ", ".join(f"[data-mime-type='application/vnd.jupyter.{kind}']" for kind in kinds)
        return [output.inner_text() for output in self.page.query_selector_all(selector)]


@pytest.fixture
def student(lite, browser):
    """Return a fresh window."""
    student = Lite(lite, browser)
    yield student
    student.page.context.close()


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_runs_without_an_error(student, notebook):
    waited = student.open(notebook)
    ran = student.run()
    student.page.screenshot(path=SCREENSHOTS / f"lite-{notebook}.png")
    assert not student.errors()
    assert not student.asked
    print(f"\n{notebook}: kernel after {waited:.1f} s, all cells after {ran:.1f} s", file=sys.stderr)


def test_a_number_typed_into_the_explorer_shows_soon(student):
    student.open("00_explorer")
    student.run()
    page = student.page
    cell = page.locator(".cbam-explorer [data-key='stage:F:0,0,0']").first
    cell.scroll_into_view_if_needed(timeout=60_000)
    start = time.monotonic()
    cell.fill("9")
    page.get_by_role("button", name="Next →").click()
    shown = "document.querySelector('.cbam-explorer [data-key=\"stage:F_avg:0\"]')?.innerText.startsWith('16/9')"
    page.wait_for_function(shown, timeout=60_000)
    print(f"\na number typed shows on the next step after {time.monotonic() - start:.2f} s", file=sys.stderr)
    page.screenshot(path=SCREENSHOTS / "lite-00_explorer.png")
    assert not student.errors() and not student.asked


def test_a_file_that_is_not_the_one_listed_is_refused(tmp_path, monkeypatch):
    import tarfile
    import zipfile

    from scripts import pyodide

    def run(*command):
        folder = Path(command[-1] if command[0] == "npm" else command[-2])
        if command[0] == "npm":
            packages = {name: {"file_name": f"{name}.whl", "sha256": "0", "depends": []} for name in pyodide.WANTED}
            (tmp_path / "pyodide-lock.json").write_text(json.dumps({"packages": packages}), encoding="utf-8")
            with tarfile.open(folder / "pyodide.tgz", "w:gz") as archive:
                for name in pyodide.CORE:
                    archive.add(tmp_path / "pyodide-lock.json", f"package/{name}")
        else:
            with zipfile.ZipFile(folder / "carrier.whl", "w") as archive:
                for name in pyodide.WANTED:
                    archive.writestr(f"assets/pyodide/{name}.whl", b"something else")

    monkeypatch.setattr(pyodide, "_run", run)
    with pytest.raises(pyodide.Missing, match="is not the file that pyodide"):
        pyodide.gather(tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.whl"))
