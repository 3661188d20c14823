"""Finding the Chromium that the browser tests drive, and installing it where that is possible.

`python -m tests.browser.chromium` is the step before the tests: it ends with status 0 when a
browser and, on Linux, a Japanese font are there, and otherwise with one line saying what to do.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fontconfig", "fonts-noto-cjk")
HINT = f"install {', '.join(PACKAGES)} (or their like on this system) and start again"


class BrowserMissingError(RuntimeError):
    """No Chromium, or no Japanese font, and no way to install it from here."""


def find_chromium() -> Path | None:
    """Return the system's Chromium or Chrome, else the one Playwright keeps, else None.

    Not for calling within a running event loop: Playwright's own answer comes synchronously.
    """
    for command in COMMANDS:
        if found := shutil.which(command):
            return Path(found)
    with sync_playwright() as playwright:
        bundled = Path(playwright.chromium.executable_path)
    return bundled if bundled.exists() else None


def has_japanese_font() -> bool:
    """Tell whether Japanese text shows as letters; only Linux can lack them."""
    if not sys.platform.startswith("linux"):
        return True
    if not shutil.which("fc-list"):
        return False
    fonts = subprocess.run(["fc-list", ":lang=ja"], capture_output=True, text=True, check=True)
    return bool(fonts.stdout.strip())


def ensure_chromium() -> Path:
    """Return the browser, after installing what is missing; raises BrowserMissingError."""
    if find_chromium() is None or not has_japanese_font():
        _install()
    found = find_chromium()
    if found is None:
        raise BrowserMissingError(f"no Chromium for the browser tests: {HINT}")
    if not has_japanese_font():
        # Boxes instead of letters have other widths, so a Japanese layout test would prove nothing.
        raise BrowserMissingError(f"no Japanese font for the browser tests: {HINT}")
    return found


def _install() -> None:
    if shutil.which("apt-get") and os.geteuid() == 0:
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *PACKAGES)
    elif find_chromium() is None:
        _run(sys.executable, "-m", "playwright", "install", "chromium")


def _run(*command: str) -> None:
    """Run an installer quietly; whether it succeeded shows in what is there afterwards."""
    print("Installing what the browser tests need:", *command, file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, capture_output=True, env=environment)


def main() -> int:
    """Return 0 when the browser tests can run, 1 otherwise."""
    try:
        ensure_chromium()
    except BrowserMissingError as problem:
        print(f"make test: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
