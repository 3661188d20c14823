"""Jobs go through all workspaces, and leave most of the time to others."""

import time

import psycopg
import pytest

from app.accounts.rounds import unscoped_go_round
from app.foundation.database import Database
from app.foundation.giving_way import JOBS_REST
from tests.factories import Cast

WORK_S = 0.02


async def test_workspaces_that_are_there_one_after_the_other(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE workspaces SET time_zone = 'Asia/Tokyo' WHERE id = %s", [cast.acme])
    stops = [stop async for stop in unscoped_go_round(database)]
    assert (cast.acme, "Asia/Tokyo") in stops
    assert {stop.workspace_id for stop in stops} == {cast.acme, cast.globex}
    owner.execute("UPDATE workspaces SET deleted_at = now() WHERE id = %s", [cast.globex])
    assert [stop.workspace_id async for stop in unscoped_go_round(database)] == [cast.acme]


@pytest.mark.usefixtures("cast")
async def test_it_rests_in_between(database: Database) -> None:
    began = time.monotonic()
    worked = 0.0
    async for _stop in unscoped_go_round(database):
        started = time.monotonic()
        time.sleep(WORK_S)  # noqa: ASYNC251 (as a job that computes)
        worked += time.monotonic() - started
    assert worked >= 2 * WORK_S
    assert time.monotonic() - began >= (1 + JOBS_REST) * worked
