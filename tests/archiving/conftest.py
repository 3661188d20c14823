"""A second installation beside the test's own: another database, another secret key."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.archiving.reading import open_archive
from app.archiving.restoring import restore_archive
from app.foundation.database import Database
from app.foundation.embedded import Addresses
from app.foundation.settings import Settings
from app.main import create_app
from tests.conftest import cloned, share_routes

NEW_OWNER = "nora@elsewhere.example"


@pytest.fixture
def settings_elsewhere(template: tuple[Settings, Addresses]) -> Iterator[Settings]:
    with cloned(template) as settings:
        yield replace(settings, secret_key="of the other installation, long enough")


@pytest.fixture
async def app_elsewhere(settings_elsewhere: Settings) -> AsyncIterator[FastAPI]:
    app = share_routes(create_app(settings_elsewhere, memory_seconds=0))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def elsewhere(app_elsewhere: FastAPI) -> Database:
    found: Database = app_elsewhere.state.database
    return found


async def restore(database: Database, path: Path) -> int:
    with open_archive(path) as archive:
        return await restore_archive(database, archive, NEW_OWNER)
