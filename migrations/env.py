"""Alembic's entry: migrate as the owner, in one transaction, with time-outs."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, text

import app.accounts.models
import app.followups.models
import app.reporting.models
import app.reporting.sharing_tables
import app.reporting.view_tables
import app.responses.models
import app.responses.tag_models
import app.surveys.models  # noqa: F401
from app.foundation.database import Base


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_server_default=True
    )
    with context.begin_transaction():
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        connection.execute(text("SET LOCAL statement_timeout = '15min'"))
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(os.environ["DATABASE_OWNER_URL"]).connect() as connection:
        run(connection)
