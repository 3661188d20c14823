"""What a search of the comments means, as conditions on a comment."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, func, literal, literal_column

from app.foundation.translation import mark
from app.responses.texts import is_storable

MAX_LENGTH = 200
MAX_PARTS = 10
_PART = re.compile(r'"([^"]+)"|([^\s"]+)')
# Han, kana and Hangul are written without spaces: a word there ends nowhere that a program sees.
_SPACED = re.compile(r"[^\W_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d]")


def _storable(text: str) -> str:
    if not is_storable(text):
        raise PydanticCustomError("search", mark("Leave out NUL and half surrogate pairs."))
    return text


def _searchable(text: str) -> str:
    text = _storable(text)
    if len(_PART.findall(text)) > MAX_PARTS:
        raise PydanticCustomError("search", mark("Search for at most ten words at once."))
    return text.strip()


Search = Annotated[
    str,
    Field(
        max_length=MAX_LENGTH,
        description="Only answers whose comment holds every one of these words, wherever in a "
        'word; what stands in `"…"` is found as it stands, as whole words',
        examples=["delivery late"],
    ),
    AfterValidator(_searchable),
]


Term = Annotated[
    str,
    Field(
        max_length=MAX_LENGTH,
        description="Only answers whose comment holds this term: the `key` of a theme",
        examples=["¬friend"],
    ),
    AfterValidator(_storable),
]


def matches(comment: ColumnElement[str | None], search: str) -> list[ColumnElement[bool]]:
    """The comment holds every word of the search, and what is quoted as whole words.

    Upper and lower case are alike, and so are wide, narrow and composed forms of a character.
    """
    text = _folded(comment)
    found: list[ColumnElement[bool]] = []
    for quoted, word in _PART.findall(search):
        if quoted.strip():
            found.append(text.regexp_match(func.lower(_as_whole_words(quoted.strip()))))
        elif word:
            found.append(func.strpos(text, _folded(literal(word))) > 0)
    return found


def _folded(text: ColumnElement[str | None]) -> ColumnElement[str]:
    # Postgres lowers both sides, so that they agree whatever its collation takes for a letter.
    return func.lower(func.normalize(text, literal_column("NFKC")))


def _as_whole_words(quoted: str) -> str:
    text = unicodedata.normalize("NFKC", quoted)
    before = "(^|[^[:alnum:]])" if _SPACED.match(text[0]) else ""
    after = "($|[^[:alnum:]])" if _SPACED.match(text[-1]) else ""
    return before + re.sub(r"([^\w\s])", r"\\\1", text) + after
