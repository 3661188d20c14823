"""What one would write at first: FastAPI, an ORM object and a transaction for each answer.

Only a yardstick; it knows one survey, asks for no key and checks no segment values. Run by uvicorn
with the environment that `submit_vs_orm` gives it.
"""

import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.responses.models import SCORES, DailyCount, Response
from app.responses.segment_sets import segment_set_id
from app.surveys.models import Survey, SurveyVersion

WORKSPACE_ID = uuid.UUID(os.environ["BENCH_WORKSPACE"])
engine = create_async_engine(os.environ["BENCH_DATABASE_URL"], pool_size=20, max_overflow=44)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


class Answer(BaseModel):
    """One answer."""

    score: int = Field(ge=0, le=10)
    comment: str | None = None
    segments: dict[str, str] = {}


class Stored(BaseModel):
    """A stored answer."""

    id: uuid.UUID
    score: int
    comment: str | None
    answered_on: date


async def transaction() -> AsyncIterator[AsyncSession]:
    async with sessions() as session, session.begin():
        await session.execute(text(f"SET LOCAL app.workspace_id = '{WORKSPACE_ID}'"))
        yield session


@app.get("/ready")
async def ready() -> str:
    return "ok"


@app.post("/surveys/{survey_id}/responses", status_code=201)
async def record(
    session: Annotated[AsyncSession, Depends(transaction, scope="function")],
    survey_id: uuid.UUID,
    given: Answer,
) -> Stored:
    survey, version_id = (
        await session.execute(
            select(Survey, SurveyVersion.id)
            .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
            .where(Survey.workspace_id == WORKSPACE_ID, Survey.id == survey_id)
        )
    ).one()
    answer = Response(
        workspace_id=WORKSPACE_ID,
        id=uuid.uuid4(),
        survey_id=survey_id,
        version_id=version_id,
        segment_set_id=segment_set_id(survey_id, given.segments),
        score=given.score,
        comment=given.comment,
        language=survey.default_language,
        channel="api",
        answered_on=datetime.now(UTC).date(),
        standing="counted",
    )
    session.add(answer)
    await session.flush()
    await _count(session, answer)
    return Stored.model_validate(answer, from_attributes=True)


async def _count(session: AsyncSession, answer: Response) -> None:
    key = {
        "workspace_id": WORKSPACE_ID,
        "survey_id": answer.survey_id,
        "answered_on": answer.answered_on,
        "segment_set_id": answer.segment_set_id,
        "language": answer.language,
        "channel": answer.channel,
        "standing": answer.standing,
    }
    scores = {f"score_{score}": int(score == answer.score) for score in SCORES}
    column = f"score_{answer.score}"
    await session.execute(
        insert(DailyCount)
        .values(**key, **scores)
        .on_conflict_do_update(
            index_elements=list(key), set_={column: getattr(DailyCount, column) + 1}
        )
    )
