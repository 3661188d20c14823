"""Which segment values an answer may carry: only declared ones, whoever sent them."""

import re
from collections.abc import Collection, Mapping

from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.surveys.models import DimensionSource
from app.surveys.schemas import NONE, OTHER, RESERVED_VALUES, Questionnaire
from app.surveys.wording import is_printable

VALUE_KEY_LIMIT = 80
# `?lang=ja` chooses the language of the form, `?embed=…` says where it stands in a frame.
RESERVED_DIMENSIONS = ("lang", "embed")
_DIMENSION_KEY = re.compile(r"[a-z0-9_]{1,40}")


def is_dimension_key(key: str) -> bool:
    """True for 1 to 40 of a–z, 0–9 and _, other than reserved words."""
    return bool(_DIMENSION_KEY.fullmatch(key)) and key not in RESERVED_DIMENSIONS


def is_value_key(key: str) -> bool:
    """True for 1 to 80 printable characters without space around them, other than `other` and
    `none`."""
    return (
        0 < len(key) <= VALUE_KEY_LIMIT
        and key == key.strip()
        and is_printable(key)
        and key.lower() not in RESERVED_VALUES
    )


def accept_segments(
    questionnaire: Questionnaire, raw: Mapping[str, str], sources: Collection[DimensionSource]
) -> dict[str, str]:
    """The segment values of a link or a form, in the order of the dimensions.

    Only dimensions fed by one of `sources` are read; undeclared and archived values become
    `other`, empty ones and `none` stay out. Nothing raw survives, so that nobody can put an
    account id into a link.
    """
    accepted = {}
    for dimension in questionnaire.dimensions:
        given = raw.get(dimension.key, "").strip()
        if dimension.source in sources and given not in ("", NONE):
            value = dimension.find_value(given)
            accepted[dimension.key] = OTHER if value is None or value.is_archived else value.key
    return accepted


def in_order(questionnaire: Questionnaire, raw: Mapping[str, str]) -> dict[str, str]:
    """The segment values of an API call, whatever their source, in the order of the dimensions:
    such as `find_segment_problems` finds nothing wrong with."""
    keys = [dimension.key for dimension in questionnaire.dimensions]
    return {key: raw[key] for key in keys if key in raw}


def find_segment_problems(
    questionnaire: Questionnaire, raw: Mapping[str, str], path: str = "segments"
) -> list[InvalidParam]:
    """One problem, named `path.KEY`, for each key or value that is not declared. `other` may be
    sent."""
    problems = []
    for key, given in raw.items():
        reason = _reason_to_refuse(questionnaire, key, given)
        if reason:
            problems.append(InvalidParam(f"{path}.{key}", reason))
    return problems


def _reason_to_refuse(questionnaire: Questionnaire, key: str, given: str) -> str | None:
    dimension = questionnaire.find_dimension(key)
    if dimension is None:
        return mark("The survey declares no such segment dimension.")
    if given == OTHER:
        return None
    value = dimension.find_value(given)
    if value is None:
        return mark("The segment dimension declares no such value.")
    if value.is_archived:
        return mark("This value was archived; restore it to use it again.")
    return None
