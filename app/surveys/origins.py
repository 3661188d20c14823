"""Web origins whose pages may show a form in a frame: how they are written, and which may be.

They stand in a header of the form's page, so nothing but scheme, host and port gets through.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urlsplit

from app.foundation.errors import InvalidParam
from app.foundation.translation import mark

MAX_ORIGINS = 20
URL_LIMIT = 300
USUAL_PORTS = {"https": 443, "http": 80}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")

BAD_ORIGIN = mark(
    "Write the address of a site without a path, such as https://www.acme.example;"
    " http:// only for this computer."
)


def clean_origins(given: Sequence[str]) -> list[str]:
    """Each origin as browsers write it, once, in the order given; what is none stays as it is."""
    return list(dict.fromkeys(parse_origin(text) or text.strip() for text in given))


def find_origin_problems(origins: Sequence[str]) -> Iterator[InvalidParam]:
    """What is wrong with a survey's origins, after `clean_origins`."""
    if len(origins) > MAX_ORIGINS:
        reason = mark("At most %(limit)s sites.")
        yield InvalidParam("embed_origins", reason, {"limit": MAX_ORIGINS})
    for index, origin in enumerate(origins):
        if parse_origin(origin) != origin:
            yield InvalidParam(f"embed_origins.{index}", BAD_ORIGIN)


def parse_origin(text: str) -> str | None:
    """The origin as browsers write it: `https://host`, with a port where it is not the usual one.

    None for anything else. Plain http is for loopback addresses, on which people try things out.
    A name in other letters than ASCII's becomes what browsers send in its place.
    """
    text = text.strip()
    if not text.isprintable() or len(text) > URL_LIMIT:
        return None
    try:
        parts = urlsplit(text)
        host, port = _host(parts), parts.port
    except ValueError:
        return None
    is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    if host is None or not is_bare or text.rstrip("/")[-1] in "?#:@":
        return None
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        return None
    usual = port is None or port == USUAL_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


def _host(parts: SplitResult) -> str | None:
    """The host in lower case and ASCII; ValueError or None for what is none.

    Nor for an IPv6 address: the header has no way to name one.
    """
    name = (parts.hostname or "").encode("idna").decode().lower()
    if re.fullmatch(r"[0-9.]+", name):
        return str(ipaddress.IPv4Address(name))
    return name if _NAME.fullmatch(name) else None


def _is_loopback(host: str) -> bool:
    is_number = re.fullmatch(r"[0-9.]+", host)
    return ipaddress.IPv4Address(host).is_loopback if is_number else host == "localhost"
