"""A published survey of Acme's, to be answered."""

import pytest

from app.foundation.database import Database
from tests.factories import Cast
from tests.responses.scene import Scene, make_scene


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        return await make_scene(session, cast.acme)
