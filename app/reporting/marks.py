"""Tags and stars in lists: everybody's list by day shows them and asks for them, no other does.

See docs/decisions/0020: whoever could find a mark beside labels would have day and labels of one
answer.
"""

from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, Text, cast, exists, func, literal, null, select

from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.reporting.filters import ReportFilter, refused
from app.reporting.publication import RowScope
from app.responses.models import Response
from app.responses.tag_models import ResponseTag, Tag


def refuse_marks_beside_labels(asked: ReportFilter) -> None:
    """Invalid: a mark that somebody put on an answer in the list by day would show the day of the
    same answer in the list by labels."""
    if asked.is_subgroup and asked.has_marks:
        reason = mark("Tags and stars cannot be combined with segments, language or channel.")
        names = {"tag": asked.tag is not None, "starred": asked.is_starred}
        raise refused(*(InvalidParam(name, reason) for name, is_there in names.items() if is_there))


def marked_as(asked: ReportFilter) -> list[ColumnElement[bool]]:
    """The conditions on an answer's marks; Invalid beside labels."""
    refuse_marks_beside_labels(asked)
    conditions: list[ColumnElement[bool]] = []
    if asked.is_starred:
        conditions.append(Response.is_starred.expression)
    if asked.tag is not None:
        conditions.append(
            exists().where(
                ResponseTag.workspace_id == Response.workspace_id,
                ResponseTag.response_id == Response.id,
                ResponseTag.tag_id == asked.tag,
            )
        )
    return conditions


def marks_of_answer(scope: RowScope) -> tuple[ColumnElement[bool], ColumnElement[Sequence[str]]]:
    """Whether an answer is starred, and the names of its tags; nothing of it beside labels."""
    if scope.labels:
        return literal(False).label("is_starred"), cast(null(), ARRAY(Text)).label("tags")
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
    return Response.is_starred.expression, func.array(names, type_=ARRAY(Text)).label("tags")
