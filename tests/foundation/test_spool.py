"""A file is made without waiting for whoever fetches it."""

import asyncio
from collections.abc import AsyncIterator
from tempfile import TemporaryFile
from typing import IO

import pytest

from app.foundation.web import spool
from app.foundation.web.spool import spooled

LINES = [f"{number},薦める\r\n" for number in range(20_000)]


async def lines(ended: asyncio.Event) -> AsyncIterator[str]:
    try:
        for at in range(0, len(LINES), 100):
            yield "".join(LINES[at : at + 100])
    finally:
        ended.set()


async def test_a_slow_reader_gets_everything_after_the_source_has_ended() -> None:
    ended = asyncio.Event()
    found = spooled(lines(ended))
    text = await anext(found)
    await asyncio.wait_for(ended.wait(), timeout=10)
    async for chunk in found:
        text += chunk
        await asyncio.sleep(0)
    assert text.decode() == "".join(LINES)


async def test_a_reader_who_leaves_ends_the_source() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield LINES[0]
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    found = spooled(endless())
    await anext(found)
    await found.aclose()
    assert ended.is_set()


async def test_what_fails_is_told_after_what_was_made() -> None:
    async def failing() -> AsyncIterator[str]:
        yield "first"
        await asyncio.sleep(0)
        raise RuntimeError("away")

    found = spooled(failing())
    assert await anext(found) == b"first"
    with pytest.raises(RuntimeError, match="away"):
        await anext(found)


def test_what_nobody_begins_to_read_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    files = []

    def kept() -> IO[bytes]:
        files.append(file := TemporaryFile())  # noqa: SIM115
        return file

    monkeypatch.setattr(spool, "TemporaryFile", kept)
    found = spool.spooled(lines(asyncio.Event()))
    [file] = files
    assert not file.closed
    del found
    assert file.closed
