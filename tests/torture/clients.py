"""Clients that send, amend and leave out answers, retry what failed, and write down what they
were told."""

import asyncio
import html
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from app.responses.intake import MANY
from tests.torture.installation import Beside, Installation
from tests.torture.ledger import Ledger, Submission

PLANS = ("free", "pro")
GIVE_UP_AFTER_S = 100
PAUSE_S = 0.05
WALKS_AWAY = 0.1  # the share of those who do not try again
TICKET = re.compile(r'name="ticket" value="([^"]+)"')
Send = Callable[[], Awaitable[httpx.Response]]


class WalkedAway(Exception):
    """The sender did not try again, so what was sent stays in doubt."""


@dataclass
class Client:
    """One sender; everything it does is decided by `chance`."""

    found: Installation
    ledger: Ledger
    chance: random.Random
    tally: "Counter[str]"
    is_over: bool = False
    done_at: float = 0.0
    slowest_s: float = 0.0

    async def run(self) -> None:
        """Until `is_over`; what was begun is finished first."""
        actions = [
            self.post, self.post_once, self.post_batch, self.post_many, self.post_beside,
            self.fill_in, self.fill_in,
        ]  # fmt: skip
        async with httpx.AsyncClient(
            base_url=self.found.address, timeout=60, trust_env=False
        ) as self.http:
            while not self.is_over:
                begun_at = time.monotonic()
                try:
                    await self.chance.choice(actions)()
                except WalkedAway:
                    self.tally["walked away"] += 1
                    continue
                self.done_at = begun_at

    @property
    def _responses(self) -> str:
        return f"/api/v1/surveys/{self.found.survey_id}/responses"

    async def post(self) -> None:
        """Without a key nobody may try again."""
        submission, answer = self._write()
        headers = self.found.authorization
        reply = await self._send(
            lambda: self.http.post(self._responses, json=answer, headers=headers), 201, 1.0
        )
        submission.acknowledge()
        if self.chance.random() < 0.3:
            await self._leave_out(submission, reply.json()["id"])

    async def _leave_out(self, submission: Submission, response_id: str) -> None:
        url = f"{self._responses}/{response_id}/exclusion"
        given = {"reason": "test"}
        submission.is_exclusion_sent = True
        headers = self.found.authorization
        await self._send(lambda: self.http.put(url, json=given, headers=headers), 200)
        submission.is_exclusion_acknowledged = True

    async def post_once(self) -> None:
        submission, answer = self._write()
        headers = self._keyed()
        await self._send(lambda: self.http.post(self._responses, json=answer, headers=headers), 201)
        submission.acknowledge()

    async def post_batch(self) -> None:
        await self._post_batch(self.chance.randrange(2, 9), self._keyed(), WALKS_AWAY)

    async def post_many(self) -> None:
        """So many at once that another writer helps; without a key nobody may try again."""
        how_many = self.chance.randrange(MANY, 2 * MANY)
        await self._post_batch(how_many, self.found.authorization, 1.0)

    async def _post_batch(
        self, how_many: int, headers: Mapping[str, str], walks_away: float
    ) -> None:
        written = [self._write() for _ in range(how_many)]
        body = {"responses": [answer for _submission, answer in written]}
        url = f"{self._responses}/batch"
        await self._send(
            lambda: self.http.post(url, json=body, headers=dict(headers)), 201, walks_away
        )
        for submission, _answer in written:
            submission.acknowledge()

    async def post_beside(self) -> None:
        """To all other workspaces at once, so that their transactions travel together."""
        sent = [self._post_to(beside) for beside in self.found.beside]
        for outcome in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _post_to(self, beside: Beside) -> None:
        submission, answer = self._write()
        url = f"/api/v1/surveys/{beside.survey_id}/responses"
        headers = dict(beside.authorization)
        await self._send(lambda: self.http.post(url, json=answer, headers=headers), 201, 1.0)
        submission.acknowledge()

    async def fill_in(self) -> None:
        """Open a form, send it, and perhaps go back and send it again with something else."""
        address = f"/s/{self.found.slug}"
        plan = self.chance.choice(PLANS)
        page = await self._send(lambda: self.http.get(address, params={"plan": plan}), 200, 0.0)
        ticket = TICKET.search(page.text)
        assert ticket, page.text
        submission = self.ledger.open()
        for _version in range(self.chance.randrange(1, 4)):
            await self._send_form(submission, f"{address}/responses", html.unescape(ticket[1]))
            submission.acknowledge()

    async def _send_form(self, submission: Submission, url: str, ticket: str) -> None:
        """Where it fails, some change what they wrote before they send it again."""
        walks_away = WALKS_AWAY
        while True:
            content = submission.write(self.chance.randrange(11))
            fields = {"ticket": ticket, "score": str(content.score), "comment": content.comment}
            try:
                with self._kept(fields):
                    await self._send(partial(self.http.post, url, data=fields), 303, walks_away)
                return
            except WalkedAway:
                if self.chance.random() < WALKS_AWAY:
                    raise
                self.tally["changed"] += 1
                walks_away = 1.0

    @contextmanager
    def _kept(self, fields: dict[str, str]) -> Iterator[None]:
        """Meanwhile, the page that says that it did not work must hold what was sent."""
        self._must_hold = [html.escape(text) for text in fields.values()]
        try:
            yield
        finally:
            self._must_hold = []

    _must_hold: list[str] = field(default_factory=list)

    def _write(self) -> tuple[Submission, dict[str, Any]]:
        submission = self.ledger.open()
        content = submission.write(self.chance.randrange(11))
        answer = {"score": content.score, "comment": content.comment}
        return submission, {**answer, "segments": {"plan": self.chance.choice(PLANS)}}

    def _keyed(self) -> dict[str, str]:
        key = str(uuid.uuid4())
        return {**self.found.authorization, "Idempotency-Key": key}

    async def _send(
        self, send: Send, expected: int, walks_away: float = WALKS_AWAY
    ) -> httpx.Response:
        """Until it is acknowledged: again after a lost connection, a 503 and a 409 that says that
        the first one still runs. Anything else is an error."""
        deadline = time.monotonic() + GIVE_UP_AFTER_S
        walks_away_now = self.chance.random() < walks_away
        while True:
            sent_at = time.monotonic()
            try:
                answer = await send()
            except httpx.TransportError:
                self.tally["connection lost"] += 1
            else:
                if self._must_hold:
                    self.slowest_s = max(self.slowest_s, time.monotonic() - sent_at)
                if answer.status_code == expected:
                    self.tally["acknowledged"] += 1
                    return answer
                self._check_refusal(answer)
            if walks_away_now:
                raise WalkedAway
            assert time.monotonic() < deadline, "the service did not come back"
            await asyncio.sleep(PAUSE_S)

    def _check_refusal(self, answer: httpx.Response) -> None:
        assert answer.status_code in (409, 503), (answer.status_code, answer.text)
        assert answer.headers["Retry-After"].isdigit()
        self.tally[str(answer.status_code)] += 1
        missing = [text for text in self._must_hold if text not in answer.text]
        assert not missing, f"the page lost {missing}: {answer.text}"


class Crowd:
    """Clients at work: `async with` them; on leaving they finish what they have begun."""

    def __init__(
        self, found: Installation, ledger: Ledger, chance: random.Random, size: int = 6
    ) -> None:
        self.tally: Counter[str] = Counter()
        self.clients = [
            Client(found, ledger, random.Random(chance.random()), self.tally) for _ in range(size)
        ]

    async def __aenter__(self) -> "Crowd":
        self._tasks = [asyncio.create_task(client.run()) for client in self.clients]
        return self

    async def __aexit__(self, *_error: object) -> None:
        for client in self.clients:
            client.is_over = True
        await asyncio.gather(*self._tasks)

    @property
    def slowest_s(self) -> float:
        """The longest that a form that was sent had no answer of any kind."""
        return max(client.slowest_s for client in self.clients)

    async def served_since(self, moment: float, within_s: float = GIVE_UP_AFTER_S) -> float:
        """Wait until each has had something acknowledged that it began after `moment` (monotonic);
        the seconds since then."""
        while not all(client.done_at > moment for client in self.clients):
            for task in self._tasks:
                if task.done():
                    task.result()
            assert time.monotonic() < moment + within_s, "some were not served again"
            await asyncio.sleep(0.02)
        return time.monotonic() - moment
