"""The console in a browser: what a person sees on a desk and on a phone, by eye, ear and keyboard."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import Generator
from typing import Any

import pytest
import uvicorn

from tests.console.test_pages import PAGES, XSS, Sits, console
from tests.queries.house import House

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), "")
NAME = "".join(XSS[:7])

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="no chromium is installed: the console is not looked at in a browser"
)


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The tests' own stay."""


@pytest.fixture(scope="module")
def desk() -> Sits:
    return Sits(NAME)


@pytest.fixture(scope="module")
def address(desk: Sits) -> Generator[str]:
    """A console with hostile names in every field; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = console(House((NAME, "south")), desk)
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", access_log=False)
        server = _Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def test_pages_are_fit_for_everybody(browser: Any, address: str) -> None:
    """On a desk and on a phone, in the light and in the dark: axe finds nothing; nothing is wider than
    the screen, comes from elsewhere, runs that stands in a name, or breaks the policy of what may be
    loaded."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe().axe_script  # half a megabyte: once a page, not once a look
    page = browser.new_context().new_page()
    said: list[str] = []
    loaded: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append("a dialog opened"))
    page.on("request", lambda request: loaded.append(request.url))
    for path in PAGES:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(f"{address}/console/{path}")
        page.evaluate(axe)
        for width, scheme in ((1280, "light"), (390, "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            found = [
                (one["id"], one["impact"], one["nodes"][0]["html"][:200])
                for one in page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
            ]
            assert found == [], (path, width)
            width_of = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(width_of) <= 0, (path, width)
    assert said == []
    assert all(one.startswith(address) for one in loaded)


def test_a_review_is_done_by_keys_alone(browser: Any, address: str, desk: Sits) -> None:
    """`f` fails an item, and typing one in a field does not; Tab comes to the content first."""
    page = browser.new_context().new_page()
    page.goto(f"{address}/console/review")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.get_by_label("Note").focus()
    page.keyboard.type("off by far")
    assert desk.heard == []
    page.get_by_label("Note").blur()
    with page.expect_navigation():
        page.keyboard.press("f")
    ((item, said),) = desk.heard
    assert (item, said.passed, said.note) == (NAME, False, "off by far")


def test_pages_work_without_script(browser: Any, address: str) -> None:
    """Links, filters and the next page are plain HTML."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{address}/console/")
    page.get_by_role("link", name="Findings", exact=True).click()
    page.get_by_label("Status").select_option("insufficient")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("row").count() == 3
    page.goto(f"{address}/console/records?limit=5")
    assert page.get_by_role("heading", level=1).inner_text() == "Records"
