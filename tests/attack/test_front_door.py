"""What a viewer reads over HTTP, while time passes and answers come and go, singles out nobody."""

import random
import uuid
from collections import Counter
from datetime import UTC, date, datetime
from itertools import combinations, pairwise, product
from pathlib import Path

import httpx
import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.reporting.buckets import add_months, month_end, month_number
from app.responses.actions import exclude_response, include_response
from app.responses.csv_reading import CsvFormat, open_csv
from app.responses.erasure import erase_response
from app.responses.import_rows import ImportPlan
from app.responses.importing import import_answers, undo_import
from app.responses.models import DeletionReason
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from app.surveys.queries import get_questionnaire
from tests.attack.knowledge import Knowledge, Sum
from tests.attack.manager import SELECTORS, Labels, Manager, Reading
from tests.factories import Cast
from tests.reporting.data import make_survey
from tests.responses.scene import Scene

MINIMUM = 5
SURVEYS = 2
MONTHS = tuple(date(2026, month, 1) for month in (1, 2, 3))
PLAN = ImportPlan("score", date_column="day", segments={"plan": "plan"}, is_again=True)
Truth = Counter[tuple[date, tuple[str, ...]]]
"""Answers by month and by one value for each selector, as they stood when the month was closed."""


class World:
    """A survey whose months pass."""

    def __init__(self, database: Database, scene: Scene, source: random.Random) -> None:
        self.database, self.scene, self.source = database, scene, source
        self.truth: Truth = Counter()
        self.size = source.choice((12, 30, 60))
        self.weights = {
            name: [source.choice((0.1, 1, 4)) for _value in values]
            for name, values in SELECTORS.items()
        }

    async def answer(self, month: date) -> None:
        """A month's answers."""
        answers = [self._answer(month) for _number in range(self.source.randint(1, self.size))]
        async with self.database.transaction(self.scene.workspace_id) as session:
            await store_answers(session, self.scene.workspace_id, answers)

    def _answer(self, month: date) -> NewAnswer:
        values = {
            name: self.source.choices(SELECTORS[name], weights)[0]
            for name, weights in self.weights.items()
        }
        self.truth[month, tuple(values.values())] += 1
        return NewAnswer(
            survey_id=self.scene.survey_id,
            version_id=self.scene.version_id,
            score=self.source.randint(0, 10),
            comment=None,
            language=values["language"],
            channel=Channel(values["channel"]),
            answered_on=month.replace(day=self.source.randint(1, 28)),
            labels={
                key: values[f"segment.{key}"]
                for key in ("plan", "age")
                if values[f"segment.{key}"] != "none"
            },
        )

    async def come_late(self, folder: Path) -> None:
        """A file with answers of months that are closed, taken back after it was read."""
        rows = [
            f"{self.source.randint(0, 10)},{month},{self.source.choice(('free', 'pro'))}"
            for month in MONTHS[:2]
            for _number in range(self.source.randint(1, 9))
        ]
        path = folder / "late.csv"
        path.write_text("\n".join(["score,day,plan", *rows]))
        async with self.database.transaction(self.scene.workspace_id) as session:
            survey = await get_questionnaire(session, self.scene.workspace_id, self.scene.survey_id)
            report = await import_answers(
                session, survey, SYSTEM, PLAN, open_csv(path, CsvFormat())
            )
        self.late = report.import_id

    async def take_back(self) -> None:
        assert self.late is not None
        async with self.database.transaction(self.scene.workspace_id) as session:
            await undo_import(session, self.scene.workspace_id, SYSTEM, self.late)

    async def change(self, rows: list[str]) -> None:
        """Exclude two answers of closed months, take one of them back in, erase a third."""
        workspace, survey = self.scene.workspace_id, self.scene.survey_id
        one, other, third = self.source.sample([uuid.UUID(row) for row in rows], 3)
        async with self.database.transaction(workspace) as session:
            await exclude_response(session, workspace, SYSTEM, survey, one, "doubtful")
            await exclude_response(session, workspace, SYSTEM, survey, other, "doubtful")
            await include_response(session, workspace, SYSTEM, survey, other)
            await erase_response(session, workspace, third, DeletionReason.API, survey)


@pytest.mark.parametrize("seed", range(SURVEYS))
async def test_nobody_is_singled_out(
    acme_reader: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    database: Database,
    cast: Cast,
    owner: psycopg.Connection,
    tmp_path: Path,
    seed: int,
) -> None:
    with clock.fixed(_noon(MONTHS[0])):
        world = World(database, await make_survey(database, cast.acme), random.Random(seed))
        manager = Manager(acme_reader, as_bob, world.scene, str(cast.acme), MONTHS)
    readings = [await _pass_months(world, manager)]
    with clock.fixed(_noon(add_months(MONTHS[-1], 1), day=20)):
        await world.change([row["id"] for row in readings[0].rows[frozenset()]])
        readings.append(await manager.read(full=False))
        _assert_same(readings[0], readings[1])
        await world.come_late(tmp_path)
        readings.append(await manager.read(full=True, windows=True))
        _assert_doors_agree(readings[2], _published(owner), erased=1)
        await world.take_back()
        readings.append(await manager.read(full=False))
        _assert_same(readings[0], readings[3])
    _assert_differences_are_none_or_enough(readings)
    _assert_rows_are_either_or(readings)
    _assert_nothing_isolated(world, readings[0])
    assert manager.asked > 500


