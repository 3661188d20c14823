"""Create, edit, publish, close; what the first answer freezes."""

import asyncio
import uuid
from typing import Any

import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.foundation.errors import Conflict, NotFound
from app.surveys.actions import (
    close_survey,
    create_survey,
    edit_survey,
    make_version,
    mark_answered,
    publish_survey,
)
from app.surveys.dimensions import add_values, remove_dimension
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


async def test_every_act_leaves_its_mark(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    survey_id = await make(database, cast)
    await edit(database, cast, survey_id, name="Autumn")
    async with database.transaction(cast.acme) as session:
        await publish_survey(session, cast.acme, SYSTEM, survey_id)
        await publish_survey(session, cast.acme, SYSTEM, survey_id)
        await close_survey(session, cast.acme, SYSTEM, survey_id)
    rows = owner.execute("SELECT action FROM audit_events ORDER BY happened_at").fetchall()
    assert [action for (action,) in rows] == [
        "survey.created",
        "survey.edited",
        "survey.published",
        "survey.closed",
    ]


async def test_a_draft_is_reworded_in_place(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast)
    before = await read(database, cast, survey_id)
    await edit(database, cast, survey_id, subject={"en": "Acme Cloud"})
    after = await read(database, cast, survey_id)
    assert after.version_id == before.version_id
    assert after.wording["en"]["question"].startswith("How likely are you to recommend Acme Cloud ")
    assert after.wording["ja"] == before.wording["ja"]


async def test_a_form_that_may_be_open_keeps_its_wording(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast)
    async with database.transaction(cast.acme) as session:
        await publish_survey(session, cast.acme, SYSTEM, survey_id)
    before = await read(database, cast, survey_id)
    await edit(database, cast, survey_id, subject="Acme Cloud")
    after = await read(database, cast, survey_id)
    assert after.version_id != before.version_id
    assert after.version_number == 2


FROZEN: list[dict[str, Any]] = [
    {"subject": "Other"},
    {"wording": {"en": {"question": "Do you like {X}?"}}},
    {"wording": {"ja": {"purpose": "ほかの目的"}}},
    {"languages": ["en"]},
    {"min_group_size": 3},
    {"min_group_size": 10},
    {"retention_months": 120},
    {"privacy_url": "https://elsewhere.example"},
]


async def test_the_first_answer_freezes_wording_and_promise(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast)
    await answer(database, cast, survey_id)
    before = await read(database, cast, survey_id)
    assert before.has_answers
    for given in FROZEN:
        with pytest.raises(Conflict) as refused:
            await edit(database, cast, survey_id, **given)
        named = {param.name for param in refused.value.invalid_params}
        assert named <= {*given, "wording"}, given
        assert named
    assert await read(database, cast, survey_id) == before
    # What was promised to nobody, and what changes nothing, may still be said.
    await edit(
        database,
        cast,
        survey_id,
        name="Autumn",
        contact="ask@acme.example",
        closes_on="2030-01-01",
        default_language="ja",
        min_group_size=5,
    )
    after = await read(database, cast, survey_id)
    assert (after.name, after.default_language) == ("Autumn", "ja")
    assert after.version_id == before.version_id


async def test_a_new_version_words_an_answered_survey_anew(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast)
    await answer(database, cast, survey_id)
    before = await read(database, cast, survey_id)
    async with database.transaction(cast.acme) as session:
        given = VersionInput(subject={"en": "Acme Cloud"}, wording={"en": {"low_label": "Never"}})
        await make_version(session, cast.acme, SYSTEM, survey_id, given)
    after = await read(database, cast, survey_id)
    assert after.version_number == before.version_number + 1
    assert after.wording["en"]["low_label"] == "Never"
    assert "Acme Cloud" in after.wording["en"]["question"]
    assert after.wording["en"]["purpose"] == before.wording["en"]["purpose"]
    given = VersionInput(wording={"en": {"purpose": "To sell {X} to you."}})
    async with database.transaction(cast.acme) as session:
        with pytest.raises(Conflict) as refused:
            await make_version(session, cast.acme, SYSTEM, survey_id, given)
    assert [param.name for param in refused.value.invalid_params] == ["wording.en.purpose"]


async def test_dimensions_go_only_before_the_first_answer(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast, dimensions=[PLAN])
    await answer(database, cast, survey_id)
    async with database.transaction(cast.acme) as session:
        with pytest.raises(Conflict):
            await remove_dimension(session, cast.acme, SYSTEM, survey_id, "plan")
    async with database.transaction(cast.acme) as session:
        await add_values(session, cast.acme, SYSTEM, survey_id, "plan", [ValueInput(key="team")])
    (plan,) = (await read(database, cast, survey_id)).dimensions
    assert [value.key for value in plan.values] == ["pro", "free", "team"]
    assert plan.source is DimensionSource.LINK


async def test_an_edit_waits_for_the_first_answer_and_is_refused(
    database: Database, cast: Cast
) -> None:
    survey_id = await make(database, cast)
    async with database.transaction(cast.acme) as session:
        await mark_answered(session, cast.acme, survey_id)
        editing = asyncio.create_task(edit(database, cast, survey_id, min_group_size=3))
        done, _pending = await asyncio.wait([editing], timeout=0.5)
        assert not done, "the edit read a state that was about to change"
    with pytest.raises(Conflict):
        await editing
    assert (await read(database, cast, survey_id)).min_group_size == 5


async def test_the_first_answer_waits_for_an_edit(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast)
    async with database.transaction(cast.acme) as session:
        await edit_survey(session, cast.acme, SYSTEM, survey_id, SurveyChanges(min_group_size=7))
        answering = asyncio.create_task(answer(database, cast, survey_id))
        done, _pending = await asyncio.wait([answering], timeout=0.5)
        assert not done, "an answer was taken under a promise that was about to change"
    await answering
    after = await read(database, cast, survey_id)
    assert (after.min_group_size, after.has_answers) == (7, True)


async def test_another_workspace_is_out_of_reach(database: Database, cast: Cast) -> None:
    survey_id = await make(database, cast)
    async with database.transaction(cast.globex) as session:
        await mark_answered(session, cast.globex, survey_id)
        with pytest.raises(NotFound):
            await publish_survey(session, cast.globex, SYSTEM, survey_id)
        with pytest.raises(NotFound):
            await edit_survey(session, cast.globex, SYSTEM, survey_id, SurveyChanges(name="x"))
        # Even where the caller names the wrong workspace, row-level security shows nothing.
        with pytest.raises(NotFound):
            await get_questionnaire(session, cast.acme, survey_id)
    assert not (await read(database, cast, survey_id)).has_answers
