"""Create, edit, publish, close; what the first answer freezes."""

import asyncio
import uuid

import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.foundation.errors import Conflict, Invalid, NotFound
from app.surveys.actions import (
    close_survey,
    create_survey,
    edit_survey,
    make_version,
    mark_answered,
    publish_survey,
)
from app.surveys.inputs import DimensionInput, SurveyChanges, SurveyInput, ValueInput, VersionInput
from app.surveys.models import DimensionSource, Survey, SurveyState
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire
from tests.factories import Cast

PLAN = DimensionInput(
    key="plan",
    label={"en": "Plan", "ja": "プラン"},
    values=[ValueInput(key="pro", label={"en": "Pro", "ja": "プロ"}), ValueInput(key="free")],
)


async def make(database: Database, cast: Cast, **given: object) -> uuid.UUID:
    fields = {
        "name": "Spring",
        "subject": {"en": "Acme", "ja": "アクメ"},
        "languages": ["en", "ja"],
    }
    survey_input = SurveyInput.model_validate({**fields, **given})
    async with database.transaction(cast.acme) as session:
        return (await create_survey(session, cast.acme, SYSTEM, survey_input)).id


async def edit(database: Database, cast: Cast, survey_id: uuid.UUID, **given: object) -> Survey:
    changes = SurveyChanges.model_validate(given)
    async with database.transaction(cast.acme) as session:
        return await edit_survey(session, cast.acme, SYSTEM, survey_id, changes)


async def read(database: Database, cast: Cast, survey_id: uuid.UUID) -> Questionnaire:
    async with database.transaction(cast.acme) as session:
        return await get_questionnaire(session, cast.acme, survey_id)


async def answer(database: Database, cast: Cast, survey_id: uuid.UUID) -> None:
    async with database.transaction(cast.acme) as session:
        await mark_answered(session, cast.acme, survey_id)


async def test_only_name_and_subject_have_to_be_said(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast, subject="Acme Cloud", languages=["en"])
    asked = await read(database, cast, survey_id)
    assert asked.state is SurveyState.DRAFT
    assert (asked.min_group_size, asked.retention_months, asked.default_language) == (5, 24, "en")
    assert asked.wording["en"]["question"] == (
        "How likely are you to recommend Acme Cloud to a friend or colleague?"
    )
    assert asked.wording["en"]["purpose"] == "Your answer is used only to improve Acme Cloud."
    assert not asked.has_answers
