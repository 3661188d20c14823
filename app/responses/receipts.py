"""Receipts: codes by which a person can have their own answer deleted, kept by nobody else.

A receipt is the answer's id and a check value, both covered: it is computed from the id under the
installation's secret key, so it is stored nowhere, and who sees one learns neither what was
answered nor which answer it belongs to. A made-up code fits with a chance of 1 in 2⁹⁶; there is
nothing to be guessed, hence nothing to be counted or slowed down.
"""

import base64
import hmac
import unicodedata
import uuid
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from app.foundation import clock
from app.foundation.tokens import derive
from app.scoring import Category

SHOWN_FOR = timedelta(minutes=10)
LENGTH = 45
GROUP = 5
MAX_TYPED = 200
EXAMPLE_RECEIPT = "3ZK8M 1QWER T7Y0P ASDFG H2JKZ XCVB9 N4M5Q 6WERT 8YHPA"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_BEHIND = range(LENGTH - GROUP, -1, -GROUP)  # digits behind each group
_MISREAD = str.maketrans("OIL", "011")
_CHECK = 12  # bytes, 96 bits
_ID = 16  # bytes
_MOMENT = 4  # bytes: seconds since 1970
_GROUPS = tuple(Category)  # the last byte counts them; with it no padding is needed in base 64


@dataclass(frozen=True, slots=True)
class Showing:
    """The answer that was just sent, and the group its score is in."""

    response_id: uuid.UUID
    group: Category


class NoReceipt(Exception):
    """What was typed is no receipt; `length` says how many letters and digits it has."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length


def write_receipt(secret_key: str, response_id: uuid.UUID) -> str:
    """The receipt of an answer: 45 letters and digits in groups of five, always the same."""
    number = int.from_bytes(_cover(secret_key, "receipt", response_id.bytes))
    return " ".join([_group(number >> 5 * behind) for behind in _BEHIND])


def _group(number: int) -> str:
    """The last five digits of `number` in base 32."""
    return _PAIRS[number >> 15 & 1023] + _PAIRS[number >> 5 & 1023] + _DIGITS[number & 31]


def read_receipt(secret_key: str, typed: str) -> uuid.UUID:
    """The id of the answer a receipt is for, however it was written down; NoReceipt for others.

    Case, spaces, dashes and full-width letters make no difference, nor do O for 0, I or L for 1.
    """
    plain = unicodedata.normalize("NFKC", typed[:MAX_TYPED]).upper().translate(_MISREAD)
    digits = [character for character in plain if character.isalnum()]
    if len(digits) != LENGTH or not set(digits) <= set(_DIGITS):
        raise NoReceipt(len(digits))
    number = 0
    for digit in digits:
        number = number << 5 | _DIGITS.index(digit)
    try:
        covered = number.to_bytes(_CHECK + _ID)
    except OverflowError as error:
        raise NoReceipt(LENGTH) from error
    found = _uncover(secret_key, "receipt", covered)
    if found is None:
        raise NoReceipt(LENGTH)
    return uuid.UUID(bytes=found)


def sign_showing(secret_key: str, response_id: uuid.UUID, group: Category) -> str:
    """What the address of the thank-you page carries so that it shows the receipt for a while, and
    what its group is told.

    Covered as well: an address may end up in the log of a proxy, beside a time.
    """
    moment = int(clock.now().timestamp()).to_bytes(_MOMENT)
    content = moment + response_id.bytes + bytes([_GROUPS.index(group)])
    return base64.urlsafe_b64encode(_cover(secret_key, "receipt shown", content)).decode()


def read_showing(secret_key: str, signed: str) -> Showing | None:
    """What may be shown now; None for what is forged or ten minutes old."""
    try:
        covered = base64.urlsafe_b64decode(signed)
    except (NotBase64, ValueError):
        return None
    if len(covered) != _CHECK + _MOMENT + _ID + 1:
        return None
    found = _uncover(secret_key, "receipt shown", covered)
    if found is None:
        return None
    age = clock.now().timestamp() - int.from_bytes(found[:_MOMENT])
    showing = Showing(uuid.UUID(bytes=found[_MOMENT:-1]), _GROUPS[found[-1]])
    return showing if age < SHOWN_FOR.total_seconds() else None


# Deterministic authenticated encryption (RFC 5297's construction, from HMAC-SHA256): the check
# value is a MAC of the content, and the content is covered by a stream that follows from it.


def _cover(secret_key: str, purpose: str, content: bytes) -> bytes:
    check = _mac(secret_key, f"{purpose}: check", content)[:_CHECK]
    return check + _mask(secret_key, purpose, check, content)


def _uncover(secret_key: str, purpose: str, covered: bytes) -> bytes | None:
    content = _mask(secret_key, purpose, covered[:_CHECK], covered[_CHECK:])
    check = _mac(secret_key, f"{purpose}: check", content)[:_CHECK]
    return content if hmac.compare_digest(check, covered[:_CHECK]) else None


def _mask(secret_key: str, purpose: str, check: bytes, content: bytes) -> bytes:
    """`content`, at most 32 bytes, with the stream of `check` laid over it or taken off again."""
    stream = _mac(secret_key, f"{purpose}: cover", check)
    covered = int.from_bytes(content) ^ int.from_bytes(stream[: len(content)])
    return covered.to_bytes(len(content))


def _mac(secret_key: str, purpose: str, content: bytes) -> bytes:
    mac = _begun(secret_key, purpose).copy()
    mac.update(content)
    return mac.digest()


@lru_cache(16)
def _begun(secret_key: str, purpose: str) -> hmac.HMAC:
    """A MAC of nothing yet, to be copied: to take the key in costs as much as what follows."""
    return hmac.new(derive(secret_key, purpose).encode(), digestmod="sha256")
