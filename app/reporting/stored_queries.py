"""The query of a dashboard as text, to be kept and asked again on another day."""

from urllib.parse import parse_qsl, urlencode

from app.reporting.page_filters import DashboardQuery


def query_text(query: DashboardQuery) -> str:
    """The query as it was asked: a period that moves with the calendar goes on moving."""
    given = query.model_dump(mode="json", exclude_defaults=True, exclude={"lang"})
    return urlencode({name: str(value) for name, value in given.items()})


def read_query(text: str) -> DashboardQuery:
    """The query again; ValueError where it has parameters that there are no more."""
    return DashboardQuery.model_validate(dict(parse_qsl(text, keep_blank_values=True)))
