"""The filter of a page as somebody typed it: what cannot be is said beside its field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from app.foundation.translation import gettext
from app.reporting.page_filters import TYPED_DAYS, PageQuery, Preset
from app.reporting.stored_queries import as_given
from app.surveys.inputs import iso_day

AnyQuery = TypeVar("AnyQuery", bound=PageQuery)


@dataclass(frozen=True, slots=True)
class Typed(Generic[AnyQuery]):
    """A page's query. Where days were refused it is without them, `days` are they as typed and
    `errors` say why, by name."""

    query: AnyQuery
    days: Mapping[str, str]
    errors: Mapping[str, str]

    @property
    def types(self) -> dict[str, str]:
        """As what each is shown: a browser keeps nothing in a field for days that is none."""
        return {name: "date" if _is_day(text) else "text" for name, text in self.days.items()}

    @property
    def problems(self) -> list[dict[str, str]]:
        """For the summary above the page."""
        names = {"since": gettext("From"), "until": gettext("To")}
        return [
            {"name": name, "message": f"{names[name]}: {text}"}
            for name, text in self.errors.items()
        ]


def typed(kind: type[AnyQuery]) -> Callable[[Request], Typed[AnyQuery]]:
    """Reads the query of a page; what nobody types is refused as everywhere."""

    def read(request: Request) -> Typed[AnyQuery]:
        given = as_given(kind, request.query_params.multi_items())
        try:
            return Typed(kind.model_validate(given), {}, {})
        except ValidationError as error:
            wrong = {str(entry["loc"][0]): str(entry["msg"]) for entry in error.errors()}
            if not wrong.keys() <= set(TYPED_DAYS):
                raise refusal_of(error) from None
        days = {name: given.pop(name, "") for name in TYPED_DAYS}
        errors = {name: gettext(wrong[name]) for name in TYPED_DAYS if name in wrong}
        return Typed(kind.model_validate({**given, "period": Preset.DAYS}), days, errors)

    return read


def refusal_of(error: ValidationError) -> RequestValidationError:
    """What FastAPI raises where it reads the query itself."""
    found = error.errors(include_url=False)
    return RequestValidationError([{**entry, "loc": ("query", *entry["loc"])} for entry in found])


def _is_day(text: str) -> bool:
    try:
        return not text or iso_day(text) is not None
    except PydanticCustomError:
        return False
