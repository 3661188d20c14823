"""`honne import`, `honne imports` and `honne undo-import`, as an operator types them."""

import asyncio
import re
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest
import typer
from typer.testing import CliRunner, Result

from app.foundation.database import Database, enter_workspace
from app.foundation.errors import HonneError, StartupError
from app.foundation.settings import Settings
from app.responses.commands import parse_id, register
from app.responses.csv_reading import CsvFormat, open_csv
from tests.factories import make_workspace
from tests.responses.scene import Scene, make_scene, recount, stored_answers, stored_counts

Honne = Callable[..., Result]
COLUMNS = ("--score", "score", "--comment", "comment", "--date", "day", "--segment", "plan=tier")
FILE = "score,comment,day,tier\n9,fine,2026-01-05,pro\n4,slow,2026-02-05,gold\n,,,\n"


@pytest.fixture
def scene(settings: Settings) -> Scene:
    async def make() -> Scene:
        database = Database(settings.database_url)
        try:
            async with database.transaction() as session:
                workspace_id = await make_workspace(session, "Acme")
                await enter_workspace(session, workspace_id)
                return await make_scene(session, workspace_id)
        finally:
            await database.close()

    return asyncio.run(make())


@pytest.fixture
def honne(settings: Settings, scene: Scene) -> Honne:
    """Runs a command in Acme."""
    cli = typer.Typer()
    register(cli, lambda: nullcontext(settings))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--workspace", str(scene.workspace_id)])

    return run


@pytest.fixture
def bring(honne: Honne, tmp_path: Path) -> Callable[..., Result]:
    """Writes a file and imports it into Acme's survey."""

    def run(content: str | bytes, *arguments: str) -> Result:
        path = tmp_path / "answers.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return honne("import", str(path), "--survey", "Café", *(arguments or COLUMNS))

    return run


def refusal(result: Result) -> str:
    """What `honne` prints where a command fails before it has begun."""
    assert isinstance(result.exception, (HonneError, StartupError)), result.output
    if isinstance(result.exception, HonneError):
        return result.exception.text("en")
    return str(result.exception)


def test_an_import_says_what_it_did(
    bring: Callable[..., Result], owner: psycopg.Connection
) -> None:
    result = bring(FILE)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[:-1] == [
        "file:      answers.csv (encoding utf-8, delimiter ,)",
        "rows:      3 (unscored 1, bad 0)",
        "stored:    2 answers, 2 with a comment",
        "days:      2026-01-05 to 2026-02-05",
        "NPS:       +0.00 (1 promoters, 0 passives, 1 detractors)",
        "scores:    0: 0  1: 0  2: 0  3: 0  4: 1  5: 0  6: 0  7: 0  8: 0  9: 1  10: 0",
        "other:     plan: 1 answers with a value that is not declared",
    ]
    assert re.fullmatch(r"import:    [0-9a-f-]{36}", lines[-1])
    assert stored_counts(owner) == recount(owner)


def test_a_dry_run_says_the_same_and_stores_nothing(
    bring: Callable[..., Result], owner: psycopg.Connection
) -> None:
    result = bring(FILE, *COLUMNS, "--dry-run", "--declare-values")
    assert result.exit_code == 0, result.output
    assert "to store:  2 answers" in result.stdout
    assert "declared:  plan: gold" in result.stdout
    assert "import:" not in result.stdout
    for table in ("responses", "imports", "daily_counts"):
        assert owner.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608
    assert owner.execute("SELECT 1 FROM segment_values WHERE key = 'gold'").fetchall() == []


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_bad_rows_are_listed_with_their_lines(
    options: tuple[str, ...], bring: Callable[..., Result], owner: psycopg.Connection
) -> None:
    result = bring(FILE + "12,x,2026-01-05,pro\n" * 25, *COLUMNS, *options)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "line 5: the score '12' is not a whole number from 0 to 10"
    assert lines[19].startswith("line 24: ")
    assert lines[20] == "… and 5 more bad rows"
    assert stored_answers(owner) == []


def test_bad_rows_can_be_skipped(bring: Callable[..., Result], owner: psycopg.Connection) -> None:
    result = bring(FILE + "12,x,2026-01-05,pro\n", *COLUMNS, "--skip-bad")
    assert result.exit_code == 0
    assert "bad 1" in result.stdout
    assert "line 5: " in result.stderr
    assert len(stored_answers(owner)) == 2


def test_imports_are_listed_and_undone(
    bring: Callable[..., Result], honne: Honne, owner: psycopg.Connection
) -> None:
    import_id = bring(FILE).stdout.split()[-1]
    listed = honne("imports")
    assert listed.exit_code == 0
    assert listed.stdout.startswith(f"{import_id}  20")
    assert listed.stdout.endswith("UTC  stored 2, unscored 1, skipped 0  answers.csv\n")
    undone = honne("undo-import", import_id)
    assert undone.stdout == "Removed 2 answers; the counts follow.\n"
    assert stored_answers(owner) == []
    assert stored_counts(owner) == {}
    assert ", undone 20" in honne("imports").stdout
    assert refusal(honne("undo-import", import_id)) == "This import was undone before."


