"""The daily counts of a whole file: added up by the database, however many answers it has."""

import uuid

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.responses.counts import RowKey
from app.responses.day_totals import DayKey, move_totals
from app.responses.models import SCORES, Standing


async def count_import(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    import_id: uuid.UUID,
    *,
    is_undone: bool = False,
) -> None:
    """Add the answers of an import, which are stored, to the counts, or take them back.

    As with `apply_count_changes`, nothing is locked afterwards, and rows in one order. Raises
    IntegrityError where there is not that much to take back.
    """
    names = {"workspace_id": workspace_id, "import_id": import_id}
    totals: dict[DayKey, list[int]] = {}
    for day, standing, score, number in await session.execute(_TOTALS_OF_IMPORT, names):
        key = (survey_id, day, Standing(standing))
        totals.setdefault(key, [0] * len(SCORES))[score] = -number if is_undone else number
    await move_totals(session, workspace_id, totals.items())
    if is_undone:
        # Rows without a number to subtract from appear with nothing, and cannot go below it.
        await session.execute(_MEET_IMPORT, names)
        await session.execute(_SUBTRACT_IMPORT, names)
    else:
        await session.execute(_ADD_IMPORT, names)


# The statements below are made of these column names only.
_KEYS = RowKey._fields
_SCORES = [f"score_{score}" for score in SCORES]
_OF_IMPORT = f"""
    SELECT workspace_id, {", ".join(_KEYS)},
        {", ".join(f"count(*) FILTER (WHERE score = {at}) AS score_{at}" for at in SCORES)}
    FROM responses WHERE workspace_id = :workspace_id AND import_id = :import_id
    GROUP BY workspace_id, {", ".join(_KEYS)}
"""  # noqa: S608
_INSERT_IN_ORDER = f"INSERT INTO daily_counts (workspace_id, {', '.join([*_KEYS, *_SCORES])})"
_ADD_IMPORT = text(
    f"""
    {_INSERT_IN_ORDER} {_OF_IMPORT} ORDER BY {", ".join(_KEYS)}
    ON CONFLICT (workspace_id, {", ".join(_KEYS)}) DO UPDATE
    SET {", ".join(f"{name} = daily_counts.{name} + excluded.{name}" for name in _SCORES)}
    """  # noqa: S608
)
_MEET_IMPORT = text(
    f"""
    {_INSERT_IN_ORDER}
    SELECT workspace_id, {", ".join([*_KEYS, *("0" for _score in SCORES)])}
    FROM ({_OF_IMPORT}) AS change ORDER BY {", ".join(_KEYS)}
    ON CONFLICT (workspace_id, {", ".join(_KEYS)}) DO UPDATE SET score_0 = daily_counts.score_0
    """  # noqa: S608
)
_SUBTRACT_IMPORT = text(
    f"""
    UPDATE daily_counts
    SET {", ".join(f"{name} = daily_counts.{name} - change.{name}" for name in _SCORES)}
    FROM ({_OF_IMPORT}) AS change
    WHERE daily_counts.workspace_id = :workspace_id
    AND {" AND ".join(f"daily_counts.{name} = change.{name}" for name in _KEYS)}
    """  # noqa: S608
)
_TOTALS_OF_IMPORT = text(
    """
    SELECT answered_on, standing, score, count(*) FROM responses
    WHERE workspace_id = :workspace_id AND import_id = :import_id
    GROUP BY answered_on, standing, score
    """
)
