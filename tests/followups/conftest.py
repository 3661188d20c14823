"""A survey of Acme with answers around an action of May 15, and a clock that stands still."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from app.foundation import clock
from app.foundation.database import Database
from tests.factories import Cast
from tests.reporting.data import NOW, Answer, make_survey
from tests.responses.scene import Scene

DONE = date(2026, 5, 15)
DAYS_BEFORE = 40
DAYS_AFTER = 30


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    """On each of the 40 days before an unhappy answer and a passive one; on the day itself ten
    zeros, which count on no side; on each of the 30 days after two promoters."""
    before = [DONE - timedelta(days) for days in range(1, DAYS_BEFORE + 1)]
    after = [DONE + timedelta(days) for days in range(1, DAYS_AFTER + 1)]
    answers = [Answer(day, score, {"plan": "free"}) for day in before for score in (3, 7)]
    answers += [Answer(DONE, 0, {"plan": "free"}) for _ in range(10)]
    answers += [Answer(day, 10, {"plan": "pro"}) for day in after for _ in range(2)]
    return await make_survey(database, cast.acme, answers)


def home(scene: Scene) -> str:
    return f"/w/{scene.workspace_id}/surveys/{scene.survey_id}"
