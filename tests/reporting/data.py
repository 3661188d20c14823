"""A survey of Acme with answers, stored the way intake stores them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from app.foundation.database import Database
from app.responses.models import Standing
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.responses.scene import Scene, make_scene

NOW = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)  # noon in Tokyo, Acme's time zone
TODAY = date(2026, 7, 10)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to store."""

    day: date
    score: int
    labels: dict[str, str] = field(default_factory=dict)
    comment: str | None = None
    language: str = "en"
    channel: Channel = Channel.LINK
    standing: Standing = Standing.COUNTED


async def make_survey(
    database: Database,
    workspace_id: uuid.UUID,
    answers: Iterable[Answer] = (),
    slug: str = "cafe",
) -> Scene:
    """A published survey (plan: free, pro; age: young, old; region: east, west; k = 5)."""
    async with database.transaction(workspace_id) as session:
        scene = await make_scene(session, workspace_id, slug)
        stored = [_new_answer(scene, answer) for answer in answers]
        if stored:
            await store_answers(session, workspace_id, stored)
    return scene


def _new_answer(scene: Scene, answer: Answer) -> NewAnswer:
    return NewAnswer(
        survey_id=scene.survey_id,
        version_id=scene.version_id,
        score=answer.score,
        comment=answer.comment,
        language=answer.language,
        channel=answer.channel,
        answered_on=answer.day,
        labels=answer.labels,
        standing=answer.standing,
    )


def spread(month: date, scores: Iterable[int], **labels: str) -> list[Answer]:
    """Answers with those scores, one a day from the first of the month on."""
    return [
        Answer(month.replace(day=1 + at % 28), score, labels, comment=f"{labels} no {at}")
        for at, score in enumerate(scores)
    ]
