"""How often one thing may be asked for: so many times within a minute, counted in memory only."""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from app.foundation.errors import TooManyRequests

SECONDS = 60
MOST_REMEMBERED = 20_000


class Turns:
    """Lets each name through `most` times a minute, in this process.

    Names are kept under a hash whose key lives as long as the process, for a minute or two.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._key = secrets.token_bytes(32)
        self._taken: OrderedDict[tuple[int, bytes], int] = OrderedDict()

    def take(self, *names: str) -> None:
        """One more time for each name; TooManyRequests where that is too often."""
        minute, second = divmod(int(self._now()), SECONDS)
        for name in names:
            key = (minute, hmac.digest(self._key, name.encode(), "sha256"))
            taken = self._taken[key] = self._taken.get(key, 0) + 1
            if len(self._taken) > MOST_REMEMBERED:
                self._taken.popitem(last=False)
            if taken > self._most:
                raise TooManyRequests(headers={"Retry-After": str(SECONDS - second)})
