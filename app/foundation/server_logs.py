"""Answers stay out of Postgres's own log, also where its operator lets it log every statement.

Values travel beside the statements, never in them; what is left to switch off is the listing of
those values, and the rows that error messages quote. Both are settings of our own database.
"""

import logging
from collections.abc import Mapping

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.foundation.errors import sqlstate_of

logger = logging.getLogger("honne.database")

INSUFFICIENT_PRIVILEGE = "42501"
# Setting → value. "terse" leaves out the DETAIL of an error: the row that a constraint refused.
QUIET = {
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
# Set for the whole server only: with it, each row's `xmin` would tell the moment it was written.
FORGETFUL = {"track_commit_timestamp": "off"}


def quieten(connection: Connection) -> None:
    """Set what is not yet quiet for this database, as far as its owner may; new sessions obey."""
    quoted = connection.dialect.identifier_preparer.quote
    database = quoted(str(connection.scalar(text("SELECT current_database()"))))
    for name in _differing(connection, QUIET):
        try:
            with connection.begin_nested():
                connection.execute(text(f"ALTER DATABASE {database} SET {name} = '{QUIET[name]}'"))
        except DBAPIError as error:
            # Who may not is told by `warn`, at every start.
            if sqlstate_of(error) != INSUFFICIENT_PRIVILEGE:
                raise


def warn(connection: Connection) -> list[str]:
    """Say with which settings this server keeps more about an answer than is promised."""
    loud = _differing(connection, QUIET | FORGETFUL)
    if loud:
        logger.warning("the database server keeps more than promised", extra={"settings": loud})
    return loud


def _differing(connection: Connection, wanted: Mapping[str, str]) -> list[str]:
    rows = connection.execute(
        text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names) ORDER BY name"),
        {"names": list(wanted)},
    )
    return [name for name, setting in rows if setting != wanted[name]]
