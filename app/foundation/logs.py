"""Structured logs on standard error: one JSON object a line, no bodies, no addresses."""

import logging.config
import time
import traceback
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from app.foundation.errors import sqlstate_of


def configure_logging(level: str) -> None:
    """Send everything through one JSON handler at `level`."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": _Formatter,
                    "fmt": "{asctime}{levelname}{name}{message}",
                    "datefmt": "%Y-%m-%dT%H:%M:%SZ",
                    "style": "{",
                    "rename_fields": {"asctime": "time", "levelname": "level"},
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"level": level, "handlers": ["stderr"]},
            "loggers": {
                "uvicorn.access": {"handlers": [], "propagate": False},
                "alembic": {"level": "WARNING"},
                # At lower levels it logs rows as they are read, and a row holds a comment.
                "sqlalchemy": {"level": "WARNING"},
            },
        }
    )


class _Formatter(JsonFormatter):
    converter = staticmethod(time.gmtime)


def wordless(error: BaseException) -> dict[str, Any]:
    """What a log may hold of an error that nobody thought of, as `extra`: its kind, Postgres's code
    and the places it came through, also of what caused it. No message: that may quote a comment."""
    places = traceback.extract_tb(error.__traceback__)
    causes = [error.__cause__] if error.__cause__ else getattr(error, "exceptions", ())
    told = {
        "error": type(error).__name__,
        "sqlstate": sqlstate_of(error),
        "places": [f"{place.filename}:{place.lineno} {place.name}" for place in places],
    }
    return told | ({"causes": [wordless(cause) for cause in causes]} if causes else {})
