"""Alice's password, and a browser for anybody who has a session token."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.accounts.models import User
from app.accounts.people import set_password
from app.foundation.database import Database
from tests.conftest import browser
from tests.factories import Cast

ALICES_PASSWORD = "violet tram crosses quietly"


@pytest.fixture
async def alices_password(cast: Cast, database: Database) -> str:
    """Alice has a password; setting it has ended her sessions."""
    async with database.transaction() as session:
        await set_password(
            session, await session.get_one(User, cast.alice.user_id), ALICES_PASSWORD
        )
    return ALICES_PASSWORD


@pytest.fixture
async def other_browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A second browser, signed in nowhere."""
    async with browser(app) as client:
        yield client
