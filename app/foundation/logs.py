"""Structured logs on standard error: one JSON object a line, no bodies, no addresses."""

import logging.config


def configure_logging(level: str) -> None:
    """Send everything through one JSON handler at `level`."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "class": "pythonjsonlogger.json.JsonFormatter",
                    "format": "{asctime}{levelname}{name}{message}",
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
