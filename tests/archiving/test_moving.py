"""A workspace that moved answers every question as it did before."""

import random
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.audit_queries import AuditFilter, list_audit_events
from app.accounts.audit_verification import verify_audit_log
from app.accounts.models import Scope, Workspace
from app.accounts.queries import list_members
from app.archiving.writing import write_archive
from app.demo.loading import open_demo
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import StartupError
from app.foundation.settings import Settings
from app.responses.models import Standing
from app.surveys.models import Channel, SurveyLink
from tests.archiving.conftest import NEW_OWNER, restore
from tests.conftest import browser, program
from tests.factories import Cast, make_api_key
from tests.reporting.data import NOW, TODAY, Answer, make_survey

Picture = dict[str, Any]


@asynccontextmanager
async def _reader(
    app: FastAPI, settings: Settings, workspace_id: uuid.UUID
) -> AsyncIterator[httpx.AsyncClient]:
    database: Database = app.state.database
    async with database.transaction() as session:
        key = await make_api_key(session, settings, workspace_id, [Scope.READ])
    async with program(app, key) as client:
        yield client


async def _picture(client: httpx.AsyncClient) -> Picture:
    """Every figure and list that the API gives of the workspace's surveys."""
    surveys = (await client.get("/api/v1/surveys")).json()["data"]
    found: Picture = {"surveys": [_without_host(survey) for survey in surveys]}
    for survey in surveys:
        detail = (await client.get(f"/api/v1/surveys/{survey['id']}")).json()
        found[survey["id"]] = _without_host(detail)
        splits = [dimension["key"] for dimension in detail["dimensions"]] + ["language", "channel"]
        for split in splits:
            found[f"{survey['id']} by {split}"] = await _metrics(
                client, survey["id"], {"group_by": split, "interval": "month"}
            )
        for filters in _filters(detail):
            asked = {**filters, "interval": "quarter", "group_by": "language"}
            found[f"{survey['id']} {filters}"] = await _metrics(client, survey["id"], asked)
            found[f"{survey['id']} {filters} list"] = await _list(client, survey["id"], filters)
    return found


def _filters(detail: Mapping[str, Any]) -> list[dict[str, str]]:
    values = [
        {f"segment.{dimension['key']}": value["key"]}
        for dimension in detail["dimensions"]
        for value in [*dimension["values"][:2], {"key": "other"}, {"key": "none"}]
    ]
    languages = [{"language": language} for language in detail["languages"]]
    return [{}, *values, *languages, {"channel": "link"}, {"channel": "qr"}]


def _without_host(survey: Mapping[str, Any]) -> dict[str, Any]:
    return {**survey, "url": survey["url"].rpartition("/")[2]}


async def _metrics(client: httpx.AsyncClient, survey_id: str, query: dict[str, str]) -> object:
    answer = await client.get("/api/v1/metrics", params={"survey_id": survey_id, **query})
    # A subgroup by days is refused alike; the number of the request differs.
    return answer.json() if answer.status_code == 200 else answer.status_code


async def _list(client: httpx.AsyncClient, survey_id: str, query: dict[str, str]) -> object:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        path = f"/api/v1/surveys/{survey_id}/responses"
        answer = await client.get(path, params={**query, **cursor, "limit": "200"})
        page = answer.json()
        rows += page["data"]
        if page["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": page["meta"]["next_cursor"]}
    if query:
        # The aliases of answers in a subgroup follow from the secret key, and the order from them.
        rows = sorted(({**row, "id": None} for row in rows), key=str)
    return rows, page["meta"]["suppressed"]


def _random_answers(seed: int) -> list[Answer]:
    chosen = random.Random(seed)
    labels = list(
        product((None, "free", "pro"), (None, "young", "old"), (None, "east", "west", "other"))
    )
    answers = []
    for at in range(chosen.randrange(40, 400)):
        plan, age, region = chosen.choice(labels)
        segments = {"plan": plan, "age": age, "region": region}
        answers.append(
            Answer(
                TODAY - timedelta(days=chosen.randrange(200)),
                chosen.randrange(11),
                {key: value for key, value in segments.items() if value},
                chosen.choice((None, f"=SUM({at})", 'line\nbreak "quoted" \\n', "ありがとう 🎉")),
                chosen.choice(("en", "ja")),
                chosen.choice((Channel.LINK, Channel.QR, Channel.API)),
                Standing.HELD if chosen.random() < 0.1 else Standing.COUNTED,
            )
        )
    return answers


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_random_survey_moves_with_equal_figures(
    seed: int, app: FastAPI, settings: Settings, database: Database, cast: Cast,
    app_elsewhere: FastAPI, settings_elsewhere: Settings, elsewhere: Database, tmp_path: Path,
) -> None:  # fmt: skip
    with clock.fixed(NOW):
        await make_survey(database, cast.acme, _random_answers(seed))
        async with _reader(app, settings, cast.acme) as client:
            before = await _picture(client)
        written = await write_archive(database, cast.acme, tmp_path / "acme.zip")
        assert await restore(elsewhere, tmp_path / "acme.zip") == written
        async with _reader(app_elsewhere, settings_elsewhere, cast.acme) as client:
            assert await _picture(client) == before


