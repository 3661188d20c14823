"""Months are published by a job too, and come out as if somebody had looked."""

from datetime import timedelta

import httpx
import psycopg
import pytest

from app.foundation import clock
from app.foundation.database import Database
from app.reporting.decisions import Decisions
from app.reporting.jobs import publish_months
from tests.conftest import count_lookers
from tests.reporting.conftest import FREE_IN_JUNE, FREE_IN_MAY
from tests.reporting.data import NOW
from tests.reporting.test_metrics_api import metrics
from tests.responses.scene import Scene

FIGURES = (
    "SELECT first_month, last_month, labels::text, promoters, passives, detractors, scores::text "
    "FROM published_figures ORDER BY 1, 2, 3"
)
LATER = NOW + timedelta(days=35)


async def test_a_survey_younger_than_its_answers_waits_for_somebody_to_look(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    assert await publish_months(database) == 0
    closed = owner.execute(
        "SELECT count(*) FROM editions WHERE survey_id = %s AND closed_through IS NOT NULL",
        [scene.survey_id],
    ).fetchone()
    assert closed == (0,)


async def test_what_the_job_publishes_is_what_a_look_would(
    database: Database, scene: Scene, owner: psycopg.Connection, acme_reader: httpx.AsyncClient
) -> None:
    with clock.fixed(LATER):
        await metrics(acme_reader, scene, group_by="plan")
        by_looking = owner.execute(FIGURES).fetchall()
        assert by_looking
        owner.execute("DELETE FROM editions")
        assert not owner.execute(FIGURES).fetchall()
        assert await publish_months(database) == 1
        assert owner.execute(FIGURES).fetchall() == by_looking
        found = await metrics(acme_reader, scene, **{"segment.plan": "free"})
        assert found["response_count"] == len(FREE_IN_MAY + FREE_IN_JUNE)
        await publish_months(database)
        assert owner.execute(FIGURES).fetchall() == by_looking, "once is enough"


async def test_while_a_month_is_decided_no_count_is_kept_as_it_was(
    scene: Scene,
    owner: psycopg.Connection,
    acme_reader: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lookers, decide = [], Decisions.close_all

    def watched(decisions: Decisions, first: int | None, last: int) -> None:
        lookers.append(count_lookers(owner))
        decide(decisions, first, last)

    monkeypatch.setattr(Decisions, "close_all", watched)
    with clock.fixed(LATER):
        await metrics(acme_reader, scene, group_by="plan")
    assert lookers == [0]
