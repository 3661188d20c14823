"""A month past its retention: everybody's figures stay right, nothing small stays by label."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import httpx
import psycopg
import pytest

from app.foundation import clock
from app.foundation.database import Database
from app.reporting.buckets import Interval, Period, add_months, month_end
from app.reporting.filters import ReportFilter
from app.reporting.jobs import roll_up_months
from app.reporting.metrics import Metrics, measure
from app.reporting.publication import publish
from app.reporting.queries import load_daily_totals
from app.responses.jobs import enforce_retention
from app.responses.models import Standing
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from app.surveys.queries import get_questionnaire
from tests.factories import Cast
from tests.reporting.data import Answer, make_survey
from tests.responses.scene import DIMENSIONS, Scene, stored_counts

FIRST = date(2023, 1, 1)
MONTHS = 12
LATER = datetime(2030, 1, 10, 3, tzinfo=UTC)  # everything is past its 24 months
# Tokyo, 10 July 2025: kept are the days from 10 July 2023 on, hence January to June are over.
BETWEEN = datetime(2025, 7, 10, 3, tzinfo=UTC)
FIRST_KEPT_MONTH = date(2023, 7, 1)
EVERYTHING = Period(None, None)


def _answers(seed: int) -> list[Answer]:
    random = Random(seed)
    return [
        Answer(
            FIRST + timedelta(days=random.randrange(365)),
            random.randrange(11),
            {"plan": random.choice(["free", "pro"]), "region": random.choice(["east", "west"])},
            language=random.choice(["en", "ja"]),
            channel=random.choice([Channel.LINK, Channel.QR]),
            standing=random.choice([Standing.COUNTED] * 3 + [Standing.HELD]),
        )
        for _number in range(150)
    ]


async def _run_jobs(database: Database, moment: datetime) -> int:
    with clock.fixed(moment):
        return await enforce_retention(database) + await roll_up_months(database)


async def _figures(database: Database, scene: Scene) -> list[Sequence[int]]:
    """Counts of everybody in every stretch of whole months, by standing."""
    async with database.transaction(scene.workspace_id) as session:
        totals = await load_daily_totals(session, scene.workspace_id, scene.survey_id, EVERYTHING)
    stretches = [
        Period(add_months(FIRST, since), month_end(add_months(FIRST, until)))
        for since in range(MONTHS)
        for until in range(since, MONTHS)
    ]
    return [
        totals.within(period, standing).counts
        for period in [EVERYTHING, *stretches]
        for standing in Standing
    ]


async def _measure(database: Database, scene: Scene, asked: ReportFilter) -> Metrics:
    async with database.transaction(scene.workspace_id) as session:
        questionnaire = await get_questionnaire(session, scene.workspace_id, scene.survey_id)
        return await measure(session, questionnaire, asked)


@pytest.mark.parametrize("seed", range(3))
async def test_whole_months_count_the_same_before_and_after(
    database: Database, cast: Cast, owner: psycopg.Connection, seed: int
) -> None:
    scene = await make_survey(database, cast.acme, _answers(seed))
    before = await _figures(database, scene)
    assert await _run_jobs(database, BETWEEN) > 0
    assert await _figures(database, scene) == before
    assert {day.replace(day=1) for _survey, day, *_rest in stored_counts(owner)} == {
        add_months(FIRST_KEPT_MONTH, ahead) for ahead in range(6)
    }
    assert await _run_jobs(database, BETWEEN) == 0, "once is enough"
    assert await _run_jobs(database, LATER) > 0
    assert await _figures(database, scene) == before
    assert stored_counts(owner) == {}


async def test_a_month_is_one_point_and_counts_as_a_whole_only(
    database: Database, cast: Cast
) -> None:
    days = [date(2023, 3, 5), date(2023, 3, 20), date(2023, 8, 1)]
    scene = await make_survey(database, cast.acme, [Answer(day, 10) for day in days])
    await _run_jobs(database, BETWEEN)
    with clock.fixed(BETWEEN):
        everything = await _measure(
            database, scene, ReportFilter(scene.survey_id, interval=Interval.MONTH)
        )
        cut = await _measure(
            database,
            scene,
            ReportFilter(
                scene.survey_id,
                since=date(2023, 3, 10),
                until=date(2023, 8, 31),
                interval=Interval.WEEK,
            ),
        )
    assert cut.series[0].period.since == date(2023, 4, 3), "a week of March would seem empty"
    sizes = [point.figures.counts.total for point in everything.series if point.figures]
    assert sizes[:6] == [2, 0, 0, 0, 0, 1]
    assert not everything.is_month_cut
    assert cut.figures is not None
    assert cut.figures.counts.total == 1
    assert cut.is_month_cut, "the page says that answers are missing"
    assert cut.change is None, "no comparison with a period of which only a part is known"


async def test_page_and_api_say_that_a_month_is_cut(
    database: Database, cast: Cast, as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient
) -> None:
    scene = await make_survey(database, cast.acme, [Answer(date(2023, 3, 5), 10)])
    await _run_jobs(database, BETWEEN)
    survey = f"survey_id={scene.survey_id}"
    for since, is_cut in (("2023-03-02", True), ("2023-03-01", False)):
        page = await as_bob.get(
            f"/w/{cast.acme}/surveys/{scene.survey_id}?since={since}&until=2023-12-31"
        )
        assert ("This period cuts a month" in page.text) is is_cut
        figures = await acme_reader.get(f"/api/v1/metrics?{survey}&since={since}&until=2023-12-31")
        assert figures.json()["is_month_cut"] is is_cut
        assert figures.json()["response_count"] == (0 if is_cut else 1)


async def test_two_runs_at_once_count_nothing_twice(database: Database, cast: Cast) -> None:
    scene = await make_survey(database, cast.acme, _answers(4))
    before = await _figures(database, scene)
    with clock.fixed(LATER):
        await enforce_retention(database)
        await asyncio.gather(*(roll_up_months(database) for _run in range(3)))
    assert await _figures(database, scene) == before


async def test_answers_that_come_years_late_join_the_total(database: Database, cast: Cast) -> None:
    scene = await make_survey(database, cast.acme, [Answer(date(2023, 3, 5), 10)])
    await _run_jobs(database, LATER)
    async with database.transaction(cast.acme) as session:
        late = NewAnswer(
            scene.survey_id, scene.version_id, 0, None, "en", Channel.API, date(2023, 3, 9)
        )
        await store_answers(session, cast.acme, [late])
    await _run_jobs(database, LATER)
    async with database.transaction(cast.acme) as session:
        totals = await load_daily_totals(session, cast.acme, scene.survey_id, EVERYTHING)
    assert totals.within(EVERYTHING).counts == (1, *[0] * 9, 1)


async def test_a_hold_keeps_the_months_as_they_are(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    scene = await make_survey(database, cast.acme, _answers(5))
    before = await _figures(database, scene)
    owner.execute("UPDATE surveys SET held_since = '2024-12-24'")
    counts = stored_counts(owner)
    assert await _run_jobs(database, LATER) == 0
    assert stored_counts(owner) == counts
    owner.execute("UPDATE surveys SET held_since = NULL")
    assert await _run_jobs(database, LATER) > 0
    assert await _figures(database, scene) == before
    assert stored_counts(owner) == {}


async def test_a_months_end_is_the_workspaces(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    """In Tokyo it is 1 August 2025 already: all of July 2023 is over."""
    await make_survey(database, cast.acme, [Answer(date(2023, 7, 31), 10)])
    assert await _run_jobs(database, datetime(2025, 7, 31, 14, 59, tzinfo=UTC)) == 0
    assert await _run_jobs(database, datetime(2025, 7, 31, 15, tzinfo=UTC)) > 0
    assert owner.execute("SELECT month, score_10 FROM month_totals").fetchall() == [
        (date(2023, 7, 1), 1)
    ]


LABELLED = ("channel", "labels", "language", "segment_set_id")
DECLARED = {"segment_dimensions", "segment_values", "survey_links"}  # not what anybody answered


async def test_nothing_below_the_minimum_is_left_by_label(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    """Looks at every table that could hold a label of an answer."""
    scene = await make_survey(database, cast.acme, _answers(6))
    with clock.fixed(LATER):
        await _publish(database, scene)
    assert _widths(owner) == {1, 2}, "else there is nothing to go"
    await _run_jobs(database, LATER)
    tables = {
        name
        for (name,) in owner.execute(
            "SELECT table_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = ANY(%s)",
            [list(LABELLED)],
        )
    }
    assert tables >= {"responses", "daily_counts", "closed_counts", "segment_sets"}
    left = {
        name
        for name in tables - DECLARED
        if owner.execute(f"SELECT FROM {name} WHERE workspace_id = %s", [cast.acme]).rowcount
    }
    assert left == {"published_figures"}
    assert _widths(owner) == {1}
    sizes = owner.execute("SELECT promoters + passives + detractors FROM published_figures")
    assert all(size >= 5 for (size,) in sizes)


async def test_what_nobody_looked_at_is_published_before_it_goes(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    """The figures of single labels are those that somebody who looked in time would have seen."""
    looked, unseen = [
        await make_survey(database, cast.acme, _answers(7), slug=slug) for slug in ("a", "b")
    ]
    with clock.fixed(LATER):
        await _publish(database, looked)
    await _run_jobs(database, LATER)
    assert _published(owner, unseen) == _published(owner, looked)
    assert len(_published(owner, unseen)) > 10


async def test_what_is_published_month_by_month_holds_all_of_its_months(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    """With a retention of a month nearly nothing is known of what lies before the last block."""
    answers = _answers(8)
    await make_survey(database, cast.acme, answers)
    owner.execute("UPDATE surveys SET retention_months = 1")
    checked = set()
    for ahead in range(1, MONTHS + 2):
        month = add_months(FIRST, ahead)
        await _run_jobs(database, datetime(month.year, month.month, 10, tzinfo=UTC))
        for labels, first, last, size in owner.execute(
            "SELECT labels, first_month, last_month, promoters + passives + detractors"
            " FROM published_figures"
        ):
            assert size == _count(answers, labels, first, last), (labels, first, last)
            checked.add(len(labels))
    assert checked == {1, 2}


def _count(answers: Sequence[Answer], labels: Mapping[str, str], first: date, last: date) -> int:
    return sum(
        answer.standing is Standing.COUNTED
        and first <= answer.day <= month_end(last)
        and labels.items() <= _labels(answer).items()
        for answer in answers
    )


def _labels(answer: Answer) -> dict[str, str]:
    segments = {f"segment.{key}": answer.labels.get(key, "none") for key in DIMENSIONS}
    return {**segments, "language": answer.language, "channel": answer.channel.value}


async def _publish(database: Database, scene: Scene) -> None:
    async with database.transaction(scene.workspace_id) as session:
        questionnaire = await get_questionnaire(session, scene.workspace_id, scene.survey_id)
        await publish(session, questionnaire, clock.today(questionnaire.time_zone))


def _widths(owner: psycopg.Connection) -> set[int]:
    return {width for (width,) in owner.execute("SELECT width FROM published_figures")}


def _published(owner: psycopg.Connection, scene: Scene) -> list[tuple[object, ...]]:
    return owner.execute(
        "SELECT labels::text, first_month, last_month, promoters, passives, detractors "
        "FROM published_figures WHERE survey_id = %s ORDER BY 1, 2",
        [scene.survey_id],
    ).fetchall()
