"""How long the statements of a request take, for its line in the log; slow ones get their own.

A statement is logged without its values. Of a request that is a respondent's, or that brings
answers, nothing is logged at all: the moment of an answer is told by nobody.
"""

import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

from app.foundation.tally import tally

logger = logging.getLogger("honne.statements")
_STARTED = "started"


@dataclass(slots=True)
class Timing:
    """The statements of one request, and their time in seconds."""

    request_id: str = ""
    is_private: bool = False
    statements: int = 0
    seconds: float = 0.0


NOBODY = Timing()  # of jobs; nobody reads it
timing_var: ContextVar[Timing] = ContextVar("timing", default=NOBODY)


def time_statements(engine: Engine, slow_ms: int) -> None:
    """Time every statement of `engine`, and log those of `slow_ms` or more (0: none)."""

    def before(connection: Connection, *_more: Any) -> None:
        connection.info[_STARTED] = time.perf_counter()

    def after(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        seconds = time.perf_counter() - connection.info.pop(_STARTED)
        tally.observe(seconds, "honne_statement_seconds")
        timing = timing_var.get()
        timing.statements += 1
        timing.seconds += seconds
        # SET LOCAL takes no parameter, so its text holds the workspace.
        is_told = not timing.is_private and not statement.startswith("SET")
        if slow_ms and seconds * 1000 >= slow_ms and is_told:
            _tell(statement, seconds, timing.request_id)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)


def _tell(statement: str, seconds: float, request_id: str) -> None:
    logger.warning(
        "slow statement",
        extra={
            "statement": " ".join(statement.split()),
            "milliseconds": round(seconds * 1000, 1),
            "request_id": request_id,
        },
    )
