"""Japanese in phrases: where a line may end, so that none ends within a word."""

import re
from functools import cache, lru_cache
from itertools import pairwise

import budoux
from markupsafe import Markup, escape

from app.foundation.translation import current_language

BREAK = Markup("<wbr>")
_KANA_OR_KANJI = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_WITHIN_A_WORD = re.compile(r"[!-~][!-~]")


def break_phrases(text: str) -> Markup:
    """`text` as markup with a place to break after each phrase, where it and the page are Japanese.

    Escaped here unless it is Markup already; of that only text is expected, no tags.
    """
    if not current_language().startswith("ja") or not _KANA_OR_KANJI.search(text):
        return escape(text)
    return _broken(text.unescape() if isinstance(text, Markup) else text)


@lru_cache(2_048)
def _broken(text: str) -> Markup:
    # Cutting comes before escaping, so that no cut can fall into `&amp;`.
    return BREAK.join(_phrases(text))


def _phrases(text: str) -> list[str]:
    """The phrases of `text`; addresses and Latin words stay whole."""
    found = _parser().parse(text)
    phrases = found[:1]
    for before, phrase in pairwise(found):
        if _WITHIN_A_WORD.fullmatch(before[-1:] + phrase[:1]):
            phrases[-1] += phrase
        else:
            phrases.append(phrase)
    return phrases


@cache
def _parser() -> budoux.Parser:
    return budoux.load_default_japanese_parser()
