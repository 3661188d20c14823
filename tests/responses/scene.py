"""A published survey to answer, written as rows, and what its tables say afterwards."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.tokens import new_id
from app.surveys.models import (
    Channel,
    DimensionSource,
    Link,
    SegmentDimension,
    SegmentValue,
    Survey,
    SurveyLink,
    SurveyState,
    SurveyVersion,
)
from app.surveys.wording import complete_wording

DIMENSIONS: Mapping[str, tuple[DimensionSource, Sequence[str]]] = {
    "plan": (DimensionSource.LINK, ("free", "pro")),
    "age": (DimensionSource.QUESTION, ("young", "old")),
    "region": (DimensionSource.API, ("east", "west")),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A survey and the ids one needs to answer it."""

    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    version_id: uuid.UUID
    slug: str


async def make_scene(
    session: AsyncSession, workspace_id: uuid.UUID, slug: str = "cafe", **survey: Any
) -> Scene:
    """A published survey of the workspace the session is in, with its default link."""
    scene = Scene(workspace_id, new_id(), new_id(), slug)
    session.add(
        Survey(
            workspace_id=workspace_id,
            id=scene.survey_id,
            created_at=clock.now(),
            **{
                "name": "Café",
                "state": SurveyState.PUBLISHED,
                "languages": ["en", "ja"],
                "default_language": "en",
                "min_group_size": 5,
                "retention_months": 24,
                "privacy_url": "https://acme.example/privacy",
                "contact": "privacy@acme.example",
                **survey,
            },
        )
    )
    await session.flush()
    await add_version(session, scene)
    await add_dimensions(session, scene)
    await add_link(session, scene, slug, is_default=True)
    return scene


async def add_version(session: AsyncSession, scene: Scene) -> None:
    given = {
        "en": {"subject": "Café Acme"},
        "ja": {"subject": "アクメ珈琲", "question": "{X}を友人や同僚に薦める可能性は？"},
    }
    session.add(
        SurveyVersion(
            workspace_id=scene.workspace_id,
            id=scene.version_id,
            survey_id=scene.survey_id,
            number=1,
            wording=complete_wording(["en", "ja"], given),
            created_at=clock.now(),
        )
    )
    await session.flush()


async def add_dimensions(session: AsyncSession, scene: Scene) -> None:
    for position, (key, (source, values)) in enumerate(DIMENSIONS.items()):
        dimension = SegmentDimension(
            workspace_id=scene.workspace_id,
            id=new_id(),
            survey_id=scene.survey_id,
            key=key,
            label={"en": key.title(), "ja": key},
            source=source,
            position=position,
        )
        session.add(dimension)
        await session.flush()
        session.add_all(
            SegmentValue(
                workspace_id=scene.workspace_id,
                dimension_id=dimension.id,
                key=value,
                label={"en": value.title()},
                position=place,
            )
            for place, value in enumerate(values)
        )
    await session.flush()


async def add_link(
    session: AsyncSession,
    scene: Scene,
    slug: str,
    channel: Channel = Channel.LINK,
    **link: Any,
) -> None:
    session.add(Link(slug=slug, workspace_id=scene.workspace_id, survey_id=scene.survey_id))
    session.add(
        SurveyLink(
            workspace_id=scene.workspace_id,
            survey_id=scene.survey_id,
            slug=slug,
            name=slug,
            channel=channel,
            created_at=clock.now(),
            **link,
        )
    )
    await session.flush()


Counts = dict[tuple[uuid.UUID, date, uuid.UUID, str, str, str], tuple[int, ...]]
ROW = "survey_id, answered_on, segment_set_id, language, channel, standing"
SCORES = ", ".join(f"score_{score}" for score in range(11))


def stored_counts(owner: psycopg.Connection) -> Counts:
    """The rows of the counts that are not all zero."""
    rows = owner.execute(f"SELECT {ROW}, {SCORES} FROM daily_counts").fetchall()  # noqa: S608
    return {row[:6]: row[6:] for row in rows if any(row[6:])}


def recount(owner: psycopg.Connection) -> Counts:
    """What the counts should say, from the answers themselves."""
    found: dict[Any, Counter[int]] = {}
    for row in owner.execute(f"SELECT {ROW}, score FROM responses"):  # noqa: S608
        found.setdefault(row[:6], Counter())[row[6]] += 1
    return {key: tuple(scores[score] for score in range(11)) for key, scores in found.items()}


def stored_answers(owner: psycopg.Connection) -> list[tuple[int, str | None]]:
    """Score and comment of every answer there is, in no order that means anything."""
    rows = owner.execute("SELECT score, comment FROM responses ORDER BY id").fetchall()
    return [(row[0], row[1]) for row in rows]
