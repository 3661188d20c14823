"""What can no longer be used is deleted; what can stays."""

from datetime import timedelta

import httpx

from app.accounts.access import SESSION_IDLE
from app.accounts.jobs import expire_sign_ins
from app.accounts.models import User
from app.accounts.sign_in_links import make_sign_in_link
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.factories import Cast


async def test_expired_sessions_and_links_are_deleted(
    as_alice: httpx.AsyncClient, database: Database, settings: Settings, cast: Cast
) -> None:
    async with database.transaction() as session:
        alice = await session.get_one(User, cast.alice.user_id)
        await make_sign_in_link(session, settings, alice)
    assert await expire_sign_ins(database) == 0
    with clock.fixed(clock.now() + timedelta(hours=2)):
        await as_alice.get("/account")
        assert await expire_sign_ins(database) == 1, "the link"
    with clock.fixed(clock.now() + SESSION_IDLE + timedelta(hours=1)):
        assert await expire_sign_ins(database) == 3, "everybody but Alice"
        assert (await as_alice.get("/account")).status_code == 200
