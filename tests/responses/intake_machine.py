"""Everything that can happen to a survey's answers, in any order, and what must hold after each."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from app.reporting.jobs import publish_months, roll_up_months
from app.reporting.publication import publish
from app.responses.actions import exclude_response, include_response, release_response
from app.responses.csv_reading import CsvFormat, open_csv
from app.responses.erasure import erase_response
from app.responses.import_rows import ImportPlan
from app.responses.importing import import_answers, undo_import
from app.responses.intake import Intake
from app.responses.jobs import enforce_retention, expire_submission_keys, total_days
from app.responses.models import FINAL, DeletionReason, HoldReason, Standing
from app.responses.retention import kept_from
from app.responses.reviewing import exclude_held, release_held
from app.responses.schemas import NewAnswer, StoredAnswer
from app.surveys.models import Channel
from app.surveys.queries import get_questionnaire
from tests.factories import make_workspace
from tests.responses.scene import Scene, make_scene, recount, stored_counts

START = datetime(2026, 7, 10, 12, tzinfo=UTC)
ZONE = "Asia/Tokyo"
KEPT_MONTHS = 2
SUM = " + ".join(f"score_{score}" for score in range(11))
Result = TypeVar("Result")
Content = tuple[date, int, str | None]


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent under one of a few submission keys, or under none."""

    key: int | None
    number: int
    score: int
    comment: str | None
    labels: tuple[tuple[str, str], ...]
    is_held: bool


scores = st.integers(0, 10)
labels = st.sampled_from([(), (("plan", "pro"),), (("plan", "pro"), ("age", "old"))])
sendings = st.builds(
    Sending,
    key=st.none() | st.integers(0, 3),
    number=st.sampled_from([1, 2, 3, FINAL, FINAL, FINAL]),
    score=scores,
    comment=st.sampled_from([None, "yes", "いいえ"]),
    labels=labels,
    is_held=st.sampled_from([False, False, True]),
)
places = st.integers(0, 1_000)


