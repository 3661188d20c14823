"""Puts the demo story into a workspace of its own, once, and opens its doors at each start."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.api_keys import create_api_key, revoke_keys_named
from app.accounts.models import LinkPurpose, Scope, Workspace
from app.accounts.queries import unscoped_find_user_by_email
from app.accounts.schemas import SYSTEM
from app.accounts.sign_in_links import make_sign_in_link, revoke_sign_in_links
from app.accounts.workspaces import create_owner, create_workspace
from app.demo.story import DEMO_DIMENSIONS, DEMO_SURVEY, DemoAnswer, demo_answers
from app.demo.surroundings import note_surroundings
from app.foundation import clock
from app.foundation.database import Database, enter_workspace
from app.foundation.settings import Settings
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.actions import create_survey, publish_survey
from app.surveys.inputs import DimensionInput, SurveyInput
from app.surveys.models import Channel, SurveyLink
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

TIME_ZONE = "Asia/Tokyo"
OWNER_EMAIL = "owner@demo.example"
KEY_NAME = "Demo"
BATCH_SIZE = 1_000
DEMO_LOCK = 0x6465_6D6F  # "demo"


@dataclass(frozen=True, slots=True)
class DemoAccess:
    """The ways into the demo: the form, a sign-in link good once, and an API key."""

    form_url: str
    sign_in_url: str
    api_key: str


async def open_demo(database: Database, settings: Settings) -> DemoAccess:
    """Load the demo where it is missing; end the last start's link and key and make new ones."""
    async with database.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(DEMO_LOCK)))
        workspace = await session.scalar(select(Workspace).where(Workspace.is_demo).limit(1))
        if workspace is None:
            workspace = await _load(session)
        await enter_workspace(session, workspace.id)
        link = await _first_link(session, workspace.id)
        dashboard = f"/w/{workspace.id}/surveys/{link.survey_id}"
        return DemoAccess(
            form_url=f"{settings.public_url}/s/{link.slug}",
            sign_in_url=await _new_link(session, settings, dashboard),
            api_key=await _new_key(session, settings, workspace.id),
        )


async def _first_link(session: AsyncSession, workspace_id: uuid.UUID) -> SurveyLink:
    """The address of the workspace's oldest survey: the story's, whatever was added since."""
    links = await session.scalars(
        select(SurveyLink)
        .where(SurveyLink.workspace_id == workspace_id, SurveyLink.is_default)
        .order_by(SurveyLink.created_at)
        .limit(1)
    )
    return links.one()


async def _new_link(session: AsyncSession, settings: Settings, dashboard: str) -> str:
    owner = await unscoped_find_user_by_email(session, OWNER_EMAIL)
    assert owner is not None
    await revoke_sign_in_links(session, owner.id, LinkPurpose.SIGN_IN)
    return await make_sign_in_link(session, settings, owner, next_path=dashboard)


async def _new_key(session: AsyncSession, settings: Settings, workspace_id: uuid.UUID) -> str:
    await revoke_keys_named(session, workspace_id, SYSTEM, KEY_NAME)
    _row, token = await create_api_key(
        session, settings, workspace_id, SYSTEM, name=KEY_NAME, scopes=[Scope.READ, Scope.WRITE]
    )
    return token


async def _load(session: AsyncSession) -> Workspace:
    workspace = await create_workspace(
        session, DEMO_SURVEY.company["en"], TIME_ZONE, "en", is_demo=True
    )
    owner = await create_owner(
        session, workspace.id, name="Demo owner", email=OWNER_EMAIL, password=None, locale="en"
    )
    survey = await create_survey(session, workspace.id, SYSTEM, _survey_input())
    survey.shows_steps = False  # it has been through all of them
    await publish_survey(session, workspace.id, SYSTEM, survey.id)
    questionnaire = await get_questionnaire(session, workspace.id, survey.id)
    last_day = clock.today(TIME_ZONE) - timedelta(days=1)
    answers = [_new_answer(questionnaire, answer, last_day) for answer in demo_answers()]
    for start in range(0, len(answers), BATCH_SIZE):
        await store_answers(session, workspace.id, answers[start : start + BATCH_SIZE])
    await note_surroundings(session, workspace.id, survey.id, owner.id, last_day)
    return workspace


def _survey_input() -> SurveyInput:
    return SurveyInput(
        name=DEMO_SURVEY.name,
        subject=dict(DEMO_SURVEY.subject),
        languages=list(DEMO_SURVEY.languages),
        default_language=DEMO_SURVEY.default_language,
        wording={
            language: {
                "purpose": DEMO_SURVEY.purpose[language],
                "thanks": DEMO_SURVEY.thank_you[language],
            }
            for language in DEMO_SURVEY.languages
        },
        privacy_url=DEMO_SURVEY.privacy_url,
        dimensions=[
            DimensionInput.model_validate(
                {
                    "key": dimension.key,
                    "label": dict(dimension.label),
                    "source": dimension.source,
                    "values": [
                        {"key": value.key, "label": dict(value.label)} for value in dimension.values
                    ],
                }
            )
            for dimension in DEMO_DIMENSIONS
        ],
    )


def _new_answer(questionnaire: Questionnaire, answer: DemoAnswer, last_day: date) -> NewAnswer:
    return NewAnswer(
        survey_id=questionnaire.survey_id,
        version_id=questionnaire.version_id,
        score=answer.score,
        comment=answer.comment,
        language=answer.language,
        channel=Channel(answer.channel),
        answered_on=last_day - timedelta(days=answer.days_before_end),
        labels=answer.segments,
    )
