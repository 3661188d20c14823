"""A survey of Acme with half a year of answers, and a clock that stands still."""

from collections.abc import Iterator
from datetime import date

import pytest

from app.foundation import clock
from app.foundation.database import Database
from app.surveys.models import Channel
from tests.factories import Cast
from tests.reporting.data import NOW, TODAY, Answer, make_survey, spread
from tests.responses.scene import Scene

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
FREE_IN_MAY = [10] * 6 + [8] * 4 + [3] * 2
PRO_IN_MAY = [9] * 3 + [7] * 2 + [0] * 5
FREE_IN_JUNE = [10] * 5 + [6] * 3
PRO_IN_JUNE = [9] * 6
SECRET = "only two people of this kind"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    """36 answers of free and pro in May and June, 2 of team-less old people, 1 of today."""
    return await make_survey(
        database,
        cast.acme,
        [
            *spread(MAY, FREE_IN_MAY, plan="free"),
            *spread(MAY, PRO_IN_MAY, plan="pro"),
            *spread(JUNE, FREE_IN_JUNE, plan="free"),
            *spread(JUNE, PRO_IN_JUNE, plan="pro"),
            Answer(date(2026, 5, 20), 1, {"age": "old"}, SECRET, "ja", Channel.QR),
            Answer(date(2026, 6, 20), 2, {"age": "old"}, SECRET, "ja", Channel.QR),
            Answer(TODAY, 10, {"plan": "pro"}, "本日の回答です。", "ja"),
        ],
    )
