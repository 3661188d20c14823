"""The texts a respondent sees: their names, their limits and neutral defaults per language.

`{X}` in a text stands for the survey's subject (what is recommended) and is filled in when the
text is shown, so that a later change of the subject reaches every text that was left as it was.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError

from app.foundation.errors import InvalidParam
from app.foundation.translation import (
    babel_locale,
    find_language,
    form_languages,
    gettext,
    mark,
)
from app.scoring import Category

SUBJECT = "subject"
PURPOSE = "purpose"
PLACEHOLDER = "{X}"
MAX_LANGUAGES = 20
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?")


@dataclass(frozen=True, slots=True)
class TextRule:
    """What a text may be: at most `limit` code points, on one line or several.

    `default` is the neutral English text, empty where there is none. An optional text that is
    not given is left out of a wording.
    """

    limit: int
    default: str
    is_long: bool = False
    is_optional: bool = False


def thanks_name(group: Category) -> str:
    """The text that thanks a group of scores in words of its own."""
    return f"thanks_{group}"


def thanks_link_name(group: Category) -> str:
    """The words of the link on that group's thank-you page."""
    return f"thanks_link_{group}"


# The first four are worded exactly so: other words move the score.
TEXTS: Mapping[str, TextRule] = {
    SUBJECT: TextRule(120, ""),
    "question": TextRule(
        300, mark("How likely are you to recommend {X} to a friend or colleague?")
    ),
    "low_label": TextRule(60, mark("Not at all likely")),
    "high_label": TextRule(60, mark("Extremely likely")),
    "reason_question": TextRule(300, mark("What is the main reason for your score?")),
    "thanks": TextRule(1_000, mark("Thank you. Your answer has been saved."), is_long=True),
    PURPOSE: TextRule(500, mark("Your answer is used only to improve {X}."), is_long=True),
    **{thanks_name(group): TextRule(1_000, "", True, is_optional=True) for group in Category},
    **{thanks_link_name(group): TextRule(80, "", is_optional=True) for group in Category},
}


def parse_language(tag: str) -> str | None:
    """A BCP 47 tag in its usual case (`pt-BR`, `zh-Hant`), or None where it names no language."""
    if not _TAG.fullmatch(tag):
        return None
    try:
        Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *(_usual_case(part) for part in rest)])


def _usual_case(part: str) -> str:
    return part.title() if len(part) == 4 else part.upper()


def language_name(tag: str) -> str:
    """The name of a language as the reader says it: German, ドイツ語."""
    return babel_locale(tag).get_display_name(babel_locale()) or tag


def default_texts(language: str) -> dict[str, str]:
    """The neutral texts in `language`; none where Honne has no words in it."""
    spoken = find_language(language, form_languages())
    if spoken is None:
        return {}
    return {name: gettext(rule.default, spoken) for name, rule in TEXTS.items() if rule.default}


def complete_wording(
    languages: Iterable[str], given: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Every text in every language: as given, else the default, else empty. Optional texts are
    there only where they are given."""
    complete = {}
    for language in languages:
        defaults, texts = default_texts(language), given.get(language, {})
        whole = {name: clean_text(texts.get(name, "")) or defaults.get(name, "") for name in TEXTS}
        complete[language] = {
            name: text for name, text in whole.items() if text or not TEXTS[name].is_optional
        }
    return complete


def fill_subject(wording: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The wording as it is read: the subject of each language in place of `{X}`."""
    return {
        language: {
            name: text if name == SUBJECT else text.replace(PLACEHOLDER, texts[SUBJECT])
            for name, text in texts.items()
        }
        for language, texts in wording.items()
    }


def find_wording_problems(wording: Mapping[str, Mapping[str, str]]) -> list[InvalidParam]:
    """What is wrong with a complete wording: a missing text, a long one, a control character."""
    problems = []
    for language, texts in wording.items():
        for name, text in texts.items():
            path = f"{SUBJECT}.{language}" if name == SUBJECT else f"wording.{language}.{name}"
            if not text:
                problems.append(InvalidParam(path, MISSING))
            problems += find_text_problems(path, text, TEXTS[name].limit, TEXTS[name].is_long)
    return problems


def clean_text(text: str) -> str:
    """`text` with one kind of line end and no space around it."""
    return text.replace("\r\n", "\n").strip()


MISSING = mark("Write something here.")


def find_text_problems(
    path: str, text: str, limit: int, is_long: bool = False
) -> list[InvalidParam]:
    """What is wrong with a text of at most `limit` code points; nothing, mostly."""
    if len(text) > limit:
        return [InvalidParam(path, mark("Write at most %(limit)s characters."), {"limit": limit})]
    if "\n" in text and not is_long:
        return [InvalidParam(path, mark("Write this on one line."))]
    if not is_printable(text.replace("\n", "")):
        return [InvalidParam(path, mark("Leave out control characters."))]
    return []


def is_printable(text: str) -> bool:
    """True without control characters, NUL and lone surrogates, which Postgres or a page refuse."""
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
