"""Draw README's moving picture, the explorer's walk from F to F″ and back: python scripts/walk.py [CHROMIUM].

It opens the explorer's page in Chromium, presses Next until the last step, and joins what is seen to an animated WebP.
Needs playwright.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import cbam_np

TARGET = Path(__file__).parent.parent / "results" / "gallery" / "walk.webp"
WINDOW, SIZE = {"width": 1280, "height": 720}, (960, 540)
MILLISECONDS, AT_THE_ENDS = 1400, 3000


def frames(chromium: str | None) -> list[Image.Image]:
    """Return what the explorer shows, step by step."""
    seen = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "explorer.html"
        cbam_np.explore().save(page)
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=False, args=flags)
        tab = browser.new_context(viewport=WINDOW, color_scheme="light", reduced_motion="reduce").new_page()
        tab.goto(page.as_uri())
        tab.wait_for_selector(".cbam-explorer .bar")
        following = tab.get_by_role("button", name="Next →")
        while True:
            tab.wait_for_timeout(150)
            seen.append(Image.open(io.BytesIO(tab.screenshot())).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS))
            if following.is_disabled():
                break
            following.click()
        browser.close()
    return seen


if __name__ == "__main__":
    first, *others = frames(sys.argv[1] if len(sys.argv) > 1 else None)
    duration = [AT_THE_ENDS, *([MILLISECONDS] * (len(others) - 1)), AT_THE_ENDS]
    first.save(TARGET, save_all=True, append_images=others, duration=duration, loop=0, quality=60, method=6)
    print(f"{TARGET}: {1 + len(others)} steps, {TARGET.stat().st_size / 1000:.0f} kB")
