"""A few cases for every operation of the API; many thousands are in `make torture`."""

from pathlib import Path

import httpx
import psycopg

from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.factories import Cast
from tests.fuzzing import fuzz, things_to_name
from tests.responses.scene import make_scene


async def test_every_operation_keeps_its_contract(
    settings: Settings,
    database: Database,
    cast: Cast,
    acme_api: httpx.AsyncClient,
    owner: psycopg.Connection,
    tmp_path: Path,
) -> None:
    async with database.transaction(cast.acme) as session:
        scene = await make_scene(session, cast.acme)
    things = await things_to_name(acme_api, owner, scene)
    found = fuzz(settings, cast, things, 4, tmp_path)
    assert found.is_clean, found.report
    assert found.cases > 100
