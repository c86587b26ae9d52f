"""The pages in a real browser: opened by a visitor who notes all complaints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages import AS_OF, make_pages
from tests.support import require_tool

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SOON = AS_OF.replace(tzinfo=UTC) + timedelta(minutes=5)
PAGES = ("index", "status")
SIZES = ((360, 800), (1440, 900))


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window; a test that asks for it is skipped without one."""
    others = filter(shutil.which, ("google-chrome", "chromium-browser"))
    program = require_tool(next(others, "chromium"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def folder_of(root: Path) -> Path:
    """The folder of a root's pages, made now."""
    return make_pages(root).parent


class Visit:
    """Pages opened by one visitor, and what the browser has to complain of."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def open(
        self,
        folder: Path,
        name: str = "index",
        range_: str = "90d",
        at: datetime = SOON,
        size: tuple[int, int] = (1440, 900),
        scheme: Any = "light",
    ) -> Page:
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme,
            # Far from UTC: no time may hang on the zone of who looks.
            timezone_id="Asia/Bangkok", reduced_motion="reduce",
        )  # fmt: skip
        page = context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.clock.set_fixed_time(at)
        page.goto(f"file://{folder}/{name}.html#range={range_}")
        return page

    def close(self) -> None:
        """Leave; there must have been nothing to complain of, or asked for."""
        for context in self.browser.contexts:
            context.close()
        assert self.complaints == []
        assert all(url.startswith(("file://", "data:,")) for url in self.requests)
        assert all(url.split("#")[0].endswith(".html") for url in self.requests)


def draw_all(page: Page) -> None:
    """Have all charts drawn, as for printing."""
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(
        "[...document.querySelectorAll('.chart')].every((c) => c.querySelector('svg'))"
    )


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['nodes'][0]['html'][:160]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
