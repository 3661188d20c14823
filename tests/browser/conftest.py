"""A running demo and a real Chromium for each file of browser tests.

Playwright keeps an event loop running for as long as it is open, beside which no other test could
run one: it ends with the file.
"""

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.chromium import find_chromium
from tests.conftest import quick_folder
from tests.processes import demo, free_port

NarrowOrWide = Callable[..., AbstractContextManager[Page]]
WIDTHS = {"phone": 320, "desktop": 1280}


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo: its four addresses and the state of a browser signed in to it."""

    lines: Mapping[str, str]
    address: str
    signed_in: object
    dashboard: str


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    executable = find_chromium()
    assert executable, "no Chromium on this machine: run python -m tests.browser.chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def loaded_demo() -> Iterator[Path]:
    """The data directory of a demo that was started once and is never written to again."""
    with tempfile.TemporaryDirectory(prefix="honne-demo-", dir=quick_folder()) as folder:
        with demo(Path(folder), free_port()):
            pass
        yield Path(folder)


@pytest.fixture(scope="module")
def demo_folder(loaded_demo: Path) -> Iterator[Path]:
    """A copy for each file: half the time of loading a demo anew."""
    with tempfile.TemporaryDirectory(prefix="honne-demo-", dir=quick_folder()) as folder:
        subprocess.run(["cp", "-a", f"{loaded_demo}/.", folder], check=True)
        yield Path(folder)


@pytest.fixture(scope="module")
def running_demo(chromium: Browser, demo_folder: Path) -> Iterator[Demo]:
    with demo(demo_folder, free_port()) as (_process, lines):
        context = chromium.new_context(locale="en")
        page = context.new_page()
        page.goto(lines["dashboard"])
        page.locator("main form button").click()
        page.wait_for_url("**/surveys/**")
        address = lines["api docs"].removesuffix("/api/docs")
        yield Demo(lines, address, context.storage_state(), page.url)
        context.close()


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """A page whose errors and policy violations fail the test."""
    page = context.new_page()
    complaints: list[str] = []

    def complain(text: str) -> None:
        if not text.startswith("Failed to load resource: the server responded with a status of"):
            complaints.append(f"{text} (on {page.url})")

    page.on("console", lambda message: complain(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complain(str(error)))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', event => "
        "console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))"
    )
    yield page
    assert complaints == []


def choose(page: Page, score: int) -> None:
    """By a press of the mouse on its cell."""
    page.locator(f"input[name=score][value='{score}']").check(force=True)


def think(page: Page) -> None:
    """As long as any person needs: what is sent within a second of opening a form is held."""
    page.wait_for_timeout(1_100)


@pytest.fixture(scope="module")
def visit(chromium: Browser, running_demo: Demo) -> NarrowOrWide:
    """`with visit(width="phone", language="ja", dark=True, signed_in=True) as page`."""

    @contextmanager
    def open_page(
        width: str = "desktop",
        language: str = "en",
        *,
        dark: bool = False,
        signed_in: bool = False,
        javascript: bool = True,
    ) -> Iterator[Page]:
        context = chromium.new_context(
            viewport={"width": WIDTHS[width], "height": 800},
            locale=language,
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            storage_state=running_demo.signed_in if signed_in else None,  # type: ignore[arg-type]
        )
        try:
            with watched(context) as page:
                yield page
        finally:
            context.close()

    return open_page
