"""Languages: which one the reader gets, and the words in it.

Catalogues are `app/locales/<language>/{form,messages}.po`, read at start (no compiled files to
forget). `form` holds what a respondent sees, a survey's neutral texts included, so that adding a
respondent language is one file; `messages` holds the rest. English is the source.
`python -m app.foundation.translation check` fails on a missing, fuzzy or unused message; `update`
brings the catalogues up to date.
"""

import gettext as gettext_module
import io
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

from app.foundation.paths import ROOT

LOCALES = ROOT / "app" / "locales"
SOURCE_LANGUAGE = "en"
INTERFACE_LANGUAGES = ("en", "ja")
DOMAINS = ("form", "messages")
FORM_SOURCES = (
    "templates/responses/",
    "templates/respondent.html",
    "templates/components/forms.html",
    "templates/components/scale.html",
    "app/responses/form.py",
    "app/responses/promise.py",
    "app/responses/stored.py",
    "app/surveys/wording.py",
)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "mark": None,
    "mark_plural": (1, 2),
}
LONGEST_TAG = 35

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


def mark(message: str) -> str:
    """Mark a message for extraction where it is defined; translate it where it is shown."""
    return message


class Plural(NamedTuple):
    """A message for one and for many; `num` among its values decides."""

    singular: str
    plural: str


def mark_plural(singular: str, plural: str) -> Plural:
    """Mark a message that depends on a count, as `mark` does one that does not."""
    return Plural(singular, plural)


def set_language(language: str) -> None:
    """Everything shown from here on in this request is in `language` (a BCP 47 tag)."""
    _language.set(language)


def current_language() -> str:
    return _language.get()


def text_direction(language: str) -> str:
    """`rtl` or `ltr`, for the dir attribute."""
    return babel_locale(language).text_direction


def isolate(text: str) -> str:
    """A name or number as it stands among right-to-left words: its full stop stays at its end, and
    a telephone number begins with its first figure. Unchanged where the page runs left to right."""
    return f"\u2068{text}\u2069" if text_direction(current_language()) == "rtl" else text


def gettext(message: str, language: str | None = None) -> str:
    """`message` in the reader's language, or in `language`; itself where there is none."""
    return _catalogue(language or _language.get()).gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of the message that fits `count` in the reader's language."""
    return _catalogue(_language.get()).ngettext(singular, plural, count)


_ = gettext


def phrase(message: str | Plural, values: Mapping[str, Any]) -> str:
    """A marked message in the reader's language, with its placeholders filled."""
    if isinstance(message, Plural):
        return ngettext(*message, values["num"]) % values
    return gettext(message) % values


def choose_language(
    accept_language: str, available: Sequence[str], default: str, wanted: str = ""
) -> str:
    """`wanted` where available, else the best of an Accept-Language header, else `default`."""
    return _choose(accept_language[:500], tuple(available), default, wanted[:LONGEST_TAG])


@lru_cache(1_024)
def _choose(accepted: str, available: tuple[str, ...], default: str, wanted: str) -> str:
    found = (find_language(tag, available) for tag in (wanted, *_read_accepted(accepted)))
    return next(filter(None, found), default)


def find_language(tag: str, available: Sequence[str]) -> str | None:
    """The available language that suits a reader of `tag` most closely, if any does.

    `pt-BR` finds `pt`, and `pt` finds `pt-BR`; Chinese goes by the script that its region writes,
    so that `zh-TW` finds `zh-Hant` and `zh-CN` finds `zh-Hans`.
    """
    for name in _names(tag[:LONGEST_TAG]):
        suiting = [known for known in available if name in _names(known)]
        if suiting:
            return min(suiting, key=len)
    return None


@lru_cache(1_024)
def _names(tag: str) -> tuple[str, ...]:
    """`tag` with its script, the narrowest name first; none where it names no language."""
    locale = _parsed(tag)
    if locale is None:
        return ()
    likely = _parsed(get_global("likely_subtags").get(locale.language, "").replace("_", "-"))
    language, script = locale.language, locale.script or (likely.script if likely else None)
    names = [f"{language}-{script}-{locale.territory}", f"{language}-{script}", language]
    return tuple(name.lower() for name in names)


