"""The form in a frame of somebody's page: which pages may hold it, and which is told its height.

`?embed=https://shop.example` asks for it, naming the page around the frame; the survey's list of
origins decides. The address keeps the word from the form to the thank-you page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request

from app.responses.entrances import Entrance
from app.surveys.models import Channel
from app.surveys.origins import parse_origin

SAME_ORIGIN = "'self'"
OWN_PAGE = "/"  # how `postMessage` names the origin of the page itself
# What the page around the frame is told of the page in it; any other is the form.
STATES = {"responses/thanks.html": "answered", "responses/shut.html": "shut"}


@dataclass(frozen=True, slots=True)
class Frame:
    """Pages of `ancestors` may hold the page; `parent`, where it is not empty, is told about it;
    `kept` belongs to every address that stays in the frame."""

    ancestors: Sequence[str]
    parent: str
    kept: str


def enter_frame(request: Request, origins: Sequence[str]) -> None:
    """Whatever page answers this request may stand in frames of `origins`, where it asks for it."""
    query: bytes = request.scope["query_string"]
    if b"embed" not in query and b"%" not in query:
        return
    wanted = request.query_params.get("embed")
    if wanted is not None:
        origin = parse_origin(wanted)
        parent = origin if origin in origins else None
        request.state.frame = Frame(
            origins, parent or "", f"&embed={quote(origin or '1', safe='')}"
        )


def stay_in_frame(request: Request) -> None:
    """The same where nobody can be asked which origins may: a frame's own page sent the request,
    so the page around it was one of them."""
    origin = parse_origin(request.query_params.get("embed", ""))
    enter_frame(request, [origin] if origin else [])


def enter_preview(request: Request) -> None:
    """Whatever page answers this request may stand in a frame of our own pages."""
    request.state.frame = Frame([SAME_ORIGIN], OWN_PAGE, "")


def find_frame(request: Request) -> Frame | None:
    """The frame this request's page is shown in, or None."""
    frame: Frame | None = request.scope["state"].get("frame")
    return frame


def kept_words(request: Request) -> str:
    """What an address needs at its end in order to stay in the frame; empty without one."""
    frame = find_frame(request)
    return frame.kept if frame else ""


def channel_of(request: Request, entrance: Entrance) -> Channel:
    """The way an answer comes in: by a frame, or by the kind of link."""
    return Channel.EMBED if find_frame(request) else entrance.link.channel