class IntakeMachine(RuleBasedStateMachine):
    """A survey of its own in each example; two processes take in its answers."""

    settings: ClassVar[Settings]
    owner: ClassVar[psycopg.Connection[Any]]
    folder: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = START
        self.answers: dict[uuid.UUID, Content] = {}
        self.keys: dict[uuid.UUID, tuple[uuid.UUID, int]] = {}
        self.imported: dict[uuid.UUID, list[Content]] = {}
        self.published: dict[uuid.UUID, Any] = {}
        self.closed: set[Any] = set()
        self.kept = date.min
        self.expired = 0
        self.files = 0
        self.do(self.begin())

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        with clock.fixed(self.now):
            return self.runner.run(work)

    async def begin(self) -> None:
        self.owner.execute("TRUNCATE workspaces CASCADE")
        self.stack = AsyncExitStack()
        self.database = Database(self.settings.database_url)
        self.stack.push_async_callback(self.database.close)
        self.intakes = [Intake(self.database), Intake(self.database)]
        for intake in self.intakes:
            await self.stack.enter_async_context(intake.running())
        async with self.database.transaction() as session:
            workspace_id = await make_workspace(session, "Acme", ZONE)
        async with self.database.transaction(workspace_id) as session:
            self.scene: Scene = await make_scene(
                session, workspace_id, min_group_size=3, retention_months=KEPT_MONTHS
            )

    def teardown(self) -> None:
        self.do(self.stack.aclose())
        self.runner.close()

    @property
    def today(self) -> date:
        with clock.fixed(self.now):
            return clock.today(ZONE)

    # What respondents and programs send.

    @rule(sending=sendings)
    def submit(self, sending: Sending) -> None:
        self.send(0, [sending])

    @rule(batch=st.lists(sendings, min_size=2, max_size=8))
    def submit_together(self, batch: list[Sending]) -> None:
        self.send(1, batch)

    def send(self, intake: int, batch: Sequence[Sending]) -> None:
        new = [self.new_answer(sending) for sending in batch]
        stored = self.do(self.intakes[intake].submit(self.scene.workspace_id, new))
        assert len(stored) == len(new)
        for answer, sent in zip(stored, new, strict=True):
            self.acknowledge(answer, sent)
        for answer in stored:
            assert (answer.score, answer.comment) == self.answers[answer.id][1:], "acknowledged"

    @rule(one=sendings, other=sendings, key=st.integers(0, 3))
    def submit_at_once(self, one: Sending, other: Sending, key: int) -> None:
        """The same key through both processes: one answer, that of the higher number."""
        new = [self.new_answer(sending, key) for sending in (one, other)]
        before = self.keys.get(uuid.UUID(int=key))

        async def both() -> list[list[StoredAnswer]]:
            workspace_id = self.scene.workspace_id
            return await asyncio.gather(
                *(
                    intake.submit(workspace_id, [answer])
                    for intake, answer in zip(self.intakes, new, strict=True)
                )
            )

        [[first], [second]] = self.do(both())
        assert first.id == second.id, "one key, one answer"
        if new[0].number != new[1].number:
            for sent in sorted(new, key=lambda answer: answer.number):
                self.acknowledge(first, sent)
        elif before is None or new[0].number >= before[1]:
            self.keys[uuid.UUID(int=key)] = first.id, new[0].number
            contents = [(first.answered_on, sent.score, sent.comment) for sent in new]
            last = self.stored()[first.id]
            assert last in contents, "what is stored is what one of the two sent"
            self.answers[first.id] = last

    def new_answer(self, sending: Sending, key: int | None = None) -> NewAnswer:
        key = sending.key if key is None else key
        return NewAnswer(
            survey_id=self.scene.survey_id,
            version_id=self.scene.version_id,
            score=sending.score,
            comment=sending.comment,
            language="en",
            channel=Channel.LINK,
            answered_on=self.today,
            labels=dict(sending.labels),
            standing=Standing.HELD if sending.is_held else Standing.COUNTED,
            hold_reason=HoldReason.TOO_FAST if sending.is_held else None,
            submission_key=None if key is None else uuid.UUID(int=key),
            number=FINAL if key is None else sending.number,
        )

    def acknowledge(self, stored: StoredAnswer, sent: NewAnswer) -> None:
        """What the model knows once an answer was said to be durable."""
        key = sent.submission_key
        known = self.keys.get(key) if key else None
        assert known is None or stored.id == known[0], "one key, one answer"
        if key and (known is None or sent.number >= known[1]):
            self.keys[key] = stored.id, sent.number
        if known is None or sent.number >= known[1]:
            self.answers[stored.id] = stored.answered_on, sent.score, sent.comment

    @rule(days=st.integers(0, 100), batch=st.lists(scores, min_size=1, max_size=9), labels=labels)
    def send_past_days(
        self, days: int, batch: list[int], labels: tuple[tuple[str, str], ...]
    ) -> None:
        """As the API takes answers of past days, of closed months too."""
        day = self.today - timedelta(days=days)
        sent = [
            NewAnswer(
                self.scene.survey_id, self.scene.version_id, score, None, "en", Channel.API, day,
                dict(labels),
            )
            for score in batch
        ]  # fmt: skip
        for answer in self.do(self.intakes[0].submit(self.scene.workspace_id, sent)):
            self.answers[answer.id] = day, answer.score, None

    # What managers, respondents and the operator do afterwards.

    @precondition(lambda self: self.answers)
    @rule(place=places, act=st.sampled_from([exclude_response, include_response, release_response]))
    def move(self, place: int, act: Any) -> None:
        reason = ["a test"] if act is exclude_response else []

        async def run() -> None:
            async with self.database.transaction(self.scene.workspace_id) as session:
                await act(
                    session, self.scene.workspace_id, SYSTEM, self.scene.survey_id,
                    self.pick(place), *reason,
                )  # fmt: skip

        self.do(run())

    @rule(is_counted=st.booleans())
    def decide_on_held(self, is_counted: bool) -> None:
        async def run() -> None:
            workspace_id, survey_id = self.scene.workspace_id, self.scene.survey_id
            async with self.database.transaction(workspace_id) as session:
                if is_counted:
                    await release_held(session, workspace_id, SYSTEM, survey_id)
                else:
                    await exclude_held(session, workspace_id, SYSTEM, survey_id, "a program")

        self.do(run())

    @precondition(lambda self: self.answers)
    @rule(place=places)
    def erase(self, place: int) -> None:
        gone = self.pick(place)

        async def run() -> None:
            async with self.database.transaction(self.scene.workspace_id) as session:
                await erase_response(session, self.scene.workspace_id, gone, DeletionReason.RECEIPT)

        self.do(run())
        self.forget({gone})

    @rule(rows=st.lists(st.tuples(st.integers(0, 100), scores), min_size=1, max_size=12))
    def import_file(self, rows: list[tuple[int, int]]) -> None:
        self.files += 1
        path = self.folder / f"{self.scene.survey_id}-{self.files}.csv"
        found = [(self.today - timedelta(days=days), score, None) for days, score in rows]
        lines = [f"{day},{score},pro" for day, score, _comment in found]
        path.write_text("\n".join(["day,score,plan", *lines, ""]))
        plan = ImportPlan(
            score_column="score", date_column="day", segments={"plan": "plan"}, is_again=True
        )

        async def run() -> uuid.UUID | None:
            async with self.database.transaction(self.scene.workspace_id) as session:
                survey = await get_questionnaire(
                    session, self.scene.workspace_id, self.scene.survey_id
                )
                source = open_csv(path, CsvFormat())
                return (await import_answers(session, survey, SYSTEM, plan, source)).import_id

        import_id = self.do(run())
        assert import_id is not None
        self.imported[import_id] = list(found)

    @rule(place=places)
    def undo(self, place: int) -> None:
        """Of a file, or of what the API brought late on a day."""
        rows = self.owner.execute("SELECT id FROM imports WHERE undone_at IS NULL ORDER BY id")
        ids = [row[0] for row in rows]
        if not ids:
            return
        undone = ids[place % len(ids)]
        with_it = self.owner.execute("SELECT id FROM responses WHERE import_id = %s", [undone])
        answers = {row[0] for row in with_it}
        figures = self.owner.execute(
            "SELECT f.id FROM published_figures f JOIN editions e ON e.id = edition_id"
            " WHERE e.import_id = %s", [undone],
        )  # fmt: skip
        for (figure_id,) in figures.fetchall():
            self.published.pop(figure_id, None)
        editions = self.owner.execute("SELECT id FROM editions WHERE import_id = %s", [undone])
        gone = {row[0] for row in editions}
        self.closed = {row for row in self.closed if row[0] not in gone}

        async def run() -> None:
            async with self.database.transaction(self.scene.workspace_id) as session:
                await undo_import(session, self.scene.workspace_id, SYSTEM, undone)

        self.do(run())
        self.imported.pop(undone, None)
        self.forget(answers)

    # Time passes.

    @rule(days=st.integers(1, 45))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def look(self) -> None:
        """The first look at subgroups closes what has settled, and publishes it."""

        async def run() -> None:
            async with self.database.transaction(self.scene.workspace_id) as session:
                survey = await get_questionnaire(
                    session, self.scene.workspace_id, self.scene.survey_id
                )
                await publish(session, survey, clock.today(ZONE))

        self.do(run())

    @rule()
    def work_of_the_day(self) -> None:
        async def run() -> None:
            for job in (
                expire_submission_keys, publish_months, enforce_retention, roll_up_months,
                total_days,
            ):  # fmt: skip
                await job(self.database)

        self.do(run())
        self.kept = max(self.kept, kept_from(self.today, KEPT_MONTHS))
        yesterday = self.today - timedelta(days=1)
        gone = {id_ for id_, content in self.answers.items() if content[0] < self.kept}
        files = [content for found in self.imported.values() for content in found]
        self.expired += len(gone) + sum(content[0] < self.kept for content in files)
        self.forget(gone)
        self.keys = {
            key: claim for key, claim in self.keys.items() if self.answers[claim[0]][0] >= yesterday
        }
        self.imported = {
            id_: [content for content in found if content[0] >= self.kept]
            for id_, found in self.imported.items()
        }
        over = self.kept.replace(day=1)
        self.closed = {row for row in self.closed if row[1] >= over}
        self.published = {
            id_: row
            for id_, row in self.published.items()
            if row["width"] == 1 or date.fromisoformat(row["last_month"]) >= over
        }

    def pick(self, place: int) -> uuid.UUID:
        return list(self.answers)[place % len(self.answers)]

    def forget(self, gone: set[uuid.UUID]) -> None:
        self.answers = {id_: found for id_, found in self.answers.items() if id_ not in gone}
        self.keys = {key: claim for key, claim in self.keys.items() if claim[0] not in gone}

    # What always holds.

    def stored(self) -> dict[uuid.UUID, Content]:
        rows = self.owner.execute("SELECT id, answered_on, score, comment FROM responses")
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    @invariant()
    def what_was_acknowledged_is_stored_once(self) -> None:
        stored = self.stored()
        known = {id_: stored.pop(id_, None) for id_ in self.answers}
        assert known == self.answers
        files = Counter(content for found in self.imported.values() for content in found)
        assert Counter(stored.values()) == files

    @invariant()
    def a_key_belongs_to_one_answer(self) -> None:
        rows = self.owner.execute("SELECT key, response_id, number FROM submission_keys")
        assert {row[0]: (row[1], row[2]) for row in rows} == self.keys

    @invariant()
    def counts_equal_a_recount(self) -> None:
        """Of days that are kept: of those before, the counts are all there is."""
        counted = {
            key: row for key, row in stored_counts(self.owner).items() if key[1] >= self.kept
        }
        found = {key: row for key, row in recount(self.owner).items() if key[1] >= self.kept}
        assert counted == found

    @invariant()
    def nothing_is_lost_from_the_totals(self) -> None:
        """What has gone for its age stays counted, by day or by month."""
        counted = 0
        for table in ("daily_counts", "month_totals"):
            total = self.owner.execute(f"SELECT sum({SUM}) FROM {table}")  # noqa: S608
            counted += (total.fetchone() or (0,))[0] or 0
        kept = len(self.answers) + sum(map(len, self.imported.values()))
        assert counted == kept + self.expired

    @invariant()
    def published_figures_stay(self) -> None:
        rows = self.owner.execute("SELECT id, to_jsonb(f) FROM published_figures f")
        published = dict(rows.fetchall())
        changed = {id_ for id_, row in self.published.items() if published.get(id_) != row}
        assert not changed, "published once, and never changed"
        closed = set(
            self.owner.execute("SELECT edition_id, month, to_jsonb(c)::text FROM closed_counts c")
        )
        assert self.closed <= closed, "closed once, and never changed"
        self.published, self.closed = published, closed
