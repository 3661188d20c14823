"""Lines that a torture run prints at its end: one per finding, tab-separated."""

import os
from collections.abc import Callable

import pytest

LINES = pytest.StashKey[list[str]]()
Say = Callable[..., None]


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Call with name, value and words; shown under the results of the run."""
    lines = request.config.stash.setdefault(LINES, [])

    def add(*cells: object) -> None:
        lines.append("\t".join(map(str, cells)))

    return add


@pytest.fixture(scope="session")
def rounds() -> int:
    """How often a long test repeats itself; `make torture ROUNDS=` says it."""
    return read_rounds(os.environ.get("ROUNDS", "100"))


def read_rounds(text: str) -> int:
    """Ends the run where it is no number of rounds: no test could be repeated so often."""
    if not text.isdecimal() or int(text) < 1:
        pytest.exit(f"ROUNDS is a whole number above 0, such as 20: {text}", returncode=2)
    return int(text)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("torture")
    for line in lines:
        terminalreporter.write_line(line)
