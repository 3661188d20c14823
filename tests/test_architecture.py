"""Rules of the house that a tool can check; each message says why."""

import ast
import re
import sys
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, UniqueConstraint

import app.accounts.models
import app.followups.models
import app.responses.models
import app.surveys.models  # noqa: F401
from app.accounts.pages.wording import ACTIONS
from app.foundation.database import RUNTIME_ROLE, Base, TenantRow
from app.foundation.migrate import alembic_config, connected
from app.foundation.settings import VARIABLES, Settings
from app.main import create_app
from tests.routes import routes_of

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "app").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TENANT_TABLES = {
    mapper.local_table.name: mapper.local_table
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, TenantRow) and isinstance(mapper.local_table, Table)
}
# Their natural key is their identity: a random id would only hide a duplicate.
NATURAL_KEYS = {
    "audit_heads",
    "brands",
    "closed_counts",
    "comment_terms",
    "daily_counts",
    "day_totals",
    "deletions",
    "month_totals",
    "response_contacts",
    "response_tags",
    "submission_keys",
    "survey_goals",
}
# Who may look across workspaces, and where. A new line here is a decision.
UNSCOPED_CALLS = {
    # The doors: whose browser this is, and whether they belong to the workspace of the URL.
    ("app/accounts/access.py", "unscoped_find_session"),
    ("app/accounts/access.py", "unscoped_get_membership"),
    # One person's own things.
    ("app/accounts/pages/account.py", "unscoped_list_sessions_of"),
    ("app/accounts/pages/account.py", "unscoped_list_workspaces_of"),
    ("app/accounts/pages/sign_in.py", "unscoped_list_workspaces_of"),
    ("app/accounts/sign_in.py", "unscoped_list_workspaces_of"),
    # Signing in: by address, or by a link.
    ("app/accounts/pages/sign_in.py", "unscoped_find_sign_in_link"),
    ("app/accounts/sign_in.py", "unscoped_find_user_by_email"),
    ("app/accounts/sign_in_links.py", "unscoped_get_user_of_link"),
    # The very first start.
    ("app/accounts/pages/first_run.py", "unscoped_has_users"),
    ("app/accounts/pages/sign_in.py", "unscoped_has_users"),
    ("app/accounts/workspaces.py", "unscoped_has_users"),
    ("app/cli.py", "unscoped_has_users"),
    # An owner may have an account already; the operator names people by their address.
    ("app/accounts/workspaces.py", "unscoped_find_user_by_email"),
    ("app/cli.py", "unscoped_find_user_by_email"),
    ("app/demo/loading.py", "unscoped_find_user_by_email"),
    # The operator checks the audit logs of all workspaces, one after the other.
    ("app/accounts/commands.py", "unscoped_list_workspaces"),
    # A respondent's slug, the operator's workspace name.
    ("app/responses/entrances.py", "unscoped_find_workspace_of"),
    ("app/responses/commands.py", "unscoped_find_workspace"),
    ("app/archiving/commands.py", "unscoped_find_workspace"),
    # The new owner of a restored workspace, by their address.
    ("app/archiving/commands.py", "unscoped_find_user_by_email"),
    # What is older than its survey keeps it goes everywhere.
    ("app/responses/jobs.py", "unscoped_list_keepings"),
    ("app/reporting/jobs.py", "unscoped_list_keepings"),
    # Whatever is due in any workspace.
    ("app/reporting/indexing.py", "unscoped_go_round"),
    ("app/reporting/jobs.py", "unscoped_go_round"),
    ("app/responses/jobs.py", "unscoped_go_round"),
    ("app/responses/retention.py", "unscoped_go_round"),
}
# Whatever tells what people of one kind have answered. Everybody's own figures and lists are shown
# by day and subgroups' by published blocks; a reader that mixes both could tell who is who.
COUNTS_BY_LABEL = {
    "ClosedCount": "closed_counts",
    "DailyCount": "daily_counts",
    "Edition": "editions",
    "PublishedFigure": "published_figures",
    "SegmentSet": "segment_sets",
}
LABEL_COLUMNS = {"channel", "language", "segment_set_id"}
# Who may name these, and where. A new line here is a decision: nothing of it may reach a reader
# but through publication.
READERS_OF_COUNTS = {
    # The one door: published figures, decided from what is closed of an edition.
    ("app/reporting/publication.py", "Edition"),
    ("app/reporting/publication.py", "PublishedFigure"),
    ("app/reporting/publication.py", "load_closed_answers"),
    # What it decides from, and everybody's totals by day, without labels.
    ("app/reporting/queries.py", "ClosedCount"),
    ("app/reporting/queries.py", "DailyCount"),
    ("app/reporting/queries.py", "Edition"),
    ("app/reporting/queries.py", "SegmentSet"),
    ("app/reporting/queries.py", "load_closed_answers"),
    # Rows of the blocks that publication names, without their days; and rows by day, unlabelled.
    ("app/reporting/finding.py", "Edition"),
    ("app/reporting/finding.py", "Response labels"),
    ("app/reporting/finding.py", "SegmentSet"),
    # Deletes what is older than its survey keeps it; shows nothing.
    ("app/reporting/rollup.py", "ClosedCount"),
    ("app/reporting/rollup.py", "DailyCount"),
    ("app/reporting/rollup.py", "Edition"),
    ("app/reporting/rollup.py", "PublishedFigure"),
    ("app/reporting/rollup.py", "Response labels"),
    ("app/reporting/rollup.py", "SegmentSet"),
    # Closes months: copies counts, and says how far.
    ("app/responses/closing.py", "ClosedCount"),
    ("app/responses/closing.py", "DailyCount"),
    ("app/responses/closing.py", "Edition"),
    # Reads the words of comments, in the language of their form, and keeps their terms.
    ("app/reporting/indexing.py", "Response labels"),
    # Write answers and keep the counts in step with them: the labels say which count.
    ("app/responses/counts.py", "DailyCount"),
    ("app/responses/counts.py", "Response labels"),
    ("app/responses/import_counts.py", "DailyCount"),
    ("app/responses/importing.py", "Edition"),
    ("app/responses/mixing.py", "Response labels"),
    ("app/responses/mixing.py", "SegmentSet"),
    ("app/responses/reviewing.py", "Response labels"),
    ("app/responses/schemas.py", "Response labels"),
    ("app/responses/segment_sets.py", "SegmentSet"),
    ("app/responses/storing.py", "Response labels"),
    # Everybody's totals by day, without labels, kept equal to the counts.
    ("app/responses/day_totals.py", "DailyCount"),
    # The first day of which anything is counted, for the page that says what was deleted.
    ("app/responses/retention.py", "DailyCount"),
    # Single answers by their ids: to delete one, decide whether it counts, or confirm that it came.
    ("app/responses/erasure.py", "Response"),
    ("app/responses/queries.py", "Response"),
    # Whole tables: the operator's archive, which no page and no key opens, and the end of a
    # workspace. Whoever may have these has the database anyway.
    ("app/archiving/answers_csv.py", "Response labels"),
    ("app/archiving/answers_csv.py", "SegmentSet"),
    ("app/archiving/tables.py", "metadata"),
    ("app/accounts/workspace_deletion.py", "metadata"),
    # Which tables there are, and nothing of what stands in them.
    ("app/foundation/distribution.py", "metadata"),
}
# The edges of a transaction: requests and jobs (database), intake and the import commit by leaving.
# Two commands of the operator change the schema.
COMMITTERS = {"app/foundation/distribution.py", "app/foundation/migrate.py"}
MAX_LINES = 400


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_route_names_its_door(settings: Settings) -> None:
    open_routes = [
        f"{route.method} {route.path}"
        for route in routes_of(create_app(settings))
        if not route.doors
    ]
    assert not open_routes, "name who may come in: Anyone, Respondent, SignedInMember, ApiReader …"


