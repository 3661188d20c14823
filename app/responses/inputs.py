"""What the API takes as an answer, and how it is judged before it may join a batch."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from app.foundation.errors import Conflict, Invalid, InvalidParam
from app.foundation.translation import mark
from app.responses.models import COMMENT_MAX_LENGTH, HoldReason
from app.responses.receipts import EXAMPLE_RECEIPT, MAX_TYPED
from app.responses.schemas import NewAnswer
from app.responses.texts import TextRefused, TooLong, clean_comment
from app.surveys.inputs import Input
from app.surveys.models import Channel, SurveyState
from app.surveys.schemas import Questionnaire
from app.surveys.segments import find_segment_problems, in_order

MAX_BATCH = 1_000
MAX_REASON_LENGTH = 500
EARLIEST_DAY = date(2000, 1, 1)
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_day(value: object) -> object:
    """Pydantic would also take seconds since 1970 and moments with a time."""
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, str) and _ISO_DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("day", "Send a calendar day such as 2026-03-14.")


def _read_comment(text: str | None) -> str | None:
    try:
        return None if text is None else clean_comment(text)
    except TooLong as error:
        raise PydanticCustomError(
            "comment_length",
            "Send at most {limit} characters; these are {length}.",
            {"limit": COMMENT_MAX_LENGTH, "length": error.length},
        ) from error
    except TextRefused as error:
        raise PydanticCustomError(
            "comment_character", "Leave out NUL and half surrogate pairs."
        ) from error


class ResponseInput(Input):
    """One answer. Without `answered_on` it is today's in the workspace's time zone; a day in the
    past is taken too. `segments` holds declared values of declared dimensions, or `other`."""

    model_config = ConfigDict(
        cache_strings="none",  # else the parser keeps short comments, for whoever sends the same
        json_schema_extra={
            "example": {
                "score": 9,
                "comment": "Friendly and fast.",
                "language": "en",
                "segments": {"plan": "pro"},
            }
        },
    )

    score: Annotated[int, Field(strict=True, ge=0, le=10, description="An integer, 0 to 10.")]
    comment: Annotated[str | None, AfterValidator(_read_comment)] = Field(
        None, description="At most 4,000 characters (code points)."
    )
    language: str | None = Field(
        None, description="One of the survey's languages; its default language if absent."
    )
    segments: dict[str, str] = Field(default_factory=dict)
    answered_on: Annotated[date | None, BeforeValidator(_read_day)] = Field(
        None, description="A calendar day of the workspace, from 2000-01-01 to today."
    )


class BatchInput(Input):
    """Up to 1,000 answers, stored all or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"responses": [{"score": 9}, {"score": 3, "comment": "Slow"}]}
        }
    )

    # Read row by row afterwards, so that one answer names every bad row, whatever is wrong with it.
    responses: list[SkipValidation[ResponseInput]] = Field(min_length=1, max_length=MAX_BATCH)


class ExclusionInput(Input):
    """Why an answer is left out of the figures: a test, a duplicate, an insult."""

    reason: str = Field(min_length=1, max_length=MAX_REASON_LENGTH, examples=["A test of our own"])


class ReleaseInput(Input):
    """Which held answers: those held for one reason, or all of them."""

    hold_reason: HoldReason | None = Field(None, examples=["too_fast"])


class HeldExclusionInput(ReleaseInput, ExclusionInput):
    """Which held answers are left out of the figures, and why."""


class ErasureInput(Input):
    """The receipt that was given with an answer, as the person sent it."""

    receipt: str = Field(min_length=1, max_length=MAX_TYPED, examples=[EXAMPLE_RECEIPT])


def read_rows(rows: Sequence[Any]) -> tuple[dict[int, ResponseInput], list[InvalidParam]]:
    """The rows of a batch that have the shape of an answer, by place, and what ails the others."""
    read, problems = {}, []
    for place, row in enumerate(rows):
        try:
            read[place] = ResponseInput.model_validate(row)
        except ValidationError as error:
            problems += [
                InvalidParam(
                    ".".join(["responses", str(place), *map(str, entry["loc"])]), entry["msg"]
                )
                for entry in error.errors(include_input=False, include_url=False)
            ]
    return read, problems


def find_problems(
    questionnaire: Questionnaire, today: date, given: ResponseInput, path: str = ""
) -> list[InvalidParam]:
    """What the survey does not take of a well-formed answer; names begin with `path`."""
    problems = find_segment_problems(questionnaire, given.segments, f"{path}segments")
    if given.language is not None and given.language not in questionnaire.languages:
        problems.append(
            InvalidParam(f"{path}language", mark("The survey is not asked in this language."))
        )
    if given.answered_on is not None and not EARLIEST_DAY <= given.answered_on <= today:
        problems.append(
            InvalidParam(
                f"{path}answered_on",
                mark("Send a day from 2000-01-01 to today in the workspace's time zone."),
            )
        )
    return problems


def refuse(problems: Sequence[InvalidParam]) -> None:
    """Invalid where there is any problem."""
    if problems:
        raise Invalid(mark("See which inputs were refused."), invalid_params=problems)


def require_taking(
    questionnaire: Questionnaire, today: date, given: Iterable[ResponseInput]
) -> None:
    """Conflict where the survey takes no such answer now.

    Today's answers need an open survey. Those of past days are imports: they need a survey that
    was published once, and may come after it has closed.
    """
    if questionnaire.state is SurveyState.DRAFT:
        raise Conflict(mark("The survey is a draft; publish it first."))
    is_live = any(answer.answered_on in (None, today) for answer in given)
    if is_live and not questionnaire.is_open_on(today):
        raise Conflict(mark("The survey is not open today; only answers of past days are taken."))


def new_answer(questionnaire: Questionnaire, today: date, given: ResponseInput) -> NewAnswer:
    """A checked answer, ready to be stored."""
    return NewAnswer(
        survey_id=questionnaire.survey_id,
        version_id=questionnaire.version_id,
        score=given.score,
        comment=given.comment,
        language=given.language or questionnaire.default_language,
        channel=Channel.API,
        answered_on=given.answered_on or today,
        labels=in_order(questionnaire, given.segments),
    )
