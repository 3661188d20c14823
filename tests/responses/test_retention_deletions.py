"""What was deleted is counted by the workspace's day, by reason, and names no answer."""

from datetime import UTC, datetime

import psycopg

from app.foundation import clock
from app.foundation.database import Database
from app.responses.deletions import record_deletions
from app.responses.models import DeletionReason
from tests.responses.scene import Scene

# Nine hours ahead, in Tokyo, it is the first of September already.
LATE_IN_AUGUST = datetime(2026, 8, 31, 16, tzinfo=UTC)


async def test_deletions_add_up_by_day_and_reason(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    with clock.fixed(LATE_IN_AUGUST):
        for reason, number in (("receipt", 1), ("retention", 40), ("receipt", 2), ("api", 0)):
            async with database.transaction(scene.workspace_id) as session:
                await record_deletions(
                    session, scene.workspace_id, scene.survey_id, DeletionReason(reason), number
                )
    found = owner.execute(
        "SELECT survey_id, deleted_on::text, reason, responses FROM deletions ORDER BY reason"
    ).fetchall()
    assert found == [
        (scene.survey_id, "2026-09-01", "receipt", 3),
        (scene.survey_id, "2026-09-01", "retention", 40),
    ]