def test_tenant_routes_stand_behind_a_member_door(settings: Settings) -> None:
    for route in routes_of(create_app(settings)):
        if route.path.startswith("/w/"):
            assert "_signed_in_member" in route.doors, f"{route.path} shows a workspace to anyone"


@pytest.mark.parametrize("table", sorted(TENANT_TABLES))
def test_every_key_of_a_tenant_table_holds_the_workspace(table: str) -> None:
    found = TENANT_TABLES[table]
    assert next(iter(found.columns)).name == "workspace_id"
    assert isinstance(found.primary_key, PrimaryKeyConstraint)
    if table not in NATURAL_KEYS:
        assert [column.name for column in found.primary_key] == ["workspace_id", "id"]
    for constraint in found.constraints:
        if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint | ForeignKeyConstraint):
            names = {column.name for column in constraint.columns}
            assert "workspace_id" in names, f"{constraint.name} would let workspaces meet"
        if isinstance(constraint, ForeignKeyConstraint):
            assert constraint.ondelete in (None, "CASCADE")
    for index in found.indexes:
        assert isinstance(index, Index)
        assert index.columns[0].name == "workspace_id", f"{index.name} scans other workspaces"


def test_row_level_security_is_forced_on_every_tenant_table(owner: psycopg.Connection) -> None:
    secured = owner.execute(
        """
        SELECT relname FROM pg_class
        JOIN pg_policy ON polrelid = pg_class.oid
        WHERE relrowsecurity AND relforcerowsecurity AND polcmd = '*'
          AND pg_get_expr(polqual, polrelid) LIKE '(workspace_id = %app.workspace_id%'
          AND pg_get_expr(polqual, polrelid) = pg_get_expr(polwithcheck, polrelid)
        """
    ).fetchall()
    assert {name for (name,) in secured} == set(TENANT_TABLES)
    with_workspace = owner.execute(
        """
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'workspace_id'
        """
    ).fetchall()
    assert {name for (name,) in with_workspace} == set(TENANT_TABLES) | {"links", "memberships"}


