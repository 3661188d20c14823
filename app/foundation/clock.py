"""The only source of time: everything that needs "now" asks here, so tests can move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_fixed: datetime | None = None


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _fixed or datetime.now(UTC)


def today(time_zone: str) -> date:
    """The calendar day it is now in the IANA zone `time_zone`."""
    return now().astimezone(ZoneInfo(time_zone)).date()


@contextmanager
def fixed(moment: datetime) -> Iterator[None]:
    """Hold the clock at `moment` (aware); for tests and the demo only."""
    global _fixed
    before, _fixed = _fixed, moment
    try:
        yield
    finally:
        _fixed = before
