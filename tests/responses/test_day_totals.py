"""Totals of days gone by: always what the counts add up to, whoever changes these meanwhile."""

import asyncio
import random
import uuid
from collections import Counter
from datetime import date, timedelta

import psycopg

from app.foundation import clock
from app.foundation.database import Database
from app.reporting.buckets import Period
from app.reporting.queries import load_daily_totals
from app.responses.counts import CountKey, apply_count_changes
from app.responses.day_totals import MADE_AFTER, list_without_totals, make_totals
from app.responses.jobs import total_days
from app.responses.models import Standing
from app.responses.segment_sets import LabelSet, ensure_segment_sets
from app.surveys.models import Channel
from tests.responses.scene import Scene, make_scene

ALWAYS = Period(None, None)
SCORES = ", ".join(f"sum(score_{score})" for score in range(11))


async def keys_of(database: Database, scene: Scene) -> list[CountKey]:
    """Counts of the days from long ago until today."""
    sets = [LabelSet(scene.survey_id, labels) for labels in ({}, {"plan": "pro"})]
    async with database.transaction(scene.workspace_id) as session:
        await ensure_segment_sets(session, scene.workspace_id, sets)
    today = clock.now().date()
    return [
        CountKey(
            scene.survey_id, today - timedelta(days=days), of.id, "en", Channel.LINK, standing, 9
        )
        for days in (0, 1, 5, 8, 9, 30, 400)
        for of in sets
        for standing in (Standing.COUNTED, Standing.EXCLUDED)
    ]  # fmt: skip


async def change(database: Database, scene: Scene, changes: Counter[CountKey]) -> None:
    async with database.transaction(scene.workspace_id) as session:
        await apply_count_changes(session, scene.workspace_id, changes)


async def total(database: Database, scene: Scene) -> None:
    async with database.transaction(scene.workspace_id) as session:
        await make_totals(session, scene.workspace_id, scene.survey_id)


def sums(owner: psycopg.Connection, table: str, last: date) -> set[tuple[object, ...]]:
    return set(
        owner.execute(
            f"SELECT answered_on, standing, {SCORES} FROM {table} WHERE answered_on <= %s "  # noqa: S608
            "GROUP BY 1, 2 HAVING sum(score_9) > 0",
            [last],
        ).fetchall()
    )


def last_total(owner: psycopg.Connection) -> date:
    row = owner.execute("SELECT max(answered_on) FROM day_totals").fetchone()
    assert row is not None
    assert isinstance(row[0], date)
    return row[0]


async def test_totals_follow_whatever_is_changed_while_they_are_made(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    keys = await keys_of(database, scene)

    async def write(seed: int) -> None:
        chance = random.Random(seed)
        mine: Counter[CountKey] = Counter()
        for _round in range(20):
            changes = Counter(chance.choices(keys, k=6))
            changes.subtract(chance.sample(sorted(mine.elements()), k=min(3, mine.total())))
            await change(database, scene, changes)
            mine.update(changes)

    async def make() -> None:
        for _round in range(20):
            await total(database, scene)

    await asyncio.gather(*map(write, range(4)), make())
    last = last_total(owner)
    assert last < clock.now().date() - MADE_AFTER
    assert sums(owner, "day_totals", last) == sums(owner, "daily_counts", last)


async def test_what_is_read_is_the_same_with_totals_and_without(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    keys = await keys_of(database, scene)
    await change(database, scene, Counter(dict.fromkeys(keys, 3)))
    half = Period(clock.now().date() - timedelta(days=30), clock.now().date() - timedelta(days=6))

    async def read() -> list[object]:
        async with database.transaction(scene.workspace_id) as session:
            return [
                await load_daily_totals(session, scene.workspace_id, scene.survey_id, period)
                for period in (ALWAYS, half)
            ]

    before = await read()
    assert await total_days(database) == 8, "four days, two standings"
    assert await total_days(database) == 0, "nothing has become old since"
    assert await read() == before
    await change(database, scene, Counter({keys[-1]: -1, keys[0]: 1}))
    changed = await read()
    assert changed != before
    owner.execute("DELETE FROM day_totals")
    assert await read() == changed


async def test_history_that_comes_later_is_in_the_totals(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    *_others, old = await keys_of(database, scene)
    await change(database, scene, Counter({old: 5}))
    await total(database, scene)
    earlier = old._replace(answered_on=old.answered_on - timedelta(days=100))
    await change(database, scene, Counter({earlier: 7}))
    assert sums(owner, "day_totals", old.answered_on) == sums(
        owner, "daily_counts", old.answered_on
    )


async def test_a_clock_that_went_ahead_leaves_no_totals_of_days_to_come(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    keys = await keys_of(database, scene)
    await change(database, scene, Counter(dict.fromkeys(keys, 1)))
    with clock.fixed(clock.now() + timedelta(days=60)):
        await total(database, scene)
    assert last_total(owner) == clock.now().date()
    await total(database, scene)
    assert last_total(owner) < clock.now().date() - MADE_AFTER


async def test_totals_of_a_workspace_are_its_own(database: Database, scene: Scene) -> None:
    keys = await keys_of(database, scene)
    await change(database, scene, Counter(keys))
    await total_days(database)
    async with database.transaction(uuid.uuid4()) as session:
        found = await load_daily_totals(session, scene.workspace_id, scene.survey_id, ALWAYS)
    assert not found.days


async def test_one_surveys_totals_do_not_stand_for_anothers(
    database: Database, scene: Scene
) -> None:
    async with database.transaction(scene.workspace_id) as session:
        other = await make_scene(session, scene.workspace_id, "other")
    for one in (scene, other):
        await change(database, one, Counter(await keys_of(database, one)))
    await total(database, scene)
    async with database.transaction(scene.workspace_id) as session:
        assert await list_without_totals(session, scene.workspace_id) == [other.survey_id]
