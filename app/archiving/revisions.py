"""Which schema an archive was made with, and whether that is the one at hand."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.archiving.manifest import BadArchive, Manifest, newer_archive
from app.foundation.migrate import is_known_revision


async def schema_revision(session: AsyncSession) -> str:
    """The revision of the database's schema."""
    return str(
        (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
    )


async def refuse_other_schema(session: AsyncSession, manifest: Manifest) -> None:
    """BadArchive unless the archive's rows have the very columns that the tables here have."""
    here = await schema_revision(session)
    if manifest.schema_revision == here:
        return
    if not is_known_revision(manifest.schema_revision):
        raise newer_archive(manifest.honne_version)
    raise BadArchive(
        f"This archive was made by an older Honne ({manifest.honne_version}); upgrade that "
        "installation first and archive the workspace again."
    )
