"""Requests as bytes, made before the clock starts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from app.foundation.tokens import new_id
from app.responses.tickets import Ticket, sign_ticket
from bench.installation import ROLES, SEGMENT_VALUES, Installation, Place

# Enough for every score with every segment value: their least common multiple.
VARIETY = 11 * SEGMENT_VALUES


def api_requests(installation: Installation, places: Sequence[Place], number: int) -> list[bytes]:
    """Answers through the API as JSON, to each of `places` in turn."""
    return [_api_request(installation, places[at % len(places)], at) for at in range(number)]


def _api_request(installation: Installation, place: Place, number: int) -> bytes:
    answer = {
        "score": number % 11,
        "comment": f"Answer number {number}",
        "segments": {"plan": f"v{number % SEGMENT_VALUES}"},
    }
    return _request(
        installation,
        f"/api/v1/surveys/{place.survey_id}/responses",
        json.dumps(answer).encode(),
        {"Authorization": f"Bearer {place.api_key}", "Content-Type": "application/json"},
    )


def form_requests(installation: Installation, place: Place, number: int) -> list[bytes]:
    """Answers from the form, each from a page of its own that was opened a minute ago."""
    ticket = Ticket(place.slug, place.survey_id, place.version_id, {})
    ticket = replace(ticket, opened_at=ticket.opened_at - timedelta(minutes=1))
    return [_form_request(installation, ticket, at) for at in range(number)]


def _form_request(installation: Installation, ticket: Ticket, number: int) -> bytes:
    labels = {"plan": f"v{number % SEGMENT_VALUES}"}
    ticket = replace(ticket, submission_key=new_id(), labels=labels)
    fields = {
        "ticket": sign_ticket(installation.settings.secret_key, ticket),
        "score": str(number % 11),
        "comment": f"Answer number {number}",
        "segment.role": ROLES[number % len(ROLES)],
        "subject": "",
    }
    headers = {
        **_of_browser(installation, number),
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": installation.settings.public_url,
        "Sec-Fetch-Site": "same-origin",
    }
    path = f"/s/{ticket.slug}/responses?lang=en"
    return _request(installation, path, urlencode(fields).encode(), headers)


def page_requests(installation: Installation, path: str, number: int) -> list[bytes]:
    """A page as browsers ask for it."""
    return [
        _request(installation, path, None, _of_browser(installation, at)) for at in range(number)
    ]


def _of_browser(installation: Installation, number: int) -> dict[str, str]:
    """Headers of a browser in one of many networks, as the proxy in front passes them on."""
    return {
        "X-Forwarded-For": f"198.{18 + number % 2}.{number // 2 % 256}.7",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language": "en-GB,en;q=0.7,ja;q=0.3",
        "Accept-Encoding": "gzip, deflate, br",
        "Referer": installation.settings.public_url,
    }


def _request(
    installation: Installation, path: str, body: bytes | None, headers: Mapping[str, str]
) -> bytes:
    host = f"{installation.settings.host}:{installation.settings.port}"
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")
