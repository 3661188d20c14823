"""How many answers have a tag, and how they scored: everybody, and only from the group minimum on.

No figure of a tag is of a subgroup, see docs/decisions/0020.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.web.openapi import ListMeta
from app.reporting.filters import ReportFilter
from app.reporting.metrics import measure
from app.responses.models import SCORES, Response, Standing
from app.responses.tag_models import MAX_TAGS, ResponseTag, Tag
from app.responses.tag_shapes import EXAMPLE_TAG
from app.responses.tags import list_tags
from app.scoring import (
    Category,
    GroupCounts,
    Interval,
    Nps,
    Share,
    category_of,
    interval_of,
    nps_of,
    share_of,
)
from app.surveys.schemas import Questionnaire


@dataclass(frozen=True, slots=True)
class TagFigures:
    """The counted answers with a tag: their `share` of all that are kept one by one, their score
    and its interval."""

    share: Share
    nps: Nps
    interval: Interval


@dataclass(frozen=True, slots=True)
class TagUse:
    """A tag and its figures; None where fewer answers than the group minimum have it."""

    tag: Tag
    figures: TagFigures | None


async def list_tag_uses(session: AsyncSession, questionnaire: Questionnaire) -> Sequence[TagUse]:
    """The tags of a survey by name, with the figures of all counted answers that have them."""
    workspace_id, survey_id = questionnaire.workspace_id, questionnaire.survey_id
    tags = await list_tags(session, workspace_id, survey_id)
    counts = await _count(session, workspace_id, survey_id) if tags else {}
    least = questionnaire.min_group_size
    shown = {id_: found for id_, found in counts.items() if found.total >= least}
    total = await _count_all(session, questionnaire) if shown else 0
    return [TagUse(tag, _figures(shown[tag.id], total) if tag.id in shown else None)
            for tag in tags]  # fmt: skip


async def _count(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> dict[uuid.UUID, GroupCounts]:
    scores = [[score for score in SCORES if category_of(score) is group] for group in Category]
    rows = await session.execute(
        select(
            ResponseTag.tag_id, *(func.count().filter(Response.score.in_(part)) for part in scores)
        )
        .join(
            Response,
            (Response.workspace_id == ResponseTag.workspace_id)
            & (Response.id == ResponseTag.response_id),
        )
        .where(
            ResponseTag.workspace_id == workspace_id,
            Response.workspace_id == workspace_id,
            Response.survey_id == survey_id,
            Response.standing == Standing.COUNTED,
        )
        .group_by(ResponseTag.tag_id)
    )
    return {tag_id: GroupCounts(*numbers) for tag_id, *numbers in rows}


async def _count_all(session: AsyncSession, questionnaire: Questionnaire) -> int:
    """Counted answers since the oldest that is kept: of earlier ones only totals are left."""
    oldest = await session.scalar(
        select(func.min(Response.answered_on)).where(
            Response.workspace_id == questionnaire.workspace_id,
            Response.survey_id == questionnaire.survey_id,
        )
    )
    asked = ReportFilter(questionnaire.survey_id, since=oldest)
    figures = (await measure(session, questionnaire, asked)).figures
    return figures.counts.total if figures else 0


def _figures(counts: GroupCounts, total: int) -> TagFigures:
    # An answer that came between the two looks is one of the total, too.
    share = share_of(counts.total, max(total, counts.total))
    nps, interval = nps_of(counts), interval_of(counts)
    assert share is not None
    assert nps is not None
    assert interval is not None  # there are at least as many answers as a group has
    return TagFigures(share, nps, interval)


class TagUseOut(BaseModel):
    """A tag with the figures of all counted answers that have it: `share` of them in per cent, NPS
    and its 95 % interval in points. Null where fewer than the group minimum have it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": EXAMPLE_TAG, "name": "Delivery", "suppressed": False, "response_count": 41,
                "share": 12.5, "nps": -22.0, "nps_low": -48.2, "nps_high": 6.1,
            }
        }
    )  # fmt: skip

    id: uuid.UUID
    name: str
    suppressed: bool
    response_count: int | None
    share: float | None
    nps: float | None
    nps_low: float | None
    nps_high: float | None

    @classmethod
    def of(cls, use: TagUse) -> "TagUseOut":
        found = use.figures
        return cls(
            id=use.tag.id,
            name=use.tag.name,
            suppressed=found is None,
            response_count=found.nps.total if found else None,
            share=100 * found.share.value if found else None,
            nps=found.nps.value if found else None,
            nps_low=found.interval.low if found else None,
            nps_high=found.interval.high if found else None,
        )


class TagList(BaseModel):
    """All tags of a survey by name: they fit on one page."""

    data: list[TagUseOut]
    meta: ListMeta = Field(examples=[{"limit": MAX_TAGS, "next_cursor": None}])

    @classmethod
    def of(cls, uses: Sequence[TagUse]) -> "TagList":
        return cls(
            data=[TagUseOut.of(use) for use in uses],
            meta=ListMeta(limit=MAX_TAGS, next_cursor=None),
        )
