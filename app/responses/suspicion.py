"""Which answers by open links wait for a manager: too fast, trapped, or one of very many.

Nobody is refused for it and nobody is told. What is remembered of networks is a table of numbers in
this process's memory, always of one size, under hashes whose random key is thrown away every hour;
each server process has its own.
"""

import secrets
import uuid
from array import array
from datetime import datetime, timedelta
from hashlib import blake2b

from app.foundation import clock
from app.responses.models import HoldReason

MINIMUM = timedelta(seconds=1)
DEBOUNCE = timedelta(seconds=0.8)  # the form's script waits so long before it saves a score
# 300 people of one office may answer within two minutes, and twice as many are still no flood.
BURST = 600  # answers to one survey from one network at once
REFILL_S = 1.0  # seconds until one more is taken
CELLS = 65_536  # in each of two rows: 1 MB in all
KEY_LIFE_S = 3_600


class Suspicion:
    """Judges the answers that come to one server process; `minimum` is the time a form must have
    been open."""

    def __init__(self, minimum: timedelta = MINIMUM) -> None:
        self._minimum = minimum
        self._flow = Flow()

    def judge(
        self,
        prefix: str,
        survey_id: uuid.UUID,
        opened_at: datetime,
        trap: str,
        waited: timedelta = timedelta(0),
    ) -> HoldReason | None:
        """Why an answer from the network `prefix` is held, if it is; counts it to the network's
        flow where nothing else is wrong. An unknown network (empty) has no limit. `waited` is what
        our own script adds to the time any person takes."""
        if trap:
            return HoldReason.TRAP
        if clock.now() - opened_at < self._minimum + waited:
            return HoldReason.TOO_FAST
        if prefix and not self._flow.take(f"{survey_id} {prefix}"):
            return HoldReason.FLOOD
        return None

    def take_back(self, prefix: str, survey_id: uuid.UUID) -> None:
        """Uncount what turned out to be an earlier answer sent again."""
        self._flow.give_back(f"{survey_id} {prefix}")


class Flow:
    """How much comes under each name: `burst` at once, then one more every `refill` seconds.

    A cell holds the moment (seconds since 1970) at which all that came under it would have come at
    the even pace. Each name has a cell in either row, and is over its limit where both are, so
    that sharing one with a busy name does no harm. Any number of names fit in the same memory.
    """

    def __init__(self, burst: int = BURST, refill: float = REFILL_S, cells: int = CELLS) -> None:
        self._ahead = (burst - 1) * refill
        self._refill = refill
        self._cells = cells
        self._hour = -1
        self._key = b""
        self._moments = array("d")

    def take(self, name: str) -> bool:
        """Count one to `name`; False, and nothing counted, where it is over its limit."""
        now = clock.now().timestamp()
        places = self._places(name, now)
        moments = [max(self._moments[place], now) for place in places]
        if min(moments) - now > self._ahead:
            return False
        for place, moment in zip(places, moments, strict=True):
            self._moments[place] = moment + self._refill
        return True

    def give_back(self, name: str) -> None:
        """Uncount one; where the key has changed since, one of a chance name at most."""
        for place in self._places(name, clock.now().timestamp()):
            self._moments[place] -= self._refill

    def _places(self, name: str, now: float) -> tuple[int, int]:
        hour = int(now // KEY_LIFE_S)
        if hour != self._hour:
            # What was counted goes with the key: under a new one it would belong to others.
            self._hour, self._key = hour, secrets.token_bytes(32)
            self._moments = array("d", bytes(8 * 2 * self._cells))
        hashed = blake2b(name.encode(), key=self._key, digest_size=16).digest()
        first, second = int.from_bytes(hashed[:8]), int.from_bytes(hashed[8:])
        return first % self._cells, self._cells + second % self._cells
