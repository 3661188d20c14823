"""Look-ups that arrive together travel together.

While the database answers some, those that arrive wait; then all of them go in one round trip.
Each is a transaction of its own in its own workspace, and fails alone.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Executable

from app.foundation.line import Lines
from app.foundation.memory import WITHIN_S
from app.foundation.questions import Question, bind

AT_ONCE = 100
ASKERS = 2  # at a time, so that one slow statement does not stop all others


@dataclass(frozen=True, slots=True, eq=False)
class _LookUp:
    workspace_id: uuid.UUID | None
    question: Question
    answer: asyncio.Future[Sequence[Any]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def settle(self, found: Sequence[Any] | BaseException) -> None:
        if self.answer.done():
            return  # whoever asked went away
        if isinstance(found, BaseException):
            self.answer.set_exception(found)
        else:
            self.answer.set_result(found)


class LookUps:
    """What many requests ask for, one statement each, on the `lines` of a database."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._waiting: dict[_LookUp, None] = {}
        self._askers: set[asyncio.Task[None]] = set()

    async def find(
        self, workspace_id: uuid.UUID | None, statement: Executable, parameters: Mapping[str, Any]
    ) -> Sequence[Any]:
        """The rows; TimeoutError where the database is silent for a quarter of a minute."""
        look_up = _LookUp(workspace_id, bind(statement, parameters))
        self._waiting[look_up] = None
        if len(self._askers) < ASKERS:
            self._askers.add(asyncio.create_task(self._ask()))
        timer = asyncio.get_running_loop().call_later(WITHIN_S, look_up.settle, TimeoutError())
        try:
            return await look_up.answer
        finally:
            timer.cancel()
            self._waiting.pop(look_up, None)  # where nobody has asked: those who could are busy

    async def close(self) -> None:
        """Stop what is asked for those who went away."""
        askers = list(self._askers)
        for asker in askers:
            asker.cancel()
        await asyncio.gather(*askers, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            while self._waiting:
                some = list(islice(self._waiting, AT_ONCE))
                for look_up in some:
                    del self._waiting[look_up]
                await self._settle(some)
        finally:
            # Nothing else has run since: what arrives from here on starts an asker of its own.
            self._askers.remove(asyncio.current_task())  # type: ignore[arg-type]

    async def _settle(self, look_ups: Sequence[_LookUp]) -> None:
        line = self._lines.take()
        try:
            async with asyncio.timeout(WITHIN_S):
                found = await line.ask([(one.workspace_id, one.question) for one in look_ups])
        except Exception as error:
            for look_up in look_ups:
                look_up.settle(error)
            return
        self._lines.give(line)
        for look_up, rows in zip(look_ups, found, strict=True):
            look_up.settle(rows)


class Window:
    """Look-ups in one workspace, for those who expect an `Executor`."""

    def __init__(self, look_ups: LookUps, workspace_id: uuid.UUID | None) -> None:
        self._look_ups = look_ups
        self._workspace_id = workspace_id

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any], /
    ) -> Sequence[Any]:
        """A transaction of its own for each statement."""
        return await self._look_ups.find(self._workspace_id, statement, parameters)
