"""Shapes that every API operation shares: problems, list meta, and refusal of unknown queries."""

from collections import Counter
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from app.foundation.errors import ERRORS_BY_STATUS, Invalid, InvalidParam
from app.foundation.paging import MAX_PAGE_SIZE, PAGE_SIZE
from app.foundation.translation import mark
from app.foundation.web.problems import PROBLEM_TYPE

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY_LENGTH = 255


class ProblemParam(BaseModel):
    """One refused input: its path, and why."""

    name: str
    reason: str


class Problem(BaseModel):
    """An RFC 9457 problem. `code` is stable; quote `request_id` when you ask for help."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    invalid_params: list[ProblemParam] | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that may end with these statuses, or as any other: with 401,
    403, 429 or 503."""
    return {
        status: {"$ref": f"#/components/responses/{ERRORS_BY_STATUS[status].code}"}
        for status in sorted({401, 403, 429, 503, *statuses})
    }


def problem_components() -> dict[str, Any]:
    """What `problems` refers to: `components.responses` of the document."""
    return {error.code: _problem_response(status) for status, error in ERRORS_BY_STATUS.items()}


def declare_repeats(document: dict[str, Any]) -> None:
    """Every operation that creates, that is, answers 201, may be sent again under its key."""
    creating = [
        operation
        for methods in document["paths"].values()
        for operation in methods.values()
        if "201" in operation["responses"]
    ]
    for operation in creating:
        operation.setdefault("parameters", []).append(
            {"$ref": f"#/components/parameters/{IDEMPOTENCY_KEY}"}
        )
        operation["responses"] |= {str(status): answer for status, answer in REPEATED.items()}
        operation["responses"]["201"]["headers"] = {"Idempotency-Replayed": REPLAYED}
    document["components"]["parameters"] = {IDEMPOTENCY_KEY: KEY_PARAMETER}


KEY_PARAMETER = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "description": "Any text of your own, new for each thing to be created, so that it may be sent "
    "again where no answer came. For at least a day, the same key with the same body, byte for "
    "byte, gets the first answer again and creates nothing; 409 while the first call still runs; "
    "422 with another body or at another address.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_LENGTH,
        # Printable ASCII; spaces at the ends of a header do not arrive.
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
    "example": "order-4711-asked",
}
REPEATED = problems(409, 422)
REPLAYED = {
    "description": "Present where this is the first answer again.",
    "schema": {"type": "string", "const": "true"},
}


def _problem_response(status: int) -> dict[str, Any]:
    error = ERRORS_BY_STATUS[status]
    example = {
        "type": "about:blank",
        "title": error.title,
        "status": status,
        "detail": "",
        "code": error.code,
        "request_id": "0f7c5c3bb1f14ad1a5b5ad7d31a5c0de",
    }
    if status == 422:
        example["invalid_params"] = [{"name": "name", "reason": "Write something here."}]
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {
        "description": error.title,
        "content": {PROBLEM_TYPE: {"schema": _inlined(schema), "example": example}},
    }


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without references: FastAPI collects components from models it serialises only."""
    params = schema.pop("$defs")["ProblemParam"]
    schema["properties"]["invalid_params"] = {"type": "array", "items": params}
    return schema


class PageQuery(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(PAGE_SIZE, ge=1, le=MAX_PAGE_SIZE, description="How many at most.")
    cursor: str | None = Field(
        None, max_length=500, description="`meta.next_cursor` of the page before."
    )


Paging = Annotated[PageQuery, Query()]


class ListMeta(BaseModel):
    """How far a list went; `next_cursor` is null on the last page."""

    limit: int
    next_cursor: str | None


async def _refuse_query(request: Request) -> None:
    if request.query_params:
        reason = mark("There is no such query parameter.")
        raise Invalid(
            mark("See which inputs were refused."),
            invalid_params=[InvalidParam(name, reason) for name in request.query_params],
        )


# For operations without query parameters: an unknown one is refused, as everywhere.
NoQuery = Depends(_refuse_query)


def once_each_but(*lists: str) -> Any:
    """Refuses a parameter given twice, of which FastAPI reads the last: figures of another filter
    than was asked for. `lists` may be given several times."""

    async def refuse_repetitions(request: Request) -> None:
        counts = Counter(name for name, _value in request.query_params.multi_items())
        repeated = [name for name, count in counts.items() if count > 1 and name not in lists]
        if repeated:
            reason = mark("Give this parameter once.")
            raise Invalid(
                mark("See which inputs were refused."),
                invalid_params=[InvalidParam(name, reason) for name in repeated],
            )

    return Depends(refuse_repetitions)


OnceEach = once_each_but()
