"""Tables of an export, each as JSON Lines and as CSV, written while they are read."""

import json
from collections.abc import AsyncIterable, Mapping, Sequence
from tempfile import TemporaryFile
from typing import IO

from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.bundles import Bundle, Part
from app.foundation.giving_way import Pace
from app.reporting.exporting import BYTE_ORDER_MARK, csv_lines

Value = str | int | float | bool | None
Record = Mapping[str, Value]
CHUNK = 64 * 1024


async def write_table(
    session: AsyncSession,
    bundle: Bundle,
    name: str,
    columns: Sequence[str],
    batches: AsyncIterable[Sequence[Record]],
) -> int:
    """Write `name.jsonl` and `name.csv` with the same rows; return how many.

    Each record has exactly `columns`. A zip takes one file at a time, so the CSV waits on the disk;
    packing works in a thread, so that nobody else waits for it.
    """
    with TemporaryFile() as table:
        table.write((BYTE_ORDER_MARK + csv_lines([columns])).encode())
        with bundle.part(f"{name}.jsonl") as part:
            pace = Pace(session)
            async for records in batches:
                await to_thread.run_sync(_append, part, table, columns, records)
                await pace.give_way()
        with bundle.part(f"{name}.csv") as copy:
            await to_thread.run_sync(_copy, table, copy, part.rows)
    return part.rows


def json_line(record: object) -> str:
    """One line of JSON Lines."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def _append(
    part: Part, table: IO[bytes], columns: Sequence[str], records: Sequence[Record]
) -> None:
    part.write("".join(map(json_line, records)).encode(), len(records))
    rows = ([csv_cell(record[column]) for column in columns] for record in records)
    table.write(csv_lines(rows).encode())


def csv_cell(value: Value) -> str | float:
    """The value as it stands in a CSV file."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _copy(table: IO[bytes], part: Part, rows: int) -> None:
    table.seek(0)
    while chunk := table.read(CHUNK):
        part.write(chunk, 0)
    part.write(b"", rows)
