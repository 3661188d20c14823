"""The form as it is first seen: from one reader to the next only its ticket differs.

So the page is kept as the text before the ticket and behind it, as long as what it was made from:
the two seconds that an entrance is remembered. Those that one address leads to are also kept with
what the address says, so that it is read once.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from starlette.responses import Response

from app.responses.entrances import Entrance

CAPACITY = 500
ADDRESS_MAX_LENGTH = 500  # of a query and a browser's languages
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
        return _Page(self.before + signed.encode() + self.behind, self.headers)


class _Page(Response):
    """A page whose headers are known."""

    def __init__(self, body: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]


class Address(NamedTuple):
    """What the form depends on, as it was sent: where to, and in which languages."""

    slug: str
    query: bytes
    languages: str


class BlankForms:
    """Of those asked for most lately, as many as `capacity`."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: dict[Hashable, BlankForm] = {}
        self._read: dict[Address, tuple[BlankForm, Mapping[str, str]]] = {}

    def find(
        self, address: Address, entrance: Entrance
    ) -> tuple[BlankForm, Mapping[str, str]] | None:
        """The form that `address` led to and the values that it preset, if `entrance` still is
        what it leads to."""
        found = self._read.get(address)
        return found if found and found[0].entrance is entrance else None

    def keep(self, address: Address, form: BlankForm, labels: Mapping[str, str]) -> None:
        """What `find` gives from now on."""
        if len(address.query) + len(address.languages) > ADDRESS_MAX_LENGTH:
            return
        self._read.pop(address, None)
        self._read[address] = form, labels
        if len(self._read) > self._capacity:
            del self._read[next(iter(self._read))]

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
