"""Guessing passwords gets slower and slower, but nobody is ever locked out.

Attempts are remembered in memory only, under keyed hashes of the account and of the network prefix;
the key lives as long as the process, so nothing here can be turned back into an address.
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from app.foundation import clock
from app.foundation.errors import TooManyRequests
from app.foundation.translation import mark

FORGET_AFTER = timedelta(minutes=15)
LONGEST_SECONDS = 8.0
FIRST_SECONDS = 0.25
MAX_REMEMBERED = 20_000
MAX_WAITING = 100


@dataclass(slots=True)
class _Attempts:
    count: int
    last_at: datetime


class AttemptDelays:
    """How long the next attempt waits: nothing up to `free` failures, then doubling to 8 s."""

    def __init__(self, free: int) -> None:
        self.free = free
        self._key = secrets.token_bytes(32)
        self._attempts: OrderedDict[bytes, _Attempts] = OrderedDict()

    def begin(self, name: str) -> float:
        """Seconds this attempt must wait. It counts as failed until `forgive` or `take_back`,
        so that attempts made side by side do not share one turn."""
        key, now = self._hash(name), clock.now()
        known = self._attempts.pop(key, None)
        if known is None or known.last_at < now - FORGET_AFTER:
            known = _Attempts(0, now)
        waited = known.count
        self._attempts[key] = _Attempts(known.count + 1, now)
        if len(self._attempts) > MAX_REMEMBERED:
            self._attempts.popitem(last=False)
        return self._seconds(waited)

    def forgive(self, name: str) -> None:
        """Forget every failure of this account: its owner has signed in."""
        self._attempts.pop(self._hash(name), None)

    def take_back(self, name: str) -> None:
        """Uncount one attempt: somebody at this network knew their password, others still guess."""
        known = self._attempts.get(self._hash(name))
        if known is not None:
            known.count = max(0, known.count - 1)

    def _seconds(self, failures: int) -> float:
        if failures < self.free:
            return 0.0
        return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - self.free, 10)))

    def _hash(self, name: str) -> bytes:
        return hmac.digest(self._key, name.encode("utf-8", "surrogatepass"), "sha256")


class SignInDelays:
    """The delays of one server process: per account, and more patiently per network prefix."""

    def __init__(self) -> None:
        self._accounts = AttemptDelays(free=4)
        self._networks = AttemptDelays(free=30)
        self._waiting = 0
        self.password_changes = AttemptDelays(free=10)

    def begin(self, email: str, prefix: str) -> float:
        """Seconds this attempt must wait, known account or not."""
        return max(self._accounts.begin(email), self._networks.begin(prefix))

    def succeed(self, email: str, prefix: str) -> None:
        self._accounts.forgive(email)
        self._networks.take_back(prefix)

    async def wait_turn(self, email: str, prefix: str) -> None:
        """Sleep as long as this attempt must; TooManyRequests where too many sleep already."""
        seconds = self.begin(email, prefix)
        if not seconds:
            return
        if self._waiting >= MAX_WAITING:
            raise TooManyRequests(
                mark("Too many sign-ins are waiting just now. Please try again shortly."),
                headers={"Retry-After": "10"},
            )
        self._waiting += 1
        try:
            await anyio.sleep(seconds)
        finally:
            self._waiting -= 1