async def _pass_months(world: World, manager: Manager) -> Reading:
    """Each month is answered, ends, settles and is read; what was said before stays said."""
    reading = Reading()
    for month in MONTHS:
        with clock.fixed(_noon(month, day=28)):
            await world.answer(month)
        with clock.fixed(_noon(add_months(month, 1), day=3)):
            later = await manager.read(full=month == MONTHS[-1])
        assert later.totals.items() >= reading.totals.items()
        reading = later
    return reading


def _assert_same(before: Reading, after: Reading) -> None:
    """What is published never moves."""
    assert after.figures
    assert before.figures.items() >= after.figures.items()


def _noon(month: date, day: int = 15) -> datetime:
    return datetime(month.year, month.month, day, 3, tzinfo=UTC)


def _published(owner: psycopg.Connection) -> list[tuple[Labels, date, date, int]]:
    rows = owner.execute(
        "SELECT labels, first_month, last_month, promoters + passives + detractors "
        "FROM published_figures"
    ).fetchall()
    return [
        (frozenset(labels.items()), first, month_end(last), size)
        for labels, first, last, size in rows
    ]


def _assert_doors_agree(
    reading: Reading, published: list[tuple[Labels, date, date, int]], erased: int
) -> None:
    """Each figure is the sum of published rows, and no list or page has more than these."""
    for (labels, runs), sizes in reading.figures.items():
        parts = [
            count
            for of, first, last, count in published
            if of == labels and any(since <= first and last <= until for since, until in runs)
        ]
        assert sizes <= _sums(parts)
        assert min(sizes) >= MINIMUM
    shown = {labels for labels, *_months in published}
    for labels, rows in reading.rows.items():
        whole = sum(size for of, _first, _last, size in published if of == labels)
        assert len(reading.files.get(labels, rows)) == len(rows)
        if labels:
            assert (labels in shown) == bool(rows)
            assert whole - erased <= len(rows) <= whole
    told = set().union(*reading.figures.values()) | set(reading.totals.values())
    for labels, numbers in reading.pages.items():
        small = {number for number in numbers if 0 < number < MINIMUM}
        if labels and labels not in shown:
            assert not numbers - told - {0}, "a hidden group's page has no numbers of its own"
        assert not labels or not small - told - set(range(11))


def _sums(parts: list[int]) -> set[int]:
    return {
        sum(chosen) for width in range(1, len(parts) + 1) for chosen in combinations(parts, width)
    }


def _assert_differences_are_none_or_enough(readings: list[Reading]) -> None:
    """The same question before and after whatever happened."""
    for before, after in pairwise(readings):
        for key in before.figures.keys() & after.figures.keys():
            for one, other in product(before.figures[key], after.figures[key]):
                assert one == other or abs(one - other) >= MINIMUM


def _assert_rows_are_either_or(readings: list[Reading]) -> None:
    """With labels there is no day, and no id or order by which two lists could be joined."""
    for reading in readings:
        seen = {row["id"] for row in reading.rows[frozenset()]}
        assert all("answered_on" in row for row in reading.rows[frozenset()])
        for labels, rows in reading.rows.items():
            if labels:
                assert all(row.keys().isdisjoint({"answered_on", "standing"}) for row in rows)
                assert seen.isdisjoint(row["id"] for row in rows)
                seen |= {row["id"] for row in rows}
                keys = [(_negative(row["month"]), row["id"]) for row in rows]
                assert keys == sorted(keys)


def _negative(month: str) -> int:
    return -month_number(date.fromisoformat(f"{month[:7]}-01"))


def _assert_nothing_isolated(world: World, reading: Reading) -> None:
    at = {month: number for number, month in enumerate(MONTHS)}
    totals: Counter[int] = Counter()
    for day, size in reading.totals.items():
        totals[at[day.replace(day=1)]] += size if day.replace(day=1) in at else 0
    known = [([Sum({}, month, month)], totals[month]) for month in range(len(MONTHS))]
    known += [
        (
            [Sum(dict(labels), at[since], at[until.replace(day=1)]) for since, until in runs],
            size,
        )
        for (labels, runs), sizes in reading.figures.items()
        for size in sizes
    ]
    values = [
        tuple(value for value in found if any(key[1][place] == value for key in world.truth))
        for place, found in enumerate(SELECTORS.values())
    ]
    values = [found if len(found) > 1 else (*found, "other") for found in values]
    knowledge = Knowledge(list(SELECTORS), values, len(MONTHS), known)
    small = [target for target in knowledge.targets() if 0 < _size(world.truth, target) < MINIMUM]
    assert small
    assert knowledge.isolated(small) == []


def _size(truth: Truth, target: Sum) -> int:
    wanted = [target.labels.get(name) for name in SELECTORS]
    return sum(
        size
        for (month, values), size in truth.items()
        if target.first <= MONTHS.index(month) <= target.last
        and all(want in (None, had) for want, had in zip(wanted, values, strict=True))
    )
