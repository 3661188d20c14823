"""Files written as fast as they are made and sent as slowly as they are fetched.

What makes the file holds a transaction; who fetches it may take an hour. Between the two stands a
temporary file without a name, so that the transaction ends when the last row is read.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from tempfile import TemporaryFile
from typing import IO, cast
from weakref import finalize

CHUNK = 64 * 1024


def spooled(lines: AsyncIterator[str]) -> AsyncGenerator[bytes]:
    """The text of `lines` in UTF-8; they are read to their end without waiting for the reader.

    OSError, before anything is sent, where there is no room for a file. What `lines` raises is
    raised after the bytes before it. A reader who leaves ends them.
    """
    file = TemporaryFile()  # noqa: SIM115 (closed with what is returned, read or not)
    try:
        file.write(bytes(CHUNK))
        file.flush()
    except OSError:
        _close(file)
        raise
    chunks = _chunks(file, lines)
    finalize(chunks, file.close)
    return chunks


def _close(file: IO[bytes]) -> None:
    """Also where what was not written yet has no room."""
    with suppress(OSError):
        file.close()


async def _chunks(file: IO[bytes], lines: AsyncIterator[str]) -> AsyncGenerator[bytes]:
    with file:
        spool = _Spool(file)
        writing = asyncio.create_task(spool.fill(lines))
        writing.add_done_callback(_see)
        try:
            async for chunk in spool.read(writing):
                yield chunk
            await writing
        finally:
            writing.cancel()
            # To await it again would take from an error the places that it came through.
            await asyncio.wait({writing})


def _see(writing: "asyncio.Task[None]") -> None:
    """Also what comes of it when nobody waits any more: asyncio logs that with its message."""
    if not writing.cancelled():
        writing.exception()


class _Spool:
    """One file, written at its end and read behind."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._written = 0
        self._more = asyncio.Event()

    async def fill(self, lines: AsyncIterator[str]) -> None:
        try:
            async with aclosing(cast(AsyncGenerator[str], lines)) as found:
                async for text in found:
                    self._file.seek(self._written)
                    self._written += self._file.write(text.encode())
                    self._more.set()
                    await asyncio.sleep(0)
        finally:
            self._more.set()

    async def read(self, writing: "asyncio.Task[None]") -> AsyncIterator[bytes]:
        place = 0
        while place < self._written or not writing.done():
            if place == self._written:
                self._more.clear()
                await asyncio.wait(
                    {writing, more := asyncio.ensure_future(self._more.wait())},
                    return_when=asyncio.FIRST_COMPLETED,
                )
                more.cancel()
                continue
            self._file.seek(place)
            chunk = self._file.read(min(CHUNK, self._written - place))
            place += len(chunk)
            yield chunk