async def test_the_demo_moves_with_equal_figures_and_lists(
    app: FastAPI, settings: Settings, database: Database,
    app_elsewhere: FastAPI, settings_elsewhere: Settings, elsewhere: Database, tmp_path: Path,
) -> None:  # fmt: skip
    with clock.fixed(NOW):
        await open_demo(database, settings)
        async with database.transaction() as session:
            workspace = (await session.scalars(select(Workspace))).one()
        async with _reader(app, settings, workspace.id) as client:
            before = await _picture(client)
            survey = before["surveys"][0]["id"]
            assert before[f"{survey} {{}}"]["response_count"] == 3851
            assert len(before[f"{survey} {{}} list"][0]) == 3851
        await write_archive(database, workspace.id, tmp_path / "demo.zip")
        await restore(elsewhere, tmp_path / "demo.zip")
        async with _reader(app_elsewhere, settings_elsewhere, workspace.id) as client:
            assert await _picture(client) == before
        # A demo may be opened there as well; what came from elsewhere is not taken for it.
        await open_demo(elsewhere, settings_elsewhere)


async def test_every_archived_row_is_the_same_there(
    database: Database, cast: Cast, settings: Settings,
    elsewhere: Database, settings_elsewhere: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    await make_survey(database, cast.acme, _random_answers(4))
    await write_archive(database, cast.acme, tmp_path / "acme.zip")
    await restore(elsewhere, tmp_path / "acme.zip")
    for table in ("responses", "daily_counts", "segment_sets", "surveys", "survey_versions"):
        query = f"SELECT t::text FROM {table} AS t WHERE workspace_id = %s ORDER BY 1"  # noqa: S608
        rows = []
        for found in (settings, settings_elsewhere):
            url = found.database_owner_url.replace("+psycopg", "")
            with psycopg.connect(url) as connection:
                rows.append(connection.execute(query.encode(), [cast.acme]).fetchall())
        assert rows[0]
        assert rows[0] == rows[1]


async def test_links_lead_to_the_form_and_answers_come_in(
    database: Database, cast: Cast, app_elsewhere: FastAPI, elsewhere: Database, tmp_path: Path
) -> None:
    scene = await make_survey(database, cast.acme)
    await write_archive(database, cast.acme, tmp_path / "acme.zip")
    async with browser(app_elsewhere) as visitor:
        assert (await visitor.get(f"/s/{scene.slug}")).status_code == 404
        await restore(elsewhere, tmp_path / "acme.zip")
        assert (await visitor.get(f"/s/{scene.slug}")).status_code == 200


async def test_the_audit_log_goes_on_unbroken_under_a_new_owner(
    database: Database, cast: Cast, elsewhere: Database, tmp_path: Path
) -> None:
    await make_survey(database, cast.acme)
    await write_archive(database, cast.acme, tmp_path / "acme.zip")
    await restore(elsewhere, tmp_path / "acme.zip")
    assert (await _audited(database, cast.acme))[0] == "workspace.archived"
    actions = await _audited(elsewhere, cast.acme)
    assert sorted(actions[:2]) == ["member.added", "workspace.unarchived"]
    assert actions[2] == "workspace.archived"
    async with elsewhere.transaction(cast.acme) as session:
        members = await list_members(session, cast.acme)
    assert [(member.email, member.role.value) for member in members] == [(NEW_OWNER, "owner")]


async def _audited(database: Database, workspace_id: uuid.UUID) -> list[str]:
    """What was done, the latest first, from a log that is intact."""
    report = await verify_audit_log(database, workspace_id)
    async with database.transaction(workspace_id) as session:
        page = await list_audit_events(session, workspace_id, AuditFilter(), 50)
    assert report.fault is None
    assert report.intact.number == len(page.rows)
    return [entry.event.action for entry in page.rows]


async def test_a_workspace_that_is_here_is_not_overwritten(
    database: Database, cast: Cast, tmp_path: Path
) -> None:
    await write_archive(database, cast.acme, tmp_path / "acme.zip")
    with pytest.raises(StartupError, match=r"This workspace is here already: 'Acme'"):
        await restore(database, tmp_path / "acme.zip")


async def test_a_link_of_somebody_else_stays_theirs(
    database: Database, cast: Cast, elsewhere: Database, tmp_path: Path
) -> None:
    scene = await make_survey(database, cast.acme)
    await write_archive(database, cast.acme, tmp_path / "acme.zip")
    async with elsewhere.transaction() as session:
        other = Workspace(name="Other", time_zone="UTC", locale="en", created_at=clock.now())
        session.add(other)
    await make_survey(elsewhere, other.id)
    with pytest.raises(StartupError, match=f"The link /s/{scene.slug} leads to another workspace"):
        await restore(elsewhere, tmp_path / "acme.zip")
    async with elsewhere.transaction(cast.acme) as session:
        assert await session.get(Workspace, cast.acme) is None
        links = select(SurveyLink).where(SurveyLink.workspace_id == cast.acme)
        assert (await session.scalars(links)).all() == []
