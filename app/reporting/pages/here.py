"""The address of the page that is being shown, and the same page with something else chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Here:
    """A page by its `path`, and its query as it was asked for. What was sent from the page and
    refused is answered at another path, from which a bare query would lead nowhere."""

    path: str
    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, request: Request, path: str) -> "Here":
        return cls(path, tuple(request.query_params.multi_items()))

    def to(self, changes: Mapping[str, str | None], part: str = "") -> str:
        """A link to the page with other values of these parameters (None for without), and on it
        to the part with that id."""
        kept = [(name, value) for name, value in self.pairs if name not in changes]
        new = [(name, value) for name, value in changes.items() if value is not None]
        return f"{self.path}?{urlencode([*kept, *new])}" + (f"#{part}" if part else "")
