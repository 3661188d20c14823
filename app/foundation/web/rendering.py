"""Jinja: one environment, the reader's language, and formats for figures."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Scope

from app.foundation import translation
from app.foundation.paths import ROOT
from app.foundation.phrases import break_phrases
from app.foundation.translation import babel_locale, current_language, isolate, text_direction

TEMPLATES = ROOT / "templates"
STATIC = ROOT / "app" / "static"
NUMBERS_KEPT = 10_000
MINUS = "\u2212"


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page `template` in the reader's language."""
    text = render_text(template, scope=request.scope, **values)
    # What was typed is shown again, and a form may smuggle in half a surrogate pair.
    return HTMLResponse(text.encode("utf-8", "replace"), status)


def render_text(template: str, *, scope: Scope, **values: Any) -> str:
    """The text of a page; `scope` gives the path, the request id and who is signed in."""
    language = current_language()
    state: Mapping[str, Any] = scope.get("state", {})
    return (
        _environment()
        .get_template(template)
        .render(
            {
                "lang": language,
                "dir": text_direction(language),
                "path": scope["path"],
                "request_id": state.get("request_id", ""),
                "member": state.get("member"),
                "person": state.get("person"),
                "notice": None,
                **values,
            }
        )
    )


@cache
def asset_version() -> str:
    """Changes whenever a static file does, so that browsers may keep them for a year."""
    content = b"".join(path.read_bytes() for path in sorted(STATIC.rglob("*")) if path.is_file())
    return sha256(content).hexdigest()[:12]


@cache
def static_text(name: str) -> str:
    """The content of a static file that is put inline."""
    return (STATIC / name).read_text(encoding="utf-8")


def format_nps(points: float | None) -> str:
    """An NPS in whole points with its sign (U+2212 for minus), or an en dash where undefined."""
    if points is None:
        return "\u2013"
    # Half away from zero, so that +12.5 and −12.5 are rounded alike.
    whole = int(abs(points) + 0.5)
    if whole == 0:
        return "0"
    return f"{'+' if points > 0 else MINUS}{format_number(whole)}"


def format_points(points: float) -> str:
    """A part of a difference in points: its sign, and one decimal so that parts add up."""
    tenths = round(points, 1)
    sign = "+" if tenths > 0 else MINUS if tenths < 0 else ""
    return sign + str(format_decimal(abs(tenths), format="0.0", locale=babel_locale()))


def format_number(value: float) -> str:
    return _number(value, current_language())


def format_share(percent: float) -> str:
    """A share given in per cent, shown in whole per cent."""
    return _share(percent, current_language())


# A dashboard has hundreds of numbers, and the same ones when it is looked at again.
@lru_cache(NUMBERS_KEPT)
def _number(value: float, language: str) -> str:
    return str(format_decimal(value, locale=babel_locale(language)))


@lru_cache(NUMBERS_KEPT)
def _share(percent: float, language: str) -> str:
    return str(format_percent(percent / 100, format="#,##0%", locale=babel_locale(language)))


def format_day(day: date | None, style: str = "medium") -> str:
    return "" if day is None else str(format_date(day, format=style, locale=babel_locale()))


def format_month(day: date) -> str:
    pattern = "y年M月" if current_language().startswith("ja") else "MMM y"
    return str(format_date(day, format=pattern, locale=babel_locale()))


def format_moment(moment: datetime | None) -> str:
    """A moment in UTC, for tables of keys and sessions."""
    if moment is None:
        return ""
    return f"{format_datetime(moment, format='medium', locale=babel_locale())} UTC"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(TEMPLATES)),
        auto_reload=False,  # else each page looks at the files of all its parts
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext, translation.ngettext, newstyle=True
    )
    environment.globals["asset_version"] = asset_version()
    environment.filters.update(
        nps=format_nps,
        phrases=break_phrases,
        isolated=isolate,
        direction=text_direction,
        number=format_number,
        points=format_points,
        share=format_share,
        day=format_day,
        month=format_month,
        moment=format_moment,
    )
    return environment
