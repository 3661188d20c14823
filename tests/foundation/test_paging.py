"""Cursors: ours come back as they went, anything else is refused."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.errors import Invalid
from app.foundation.paging import decode_cursor, encode_cursor


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_cursor_comes_back_as_it_went(parts: list[str]) -> None:
    cursor = encode_cursor(*parts)
    assert cursor.isascii()
    assert decode_cursor(cursor, len(parts)) == parts


@given(st.text(max_size=80))
def test_anything_else_is_refused(cursor: str) -> None:
    with suppress(Invalid):
        assert all(isinstance(part, str) for part in decode_cursor(cursor, 2))


@pytest.mark.parametrize(
    "content", [b'["a"]', b'{"a": 1, "b": 2}', b"[1, 2]", b"[", b'"ab"', b"\xff"]
)
def test_other_contents_are_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        decode_cursor(base64.urlsafe_b64encode(content).decode(), 2)
