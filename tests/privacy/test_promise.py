"""What the privacy page of a survey says is what the product does, rule by rule."""

import logging.handlers
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import Date

from app.foundation import clock
from app.foundation.database import Database
from app.foundation.translation import set_language
from app.reporting.decisions import GUARDED_BELOW
from app.responses.erasure import erase_response
from app.responses.jobs import enforce_retention
from app.responses.models import DeletionReason, Response, Standing
from app.responses.promise import ALIKE_BELOW, RULES, promises_of
from app.responses.receipts import write_receipt
from app.responses.schemas import NewAnswer
from app.responses.stored import NOTES
from app.responses.storing import store_answers
from app.responses.suspicion import Suspicion
from app.surveys.models import Channel, DimensionSource
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire
from app.surveys.segments import accept_segments
from tests.conftest import browser, program
from tests.factories import Cast
from tests.responses.scene import Scene, make_scene, stored_answers

NOW = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)  # noon in Tokyo, Acme's time zone
TODAY, JUNE = date(2026, 7, 10), date(2026, 6, 15)
MINIMUM, MONTHS = 7, 18
LONG_AGO = NOW - timedelta(days=1)
ADDRESS = "/s/cafe/privacy"


@dataclass(frozen=True, slots=True)
class Stage:
    """A survey with its own numbers, and everybody who does something with it."""

    app: FastAPI
    cast: Cast
    scene: Scene
    survey: Questionnaire
    database: Database
    owner: psycopg.Connection
    api: httpx.AsyncClient

    @property
    def answers(self) -> str:
        return f"/api/v1/surveys/{self.scene.survey_id}/responses"

    async def store(
        self, number: int, day: date = JUNE, first: int = 3, **labels: str
    ) -> uuid.UUID:
        """Answers of score 9, but for the first of them; the id of that one."""
        answers = [
            NewAnswer(
                self.scene.survey_id, self.scene.version_id, 9 if at else first, "As  written\n!",
                "en", Channel.LINK, day, labels=labels, standing=Standing.COUNTED,
            )
            for at in range(number)
        ]  # fmt: skip
        async with self.database.transaction(self.cast.acme) as session:
            stored = await store_answers(session, self.cast.acme, answers)
        return stored[0].id

    async def metrics(self, **query: str) -> dict[str, object]:
        query = {"survey_id": str(self.scene.survey_id), "since": "2026-06-01"} | query
        answer = await self.api.get("/api/v1/metrics", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    async def rows(self, **query: str) -> list[dict[str, object]]:
        answer = await self.api.get(self.answers, params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()["data"]
        return found


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


@pytest.fixture
async def stage(
    app: FastAPI, cast: Cast, database: Database, owner: psycopg.Connection,
    acme_api: httpx.AsyncClient,
) -> Stage:  # fmt: skip
    async with database.transaction(cast.acme) as session:
        scene = await make_scene(
            session, cast.acme, min_group_size=MINIMUM, retention_months=MONTHS
        )
        survey = await get_questionnaire(session, cast.acme, scene.survey_id)
    return Stage(app, cast, scene, survey, database, owner, acme_api)


async def _stands(stage: Stage, changes: dict[str, object]) -> None:
    await stage.store(1, TODAY)
    address = f"/api/v1/surveys/{stage.scene.survey_id}"
    answer = await stage.api.patch(address, json=changes)
    assert answer.status_code in (409, 422), answer.text


async def purpose(stage: Stage) -> None:
    await _stands(stage, {"wording": {"en": {"purpose": "To know you better."}}})


async def promise_stands(stage: Stage) -> None:
    await _stands(stage, {"min_group_size": 3})
    await _stands(stage, {"retention_months": MONTHS + 1})
    await _stands(stage, {"privacy_url": "https://elsewhere.example/"})


async def nothing_about_you(stage: Stage) -> None:
    stored = stage.owner.execute("SELECT * FROM responses").description or []
    assert {column.name for column in stored} == set(NOTES["responses"].columns)
    words = " ".join(NOTES["responses"].columns.values()).lower()
    assert not {"address", "device", "cookie", "name"} & set(words.split())


async def the_day(stage: Stage) -> None:
    assert isinstance(Response.__table__.columns["answered_on"].type, Date)
    assert stage.survey.time_zone == "Asia/Tokyo"
    with clock.fixed(datetime(2026, 7, 10, 15, 1, tzinfo=UTC)):  # one minute past midnight there
        sent = await stage.api.post(stage.answers, json={"score": 5})
    assert sent.json()["answered_on"] == "2026-07-11"


async def groups_from_a_list(stage: Stage) -> None:
    given = {"plan": "account-17", "account": "17"}
    kept = accept_segments(stage.survey, given, [DimensionSource.LINK])
    assert kept == {"plan": "other"}


async def saved_when_chosen(stage: Stage) -> None:
    async with browser(stage.app) as rita:
        ticket = (await rita.get("/s/cafe")).text.partition('name="ticket" value="')[2]
        fields = {"ticket": ticket.partition('"')[0], "score": "4", "number": "1"}
        fields |= {"comment": "Not sent yet", "segment.age": "old", "email": "rita@example.org"}
        assert (await rita.put("/s/cafe/score", data=fields)).status_code == 204
    assert stored_answers(stage.owner) == [(4, None)]
    assert stage.owner.execute("SELECT labels FROM segment_sets").fetchall() == [({},)]


async def sent_twice(stage: Stage) -> None:
    async with browser(stage.app) as rita:
        ticket = (await rita.get("/s/cafe")).text.partition('name="ticket" value="')[2]
        fields = {"ticket": ticket.partition('"')[0], "score": "4"}
        for _time in range(2):
            assert (await rita.post("/s/cafe/responses", data=fields)).status_code == 303
    assert stored_answers(stage.owner) == [(4, None)]


async def programs_kept_apart(stage: Stage) -> None:
    suspicion: Suspicion = stage.app.state.suspicion
    seen = [suspicion.judge("192.0.2.0/24", uuid.uuid4(), LONG_AGO, "") for _ in range(3)]
    assert seen == [None] * 3
    key = suspicion._flow._key
    assert "192.0.2" not in repr(vars(suspicion._flow))
    with clock.fixed(clock.now() + timedelta(hours=1)):
        suspicion.judge("192.0.2.0/24", uuid.uuid4(), LONG_AGO, "")
    assert suspicion._flow._key != key
    assert sum(moment > 0 for moment in suspicion._flow._moments) == 2, "only what came since"


async def no_trace(stage: Stage) -> None:
    """`test_canary` reads every log of a real server; here is that there is a line for others."""
    lines = logging.handlers.BufferingHandler(100)
    logger = logging.getLogger()
    level = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    try:
        async with browser(stage.app) as rita:
            await rita.get(ADDRESS)
            await rita.get("/s/cafe")
            before = [line for line in lines.buffer if line.name.startswith("honne")]
            await rita.get("/sign-in")
    finally:
        logger.removeHandler(lines)
        logger.setLevel(level)
    after = [line for line in lines.buffer if line.name.startswith("honne")]
    assert (len(before), len(after)) == (0, 1)


async def everybody_by_day(stage: Stage) -> None:
    await stage.store(1, TODAY)
    assert (await stage.metrics())["response_count"] == 1


async def words_as_written(stage: Stage) -> None:
    await stage.store(1, TODAY)
    assert [row["comment"] for row in await stage.rows()] == ["As  written\n!"]


async def group_minimum(stage: Stage) -> None:
    for other in ("free", "pro"):
        await stage.store(MINIMUM, plan=other)
    await stage.store(MINIMUM - 1, age="old")
    await stage.store(MINIMUM, age="young")
    assert (await stage.metrics(**{"segment.plan": "pro"}))["response_count"] == MINIMUM
    assert (await stage.metrics(**{"segment.age": "old"}))["suppressed"] is True


async def whole_months(stage: Stage) -> None:
    await stage.store(MINIMUM * 2, plan="free")
    await stage.store(MINIMUM, plan="pro")
    await stage.store(3, TODAY, plan="pro")
    for _look in range(2):
        assert (await stage.metrics(**{"segment.plan": "pro"}))["response_count"] == MINIMUM
        await stage.store(2, JUNE, plan="pro")
    assert (await stage.metrics())["response_count"] == MINIMUM * 3 + 3 + 4


async def no_remainder(stage: Stage) -> None:
    await stage.store(MINIMUM * 4, plan="free")
    await stage.store(2, plan="pro")
    for plan in ("free", "pro"):
        assert (await stage.metrics(**{"segment.plan": plan}))["suppressed"] is True


async def all_alike(stage: Stage) -> None:
    await stage.store(MINIMUM, plan="free")
    await stage.store(GUARDED_BELOW - 1, first=10, plan="pro")
    await stage.store(MINIMUM, age="old")
    await stage.store(GUARDED_BELOW, first=10, age="young")
    few = await stage.metrics(**{"segment.plan": "pro"})
    assert (few["promoter_count"], few["distribution"]) == (GUARDED_BELOW - 1, None)
    many = await stage.metrics(**{"segment.age": "young"})
    assert many["distribution"] == [0] * 9 + [GUARDED_BELOW - 1, 1]


def test_the_number_on_the_page_is_the_one_that_decides() -> None:
    assert ALIKE_BELOW == GUARDED_BELOW


async def day_or_group(stage: Stage) -> None:
    for plan in ("free", "pro"):
        await stage.store(MINIMUM, plan=plan)
    by_day, by_group = await stage.rows(), await stage.rows(**{"segment.plan": "pro"})
    assert len(by_day) == MINIMUM * 2
    assert len(by_group) == MINIMUM
    assert all(row["answered_on"] and not row.get("segments") for row in by_day)
    assert all(row["segments"] and not row.get("answered_on") for row in by_group)


async def no_way_around(stage: Stage) -> None:
    """The owner's page hides what the reading key is refused."""
    await stage.store(MINIMUM * 2, plan="free")
    await stage.store(2, plan="pro")
    page = f"/w/{stage.cast.acme}/surveys/{stage.scene.survey_id}/responses"
    async with browser(stage.app, stage.cast.alice.session_token) as alice:
        answer = await alice.get(page, params={"segment.plan": "pro", "since": "2026-06-01"})
    assert answer.status_code == 200
    assert "As  written" not in answer.text
    async with program(stage.app, stage.cast.acme_read_key) as reader:
        rows = await reader.get(stage.answers, params={"segment.plan": "pro"})
    assert rows.json()["data"] == []


async def retention(stage: Stage) -> None:
    await stage.store(1, date(2025, 1, 9))
    await stage.store(1, date(2025, 1, 10))
    assert await enforce_retention(stage.database) == 1
    assert len(stored_answers(stage.owner)) == 1


async def legal_hold(stage: Stage) -> None:
    await stage.store(1, date(2024, 1, 10))
    stage.owner.execute("UPDATE surveys SET held_since = '2026-07-01'")
    assert await enforce_retention(stage.database) == 0
    async with browser(stage.app) as rita:
        page = await rita.get(ADDRESS)
    assert "Since July 1, 2026 there is a legal hold" in page.text


async def deletion(stage: Stage) -> None:
    answer = await stage.store(1, TODAY)
    receipt = write_receipt(stage.app.state.settings.secret_key, answer)
    async with browser(stage.app) as rita:
        sent = await rita.post("/s/cafe/erasure", data={"receipt": receipt})
    assert sent.status_code == 303
    assert stored_answers(stage.owner) == []


async def an_address_left(stage: Stage) -> None:
    """By day, to those who manage the survey, and never with groups; it goes with its answer."""
    stage.owner.execute("UPDATE surveys SET asks_contact = true")
    answer = NewAnswer(
        stage.scene.survey_id, stage.scene.version_id, 3, None, "en", Channel.LINK, JUNE,
        labels={"plan": "pro"}, address="rita@customer.example",
    )  # fmt: skip
    async with stage.database.transaction(stage.cast.acme) as session:
        [stored] = await store_answers(session, stage.cast.acme, [answer])
    await stage.store(MINIMUM, plan="pro")
    page = f"/w/{stage.cast.acme}/surveys/{stage.scene.survey_id}/responses"
    seen = {}
    for player in (stage.cast.mona, stage.cast.bob):
        async with browser(stage.app, player.session_token) as member:
            for query in ("", "?segment.plan=pro"):
                listed = await member.get(page + query)
                assert "As  written" in listed.text
                seen[player.email, query] = "rita@customer.example" in listed.text
    assert [who for who, is_seen in seen.items() if is_seen] == [(stage.cast.mona.email, "")]
    async with stage.database.transaction(stage.cast.acme) as session:
        await erase_response(session, stage.cast.acme, stored.id, DeletionReason.RECEIPT)
    assert stage.owner.execute("SELECT count(*) FROM response_contacts").fetchone() == (0,)


async def somebody_who_helps(stage: Stage) -> None:
    stage.owner.execute("UPDATE surveys SET support = 'help@acme.example'")
    async with browser(stage.app) as rita:
        for address in (ADDRESS, "/s/cafe", "/s/cafe/thanks"):
            assert "help@acme.example" in (await rita.get(address)).text


async def somebody_to_ask(stage: Stage) -> None:
    async with browser(stage.app) as rita:
        assert "privacy@acme.example" in (await rita.get(ADDRESS)).text


CHECKS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "Purpose": purpose,
    "The promise stands": promise_stands,
    "Nothing about you": nothing_about_you,
    "The day, not the time": the_day,
    "Groups from a list": groups_from_a_list,
    "Saved as soon as chosen": saved_when_chosen,
    "An address only if you leave it": an_address_left,
    "Sent twice, counted once": sent_twice,
    "Programs kept apart": programs_kept_apart,
    "No trace in the logs": no_trace,
    "Everybody by day": everybody_by_day,
    "Words as written": words_as_written,
    "Group minimum": group_minimum,
    "Whole months": whole_months,
    "No remainder": no_remainder,
    "Groups that are all alike": all_alike,
    "Day or group, never both": day_or_group,
    "No way around": no_way_around,
    "Retention": retention,
    "Legal hold": legal_hold,
    "Deletion with the receipt": deletion,
    "Somebody to ask": somebody_to_ask,
    "Somebody who helps": somebody_who_helps,
}
# The values of the survey that its sentences must say, by rule.
NUMBERS = {
    "Group minimum": f" {MINIMUM} ",
    "Retention": f" {MONTHS} months",
    "Groups that are all alike": f" {GUARDED_BELOW} ",
    "The day, not the time": "Asia/Tokyo",
    "Groups from a list": "(Plan, Age)",
    "Purpose": "Your answer is used only to improve Café Acme.",
}


def test_every_rule_is_checked() -> None:
    assert {rule.name for rule in RULES} == set(CHECKS), "say here how the new rule is kept"


@pytest.mark.parametrize("name", CHECKS)
async def test_a_rule_is_kept(stage: Stage, name: str) -> None:
    await CHECKS[name](stage)


async def test_sentences_say_the_surveys_own_values(stage: Stage) -> None:
    set_language("en")
    said = {promise.name: promise.sentence for promise in promises_of(stage.survey)}
    assert "Legal hold" not in said
    for name, value in NUMBERS.items():
        assert value in said[name]
