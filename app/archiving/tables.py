"""Which tables an archive holds: all that belong to a workspace, but for a few."""

from sqlalchemy import Table

import app.accounts.models
import app.followups.models
import app.reporting.models
import app.reporting.sharing_tables
import app.reporting.view_tables
import app.responses.models
import app.responses.tag_models
import app.surveys.models  # noqa: F401
from app.foundation.database import Base, TenantRow

# What stays behind, and why.
EXCLUDED = {
    "api_keys": "hashed under this installation's secret key; elsewhere they open nothing",
    "comment_terms": "found again in the comments where the archive is restored",
    "day_totals": "added up again from daily_counts where the archive is restored",
    "idempotency_records": "answers to calls made with the keys that stay behind, for a day",
    "member_invitations": "hashed under this installation's secret key, and members stay behind",
    "shared_reports": "hashed under this installation's secret key; elsewhere they open nothing",
    "submission_keys": "of forms signed with this installation's secret key, for a day",
}
WORKSPACES = "workspaces"


def tenant_tables() -> list[Table]:
    """Every table whose rows belong to a workspace, each after those it refers to."""
    tenants = {
        mapper.local_table
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantRow)
    }
    return [table for table in Base.metadata.sorted_tables if table in tenants]


def archived_tables() -> list[Table]:
    """The tables of an archive in the order in which they are restored, the workspace first."""
    kept = [table for table in tenant_tables() if table.name not in EXCLUDED]
    return [Base.metadata.tables[WORKSPACES], *kept]


def column_names(table: Table) -> list[str]:
    return sorted(column.name for column in table.columns)


def part_name(table: str) -> str:
    """The file of a table within an archive."""
    return f"{table}.jsonl"
