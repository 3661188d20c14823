"""Structured logs on standard error: one JSON object a line, no bodies, no addresses."""

import logging.config
import time

from pythonjsonlogger.json import JsonFormatter


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
