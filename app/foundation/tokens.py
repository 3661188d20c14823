"""Random ids and secrets, and how they are kept.

A secret leaves the server once; the database holds only its HMAC-SHA256 under the installation's
secret key. Secrets that open a workspace's door carry that workspace's id, so that no table of all
secrets has to be searched across workspaces.
"""

import base64
import hmac
import secrets
import string
import uuid
import zlib
from functools import lru_cache
from hashlib import sha256

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
UUID_LENGTH = 22  # 128 bits in base 62
RANDOM_LENGTH = 18  # 107 bits
CHECKSUM_LENGTH = 6  # 32 bits


def new_id() -> uuid.UUID:
    """A random (v4) id: it says nothing about when it was made."""
    return uuid.uuid4()


def random_text(length: int) -> str:
    """`length` characters of base 62 from the system's random source."""
    return "".join(secrets.choice(BASE62) for _ in range(length))


def digest(secret_key: str, token: str) -> bytes:
    """HMAC-SHA256 of `token`, 32 bytes: what is stored in place of it."""
    return hmac.digest(secret_key.encode(), token.encode(), "sha256")


def mint(prefix: str, workspace_id: uuid.UUID, random_length: int = RANDOM_LENGTH) -> str:
    """A new secret: prefix, workspace id and random characters in base 62, checksum.

    18 of them are 107 random bits, and 22 are 131.
    """
    body = _base62(workspace_id.int, UUID_LENGTH) + random_text(random_length)
    return prefix + body + _checksum(prefix + body)


def workspace_of(prefix: str, token: str, random_length: int = RANDOM_LENGTH) -> uuid.UUID | None:
    """The workspace a minted secret names, or None where it was mistyped or never ours."""
    length = len(prefix) + UUID_LENGTH + random_length + CHECKSUM_LENGTH
    if not token.startswith(prefix) or len(token) != length:
        return None
    body, checksum = token[:-CHECKSUM_LENGTH], token[-CHECKSUM_LENGTH:]
    if not token.isascii() or not hmac.compare_digest(_checksum(body), checksum):
        return None
    number = _number(body[len(prefix) :][:UUID_LENGTH])
    return uuid.UUID(int=number) if number is not None and number < 1 << 128 else None


@lru_cache(64)
def derive(secret_key: str, purpose: str) -> str:
    """A secret (43 characters) that follows from the secret key, the same at every start."""
    return (
        base64.urlsafe_b64encode(hmac.digest(secret_key.encode(), purpose.encode(), "sha256"))
        .decode()
        .rstrip("=")
    )


def fingerprint(content: bytes) -> bytes:
    """SHA-256 of `content`, 32 bytes."""
    return sha256(content).digest()


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits.append(BASE62[rest])
    return "".join(reversed(digits))


def _number(text: str) -> int | None:
    number = 0
    for character in text:
        digit = BASE62.find(character)
        if digit < 0:
            return None
        number = number * 62 + digit
    return number


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), CHECKSUM_LENGTH)
