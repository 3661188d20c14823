"""Passwords: which are refused, and how they are kept (argon2id, 19 MiB, two passes)."""

import unicodedata

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.foundation.translation import mark

MIN_LENGTH = 12
MAX_LENGTH = 200
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified in place of a hash that is not there, so that unknown people cost the same time.
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$FYoEGOc8X8wrGAntY2J+sg$M4FKaNOZ2uDvnKqOa0BTFifn/zhmuh7pjRujbt3nUJQ"
)
AT_ONCE = 2  # hashes computed at the same time: bounds memory, leaves cores to respondents
ESTIMATED_LENGTH = 72  # zxcvbn takes no more, and its time grows with the square
LEAST_STRENGTH = 3  # of zxcvbn's 0 to 4: more than a hundred million guesses

_limiter: RunVar[CapacityLimiter] = RunVar("honne.passwords")


def find_password_fault(password: str, known: tuple[str, ...] = ()) -> str | None:
    """Why a new password is refused, as a sentence; None where it is good.

    `known` are words an attacker would try first: the person's name and address.
    """
    password = _normal(password)
    if len(password) < MIN_LENGTH:
        return mark("Choose a password of at least 12 characters; a few words together are fine.")
    if len(password) > MAX_LENGTH:
        return mark("Choose a password of at most 200 characters.")
    from zxcvbn import zxcvbn  # noqa: PLC0415 (its lists of words are large, and seldom needed)

    guessable = zxcvbn(password[:ESTIMATED_LENGTH], user_inputs=list(known))
    if guessable["score"] < LEAST_STRENGTH:
        return mark("This password is easy to guess; use something less common or longer.")
    return None


async def hash_password(password: str) -> str:
    """The argon2id hash of a password, computed outside the event loop."""
    return await to_thread.run_sync(HASHER.hash, _bytes(password), limiter=_slots())


async def password_matches(stored: str | None, password: str) -> bool:
    """True where `password` is the one behind `stored`; the same time where nothing is stored."""
    is_right = await to_thread.run_sync(
        _verify, stored or NOBODYS_HASH, _bytes(password), limiter=_slots()
    )
    return is_right and stored is not None


def _verify(stored: str, password: bytes) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """One form for characters that keyboards compose differently (full-width, accents)."""
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    # Nobody's password is longer than the maximum, so cutting there cannot make one match.
    return _normal(password)[: MAX_LENGTH + 1].encode("utf-8", "surrogatepass")


def _slots() -> CapacityLimiter:
    limiter = _limiter.get(None)
    if limiter is None:
        limiter = CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
    return limiter
