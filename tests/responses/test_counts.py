"""apply_count_changes: many writers on the same rows, up and down, neither lost nor locked."""

import asyncio
import random
import uuid
from collections import Counter
from datetime import date, timedelta

import psycopg

from app.foundation.database import Database
from app.responses.counts import CountKey, RowKey, apply_count_changes
from app.responses.models import Standing
from app.responses.segment_sets import LabelSet, ensure_segment_sets
from app.surveys.models import Channel
from tests.responses.scene import Scene, stored_counts

WRITERS = 6
ROUNDS = 25


def keys_of(scene: Scene, set_ids: list[uuid.UUID]) -> list[CountKey]:
    return [
        CountKey(
            scene.survey_id, date(2026, 1, 1) + timedelta(days=day), set_id, language,
            Channel.LINK, standing, score,
        )
        for day in range(3)
        for set_id in set_ids
        for language in ("en", "ja")
        for standing in (Standing.COUNTED, Standing.EXCLUDED)
        for score in (0, 9)
    ]  # fmt: skip


async def test_writers_on_the_same_rows_neither_deadlock_nor_lose_a_change(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    sets = [LabelSet(scene.survey_id, labels) for labels in ({}, {"plan": "pro"})]
    async with database.transaction(scene.workspace_id) as session:
        await ensure_segment_sets(session, scene.workspace_id, sets)
    keys = keys_of(scene, [label_set.id for label_set in sets])
    expected: Counter[CountKey] = Counter()

    async def write(seed: int) -> None:
        """Raise some counts, some of them new rows, and take back what this writer raised."""
        chance = random.Random(seed)
        mine: Counter[CountKey] = Counter()
        for _round in range(ROUNDS):
            changes = Counter(chance.choices(keys, k=12))
            changes.subtract(chance.sample(sorted(mine.elements()), k=min(5, mine.total())))
            async with database.transaction(scene.workspace_id) as session:
                await apply_count_changes(session, scene.workspace_id, changes)
            mine.update(changes)
            assert min(mine.values()) >= 0
        expected.update(mine)

    await asyncio.gather(*map(write, range(WRITERS)))
    by_row: dict[RowKey, list[int]] = {}
    for key, number in expected.items():
        by_row.setdefault(key.row, [0] * 11)[key.score] += number
    assert stored_counts(owner) == {
        tuple(row): tuple(numbers) for row, numbers in by_row.items() if any(numbers)
    }


async def test_changes_that_cancel_out_touch_no_row(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    [key, *_others] = keys_of(scene, [uuid.uuid4()])
    async with database.transaction(scene.workspace_id) as session:
        await apply_count_changes(session, scene.workspace_id, {key: 0})
        await apply_count_changes(session, scene.workspace_id, {})
    assert owner.execute("SELECT count(*) FROM daily_counts").fetchone() == (0,)
