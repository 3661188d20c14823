"""What a start asks of a schema."""

from alembic.script import ScriptDirectory

from app.foundation.migrate import alembic_config, newest_revision


def test_the_last_migration_by_its_name_is_the_newest() -> None:
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert newest_revision() == newest, "name migrations by time, the later the greater"