def test_the_same_file_needs_again(bring: Callable[..., Result], owner: psycopg.Connection) -> None:
    bring(FILE)
    assert "--again" in refusal(bring(FILE))
    assert "--again" in refusal(bring(FILE, *COLUMNS, "--dry-run"))
    assert bring(FILE, *COLUMNS, "--again").exit_code == 0
    assert len(stored_answers(owner)) == 4


def test_every_option_reaches_the_reading(
    bring: Callable[..., Result], owner: psycopg.Connection
) -> None:
    text = "made today\nNote;Avis;Jour\nscore;texte;date\n9;une; très bonne idée|;31/01/2026\n"
    result = bring(
        text.replace("une;", "une").encode("cp850"),
        *("--score", "Note", "--comment", "texte", "--date", "#3", "--date-format", "%d/%m/%Y"),
        *("--encoding", "cp850", "--delimiter", "semicolon", "--skip-rows", "1"),
        *("--header-rows", "2", "--language", "ja"),
    )
    assert result.exit_code == 0, result.output
    rows = owner.execute("SELECT score, comment, language, answered_on::text FROM responses")
    assert rows.fetchall() == [(9, "une très bonne idée|", "ja", "2026-01-31")]


def test_a_workspace_and_a_survey_may_be_named(
    honne: Honne, settings: Settings, tmp_path: Path, owner: psycopg.Connection
) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(FILE)
    arguments = ("import", str(path), *COLUMNS, "--survey")
    assert refusal(honne(*arguments, "Nowhere")) == "There is no survey 'Nowhere'."
    unknown = "00000000-0000-4000-8000-000000000000"
    assert refusal(honne(*arguments, unknown)) == f"There is no survey '{unknown}'."
    cli = typer.Typer()
    register(cli, lambda: nullcontext(settings))
    for name, reason in (("Nobody", "There is no workspace"), ("Twin", "More than one workspace")):
        owner.execute(
            "INSERT INTO workspaces (id, name, time_zone, locale, is_demo, created_at) "
            "SELECT gen_random_uuid(), 'Twin', 'UTC', 'en', false, now()"
        )
        owner.execute(
            "INSERT INTO workspaces (id, name, time_zone, locale, is_demo, created_at) "
            "SELECT gen_random_uuid(), 'Twin', 'UTC', 'en', false, now()"
        )
        result = CliRunner().invoke(cli, [*arguments, "Café", "--workspace", name])
        assert reason in refusal(result)
    result = CliRunner().invoke(cli, [*arguments, "Café", "--workspace", "Acme"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--segment", "plan"), "is not DIMENSION=COLUMN"),
        (("--segment", "plan=tier", "--segment", "plan=day"), "is there twice"),
        (("--answered-on", "yesterday"), "give a day as 2026-04-30"),
        (("--delimiter", "::"), "give one character, or tab"),
        (("--header-rows", "0"), "greater than or equal to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: tuple[str, ...], reason: str, bring: Callable[..., Result]
) -> None:
    result = bring(FILE, "--score", "score", *options)
    assert result.exit_code == 2
    assert reason in " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nps,text\n9,x\n", "There is no column 'score'. The columns are: 'nps', 'text'."),
        ('score,comment,day,tier\n9,"never,2026-01-05,pro\n8,x,2026-01-05,pro\n', "opened in line"),
        ("score,comment,day,tier\n9," + "x" * 200_000 + ",2026-01-05,pro\n", ""),
        (bytes(range(256)) * 40, "There is no column"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "is not text"),
        ("", "has no header row"),
    ],
)
def test_a_hostile_file_is_refused_in_a_sentence(
    content: str | bytes, reason: str, bring: Callable[..., Result], owner: psycopg.Connection
) -> None:
    result = bring(content)
    assert result.exit_code == 1
    if reason:
        assert reason in refusal(result)
    assert stored_answers(owner) == []


def test_formulas_are_comments_like_others(
    bring: Callable[..., Result], sample_data: Path, owner: psycopg.Connection
) -> None:
    payloads = (sample_data / "csv_injection_payloads.txt").read_text().splitlines()
    rows = ['9,"' + payload.replace('"', '""') + '",2026-01-05,pro\n' for payload in payloads]
    assert bring("score,comment,day,tier\n" + "".join(rows)).exit_code == 0
    assert {comment for _score, comment in stored_answers(owner)} == set(payloads)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    peaks = []
    for rows in (20_000, 100_000):
        path.write_text("score,comment\n" + "9,a comment of some length\n" * rows)
        tracemalloc.start()
        assert sum(1 for _row in open_csv(path, CsvFormat()).rows()) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_an_id_is_an_id() -> None:
    with pytest.raises(StartupError, match="'x' is not an id"):
        parse_id("x")
