"""Tags and stars in lists: everybody's list by day shows them and asks for them, no other does.

See docs/decisions/0020: whoever could find a mark beside labels would have day and labels of one
answer.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, Text, cast, exists, func, literal, null, select

from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.reporting.filters import ReportFilter, refused
from app.responses.models import Response
from app.responses.tag_models import ResponseTag, Tag


def refuse_marks_beside_labels(asked: ReportFilter) -> None:
    """Invalid: a mark that somebody put on an answer in the list by day would show the day of the
    same answer in the list by labels."""
    if asked.is_subgroup and asked.has_marks:
        reason = mark("Tags and stars cannot be combined with segments, language or channel.")
        names = {"tag": asked.tag is not None, "starred": asked.is_starred}
        raise refused(*(InvalidParam(name, reason) for name, is_there in names.items() if is_there))


def is_tagged(tag_id: uuid.UUID) -> ColumnElement[bool]:
    """The condition that an answer has a tag."""
    return exists().where(
        ResponseTag.workspace_id == Response.workspace_id,
        ResponseTag.response_id == Response.id,
        ResponseTag.tag_id == tag_id,
    )


def _tags() -> ColumnElement[Sequence[str]]:
    """The names of an answer's tags."""
    names = (
        select(Tag.name)
        .join(
            ResponseTag,
            (ResponseTag.workspace_id == Tag.workspace_id) & (ResponseTag.tag_id == Tag.id),
        )
        .where(
            ResponseTag.workspace_id == Response.workspace_id,
            ResponseTag.response_id == Response.id,
        )
        .order_by(Tag.folded)
        .correlate(Response)
        .scalar_subquery()
    )
    return func.array(names, type_=ARRAY(Text))


# Whether an answer is starred, and the names of its tags; nothing of it beside labels.
MARKS_BY_DAY = (Response.is_starred.expression, _tags().label("tags"))
NO_MARKS = (literal(False).label("is_starred"), cast(null(), ARRAY(Text)).label("tags"))