def test_the_runtime_role_owns_nothing_and_bypasses_nothing(owner: psycopg.Connection) -> None:
    role = owner.execute(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolcanlogin "
        "FROM pg_roles WHERE rolname = %s",
        [RUNTIME_ROLE],
    ).fetchone()
    assert role == (False, False, False, False, False)
    owned = owner.execute(
        "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = %s", [RUNTIME_ROLE]
    ).fetchone()
    assert owned == (0,)
    may_create = owner.execute(
        "SELECT has_schema_privilege(%s, 'public', 'CREATE')", [RUNTIME_ROLE]
    ).fetchone()
    assert may_create == (False,)


def test_the_audit_log_can_only_grow(owner: psycopg.Connection) -> None:
    verbs = owner.execute(
        "SELECT privilege_type FROM information_schema.table_privileges "
        "WHERE table_name = 'audit_events' AND grantee = %s",
        [RUNTIME_ROLE],
    ).fetchall()
    assert {verb for (verb,) in verbs} == {"SELECT", "INSERT"}


def test_unscoped_functions_are_called_only_where_that_is_meant() -> None:
    calls = {
        (_name(path), node.func.id)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.startswith("unscoped_")
    }
    assert calls - UNSCOPED_CALLS == set(), "this looks across workspaces; enter one instead"
    assert UNSCOPED_CALLS - calls == set(), "strike what is no longer there"


def test_counts_by_label_are_read_only_where_that_is_meant() -> None:
    readers = {
        (_name(path), found)
        for path in SOURCES
        if path.name != "models.py"
        for node in ast.walk(ast.parse(path.read_text()))
        for found in _counts_named(node)
    }
    assert readers - READERS_OF_COUNTS == set(), (
        "counts by label are shown by app/reporting/publication.py alone: two ways to read them"
        " can be subtracted from each other until one person is left"
    )
    assert READERS_OF_COUNTS - readers == set(), "strike what is no longer there"


def _counts_named(node: ast.AST) -> set[str]:
    """What of the counts by label a node of the source names, in Python or in SQL."""
    whole = {*COUNTS_BY_LABEL, "load_closed_answers"}
    match node:
        case ast.Attribute(attr="segment_set_id", value=ast.Name(id=table)):
            return set() if table in COUNTS_BY_LABEL else {"Response labels"}
        case ast.Attribute(attr=name, value=ast.Name(id="Response")) if name in LABEL_COLUMNS:
            return {"Response labels"}
        case ast.Call(func=ast.Name(id="select"), args=args):
            return {"Response"} if any(ast.unparse(arg) == "Response" for arg in args) else set()
        case ast.Constant(value=str(text)):
            return {name for name, table in COUNTS_BY_LABEL.items() if _is_in_sql(table, text)}
        case ast.Attribute(attr=name):
            return {name} & {*whole, "metadata"}
        case ast.alias(name=name) | ast.Name(id=name) | ast.AsyncFunctionDef(name=name):
            return {name} & whole
    return set()


