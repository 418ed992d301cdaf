"""The explorer in marimo, which has no ipywidgets of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.browser.conftest import ROOT, SCREENSHOTS

pytestmark = pytest.mark.browser

NOTEBOOK = """
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo

    import cbam_np

    explorer = mo.ui.anywidget(cbam_np.explore())
    explorer
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def url(tmp_path):
    """Start marimo on a notebook with the explorer, and stop it in the end."""
    pytest.importorskip("marimo", reason="needs marimo: make test-browser")
    path = tmp_path / "explorer.py"
    path.write_text(NOTEBOOK, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "marimo", "run", str(path), "--headless", "--no-token", "--port", str(port)]
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        own = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        marimo = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health").close()
                break
            except urllib.error.URLError:
                time.sleep(0.5)
        else:
            pytest.fail((tmp_path / "log").read_text(encoding="utf-8"))
        yield f"http://127.0.0.1:{port}"
    finally:
        marimo.terminate()
        marimo.wait(20)


def test_the_explorer(url, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    field = page.locator('.cbam-explorer [data-key="stage:F:0,0,0"]')
    field.wait_for(timeout=60_000)
    field.fill("9")
    page.get_by_role("button", name="Next →").click()
    page.locator('.cbam-explorer [data-key="stage:F_avg:0"]:has-text("16/9")').wait_for(timeout=30_000)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "marimo-explorer.png")
    page.close()
    assert [error for error in errors if "cbam" in error.lower() or "explorer" in error.lower()] == []
