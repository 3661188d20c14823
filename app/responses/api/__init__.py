"""JSON routes of answers: taken in, left out, erased, marked; and how long they are kept."""

from app.responses.api import marks
from app.responses.api.answers import record_directly, retention, router

__all__ = ["marks", "record_directly", "retention", "router"]
