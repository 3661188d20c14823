"""Ways to reach somebody: addresses of pages, of people and of telephones, and the links they make.

They stand in links on respondents' pages, so that nothing but these few kinds gets through.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit

from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.scoring import Category
from app.surveys.wording import is_printable

URL_LIMIT = 2_000
EMAIL_LIMIT = 254  # characters, as mail servers take at most (RFC 5321)
_NAME = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[^\s@<>,;:\"()\[\]\\]{{1,64}}@({_NAME}\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{3,28}[0-9]")

BAD_WAY = mark("Write an address that begins with https://, mailto: or tel:.")
NO_SUCH_GROUP = mark("There is no such group; there are promoter, passive and detractor.")


def is_web_address(url: str) -> bool:
    """True for an absolute http or https address that is safe to put into a link."""
    if len(url) > URL_LIMIT or not is_printable(url) or any(map(str.isspace, url)):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def clean_email(text: str) -> str | None:
    """One e-mail address, or None for anything else. Full-width letters, as Japanese keyboards
    write them, become plain ones; the domain may have any letters that mail can be sent to."""
    plain = unicodedata.normalize("NFKC", text).strip()
    name, at, domain = plain.rpartition("@")
    try:
        coded = domain.encode("idna").decode() if domain else ""
    except UnicodeError:
        return None
    is_email = len(plain) <= EMAIL_LIMIT and is_printable(plain) and name.strip(".") == name
    return plain if is_email and _EMAIL.fullmatch(f"{name}{at}{coded}") else None


def href_of(text: str) -> str | None:
    """What a click on an e-mail address, an https address or a telephone number leads to; None
    where `text` is none of these and stays plain text."""
    if text.startswith("https://") and is_web_address(text):
        return text
    if clean_email(text) == text:
        return f"mailto:{quote(text, safe='@')}"
    if _PHONE.fullmatch(text):
        return f"tel:{re.sub(r'[^0-9+]', '', text)}"
    return None


def clean_thanks_urls(given: Mapping[str, str]) -> dict[str, str]:
    """Group to address, without space around it; groups without an address are left out."""
    cleaned = {group: url.strip() for group, url in given.items()}
    return {group: url for group, url in cleaned.items() if url}


def find_thanks_problems(urls: Mapping[str, str]) -> Iterator[InvalidParam]:
    """What is wrong with the addresses of thank-you pages, after `clean_thanks_urls`."""
    for group, url in urls.items():
        if group not in set(Category):
            yield InvalidParam(f"thanks_urls.{group}", NO_SUCH_GROUP)
        elif not _is_way(url):
            yield InvalidParam(f"thanks_urls.{group}", BAD_WAY)


def _is_way(url: str) -> bool:
    """https, mailto or tel, each whole: a page of ours links to it as it stands."""
    scheme, _colon, rest = url.partition(":")
    if scheme == "https":
        return is_web_address(url)
    if len(url) > URL_LIMIT or not is_printable(url) or any(map(str.isspace, url)):
        return False
    if scheme == "mailto":
        return clean_email(rest.partition("?")[0]) is not None
    return scheme == "tel" and bool(_PHONE.fullmatch(rest))