def _parsed(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def babel_locale(language: str | None = None) -> Locale:
    """The Babel locale of the reader's language, for dates and numbers."""
    return _locale(language or _language.get())


@lru_cache(100)
def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


def _read_accepted(header: str) -> Sequence[str]:
    """The tags of an Accept-Language header, the preferred one first."""
    weighted = []
    for part in header.replace(" ", "").split(","):
        tag, _semicolon, quality = part.partition(";q=")
        try:
            weighted.append((float(quality or 1), tag))
        except ValueError:
            continue
    # The weight 0 says: anything but this.
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if tag and weight]


@cache
def _catalogue(language: str) -> gettext_module.NullTranslations:
    merged: gettext_module.NullTranslations = gettext_module.NullTranslations()
    for domain in DOMAINS:
        spoken = find_language(language, languages_of(domain))
        if spoken:
            compiled = io.BytesIO()
            mofile.write_mo(compiled, _read(LOCALES / spoken / f"{domain}.po"))
            compiled.seek(0)
            translations = gettext_module.GNUTranslations(compiled)
            translations.add_fallback(merged)
            merged = translations
    return merged


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return pofile.read_po(file, locale=path.parent.name.replace("-", "_"))


def extract(domain: str) -> Catalog:
    """All messages of `domain` as they stand in the sources now."""
    catalogue = Catalog(project="Honne", charset="utf-8")
    options: Mapping[str, Mapping[str, str]] = {
        "templates/**.html": {"silent": "false", "trimmed": "true"}
    }
    for folder, method in (("app", "python"), ("templates", "jinja2")):
        found = extract_from_dir(
            ROOT / folder,
            method_map=[("**.py" if method == "python" else "**.html", method)],
            options_map={"**.html": dict(options["templates/**.html"])},
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
        )
        for name, line, message, comments, context in found:
            path = f"{folder}/{name}"
            if path.startswith(FORM_SOURCES) == (domain == "form"):
                catalogue.add(
                    message, locations=[(path, line)], auto_comments=comments, context=context
                )
    return catalogue


def languages_of(domain: str) -> list[str]:
    """The languages that have a catalogue for `domain`, besides English."""
    return sorted(path.parent.name for path in LOCALES.glob(f"*/{domain}.po"))


def form_languages() -> list[str]:
    """The languages Honne has a respondent's words in: English, and one for each catalogue."""
    return [SOURCE_LANGUAGE, *languages_of("form")]


def problems() -> list[str]:
    """One line for each message that is missing, fuzzy or no longer used."""
    found = []
    for domain in DOMAINS:
        source = extract(domain)
        for language in languages_of(domain):
            catalogue = _read(LOCALES / language / f"{domain}.po")
            found += _differences(source, catalogue, f"{language}/{domain}.po")
    return found


def _differences(source: Catalog, catalogue: Catalog, name: str) -> list[str]:
    found = []
    for message in source:
        if not message.id:
            continue
        translated = catalogue.get(message.id)
        if translated is None or not _is_filled(translated.string):
            found.append(f"{name}: missing: {message.id!r} ({min(message.locations)[0]})")
        elif translated.fuzzy:
            found.append(f"{name}: fuzzy: {message.id!r}")
        else:
            translated.flags |= message.flags
            found += [f"{name}: {error}: {message.id!r}" for error in translated.check(catalogue)]
    for message in catalogue:
        if message.id and source.get(message.id) is None:
            found.append(f"{name}: no longer used: {message.id!r}")
    return found


def _is_filled(string: object) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


def update() -> None:
    """Bring every catalogue up to the sources: new messages empty, unused ones dropped."""
    for domain in DOMAINS:
        source = extract(domain)
        for language in languages_of(domain):
            path = LOCALES / language / f"{domain}.po"
            catalogue = _read(path)
            catalogue.update(source, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            with path.open("wb") as file:
                pofile.write_po(file, catalogue, width=100, no_location=True, sort_output=True)


def main(arguments: list[str]) -> int:
    """`check` (exit 1 where something is missing) or `update`."""
    if arguments == ["update"]:
        update()
    for problem in (found := problems()):
        print(problem)
    return 1 if found and arguments == ["check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