def _is_in_sql(table: str, text: str) -> bool:
    return bool(re.search(rf"\b(FROM|JOIN|INTO|UPDATE|USING)\s+{table}\b", text))


@pytest.mark.parametrize(
    "source",
    [
        "from app.responses.models import ClosedCount as Rows",
        "models.DailyCount.score_0",
        "select(Response)",
        "Response.language",
        "answer.segment_set_id",
        "text('SELECT 1 FROM responses JOIN segment_sets ON true')",
        "text(f'SELECT {columns} FROM published_figures')",
        "Base.metadata.tables",
        "queries.load_closed_answers",
    ],
)
def test_a_further_reader_of_counts_would_be_seen(source: str) -> None:
    assert any(_counts_named(node) for node in ast.walk(ast.parse(source)))


def test_every_act_in_the_audit_log_has_words() -> None:
    acts = {
        node.value
        for path in SOURCES
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.AsyncFunctionDef) and _records(function)
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(node.value))
    }
    assert acts == set(ACTIONS), "the log would show a code, or words for what nobody does"


def _records(function: ast.AsyncFunctionDef) -> bool:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    recorders = {"record_event", "record_in_each_workspace"}
    return any(isinstance(call, ast.Name) and call.id in recorders for call in calls)


def test_nobody_commits_but_the_edges() -> None:
    for path in SOURCES:
        if re.search(r"\.(commit|rollback)\(", path.read_text()):
            assert _name(path) in COMMITTERS, f"{_name(path)}: leaving the transaction commits"


def test_files_stay_short_and_well_named() -> None:
    for path in SOURCES:
        assert len(path.read_text().splitlines()) <= MAX_LINES, f"split {_name(path)} by concept"
        assert path.stem not in {"utils", "helpers", "common", "manager", "service", "services"}
        assert path.stem not in sys.stdlib_module_names or path.stem.startswith("__")


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_templates_fit_the_content_security_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=", text), "the policy blocks style attributes"
    assert not re.search(r"\son[a-z]+=", text), "the policy blocks inline handlers"
    assert not re.search(r"(src|href)=[\"']https?://", text), "pages load nothing from elsewhere"
    assert "|safe" not in text, "escape everything; build Markup in Python where it is needed"


def test_every_template_is_used() -> None:
    texts = "\n".join(path.read_text() for path in [*SOURCES, *TEMPLATES])
    for path in TEMPLATES:
        name = path.relative_to(ROOT / "templates").as_posix()
        assert name in texts, f"{name} is rendered nowhere"


def test_every_setting_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    for variable in VARIABLES:
        assert f"`{variable}`" in readme, f"say in README.md what {variable} does"
    read = set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', _all_sources()))
    assert read <= set(VARIABLES), "add it to settings.VARIABLES and to README.md"


def _all_sources() -> str:
    return "\n".join(path.read_text() for path in SOURCES)


def test_dependency_files_name_no_host() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "Dockerfile", "pyproject.toml"):
        assert not re.search(r"https?://", (ROOT / name).read_text()), f"{name} names an address"


def test_the_schema_is_what_the_models_say(settings: Settings) -> None:
    with connected(settings.database_owner_url) as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.check(config)


def test_no_message_hides_in_an_f_string() -> None:
    for path in SOURCES:
        hidden = [
            call.args[0].value
            for text in ast.walk(ast.parse(path.read_text()))
            if isinstance(text, ast.JoinedStr)
            for call in ast.walk(text)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id in {"_", "gettext", "ngettext", "mark"}
            and isinstance(call.args[0], ast.Constant)
        ]
        assert not hidden, f"{_name(path)}: Python 3.11 does not find {hidden} for translation"
