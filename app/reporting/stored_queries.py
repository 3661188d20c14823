"""The query of a page as text, to be kept and asked again on another day."""

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from app.reporting.page_filters import PageQuery

AnyQuery = TypeVar("AnyQuery", bound=PageQuery)


def query_text(query: PageQuery) -> str:
    """The query as it was asked: a period that moves with the calendar goes on moving."""
    given = query.model_dump(mode="json", exclude_defaults=True, exclude={"lang"})
    return urlencode(
        {name: value if isinstance(value, list) else str(value) for name, value in given.items()},
        doseq=True,
    )


def read_query(kind: type[AnyQuery], text: str) -> AnyQuery:
    """The query again; ValueError where it has parameters that there are no more."""
    return kind.model_validate(as_given(kind, parse_qsl(text, keep_blank_values=True)))


def as_given(kind: type[PageQuery], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parameters by name: those that may be given several times as lists."""
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in kind.LISTS:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    return given
