"""What stands beside the demo's score: everything that a dashboard can show is shown by it."""

from datetime import date, timedelta

import httpx
import psycopg

from app.demo.story import REPAIR_DAY, disruption
from app.demo.surroundings import GOAL, MONTHS, PLANS, note_surroundings
from app.foundation import clock
from app.foundation.database import Database
from tests.factories import Cast
from tests.reporting.data import NOW, TODAY, Answer, make_survey
from tests.responses.scene import Scene

LAST_DAY = TODAY - timedelta(days=1)


async def _scene(database: Database, cast: Cast) -> Scene:
    """A survey whose scores are as bad as the redesign, and its surroundings."""
    days = [at for at in range(0, 170, 2) for _ in range(3)]
    answers = [Answer(LAST_DAY - timedelta(days=at), 4 if disruption(at) else 10) for at in days]
    return await make_survey(database, cast.acme, answers)


async def test_a_dashboard_shows_goal_benchmark_marks_and_rates(
    database: Database, cast: Cast, as_bob: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    with clock.fixed(NOW):
        scene = await _scene(database, cast)
        home = f"/w/{scene.workspace_id}/surveys/{scene.survey_id}"
        owner.execute(
            "INSERT INTO segment_values (workspace_id, id, dimension_id, key, label, position,"
            " is_archived) "
            "SELECT workspace_id, gen_random_uuid(), dimension_id, key_of_demo, label, 9, false "
            "FROM segment_values, unnest(ARRAY['standard', 'enterprise']) AS key_of_demo "
            "WHERE key = 'pro'"
        )
        async with database.transaction(scene.workspace_id) as session:
            await note_surroundings(
                session, scene.workspace_id, scene.survey_id, cast.alice.user_id, LAST_DAY
            )
        page = (await as_bob.get(home, params={"period": "all"})).text
        assert f"Goal: +{GOAL}" in page
        assert "Benchmark: +12" in page
        assert "Permissions and reports redesigned / 権限とレポートをリニューアル" in page
        actions = (await as_bob.get(f"{home}/actions")).text
        done = LAST_DAY - timedelta(days=REPAIR_DAY)
        assert f"Done on {done:%b} {done.day}, {done.year}" in actions
        assert "Clearly higher than before" in actions
        assert "In progress" in actions
        beside = (await as_bob.get(f"{home}/indicators")).text
        assert "Churn rate" in beside
    (rows,) = owner.execute("SELECT count(*) FROM indicators").fetchone() or (0,)
    assert rows == (len(PLANS) + 3) * MONTHS
    (last,) = owner.execute("SELECT max(month) FROM indicators").fetchone() or (None,)
    assert last == date(TODAY.year, TODAY.month - 1, 1)
