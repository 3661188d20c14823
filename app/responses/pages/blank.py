"""The form as it is first seen: from one reader to the next only its ticket differs.

So the page is kept as the text before the ticket and behind it, as long as what it was made from:
the two seconds that an entrance is remembered.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from starlette.responses import HTMLResponse, Response

from app.responses.entrances import Entrance

CAPACITY = 500
TICKET = "\ue000"  # a character for private use: it stands nowhere else on the page


@dataclass(frozen=True, slots=True)
class BlankForm:
    """A page with a gap for the ticket, and its headers."""

    entrance: Entrance
    before: bytes
    behind: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    def with_ticket(self, signed: str) -> Response:
        """The page for one reader."""
        response = HTMLResponse(self.before + signed.encode() + self.behind)
        [length] = [pair for pair in response.raw_headers if pair[0] == b"content-length"]
        response.raw_headers = [*self.headers, length]
        return response


class BlankForms:
    """Of those asked for most lately, as many as `capacity`."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: dict[Hashable, BlankForm] = {}

    def recall(
        self, entrance: Entrance, variant: Hashable, draw: Callable[[str], Response]
    ) -> BlankForm | None:
        """The form of a link in one `variant`; `draw` makes it with a text in place of the ticket.
        None where the page holds that text elsewhere, too."""
        key = (entrance.link.slug, variant)
        form = self._kept.pop(key, None)
        if form is None or form.entrance is not entrance:
            form = _cut(entrance, draw(TICKET))
        if form is not None:
            self._kept[key] = form
            if len(self._kept) > self._capacity:
                del self._kept[next(iter(self._kept))]
        return form


def _cut(entrance: Entrance, drawn: Response) -> BlankForm | None:
    before, _ticket, behind = bytes(drawn.body).partition(TICKET.encode())
    if not behind or TICKET.encode() in behind:
        return None
    headers = [pair for pair in drawn.raw_headers if pair[0] != b"content-length"]
    return BlankForm(entrance, before, behind, tuple(headers))
