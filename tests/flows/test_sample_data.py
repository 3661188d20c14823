"""Real surveys, imported as an operator would, give exactly the independently computed figures."""

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from app.accounts.schemas import SYSTEM
from app.foundation.database import Database, enter_workspace
from app.foundation.settings import Settings
from app.responses.commands import register
from app.scoring import Distribution, nps_of
from app.surveys.actions import create_survey
from app.surveys.inputs import DimensionInput, SurveyInput
from app.surveys.models import DimensionSource
from tests.factories import make_workspace

ABSENT = {"(blank)", "NA"}  # what truth files call answers without a value
SUM_OF_SCORES = ", ".join(f"coalesce(sum(score_{score}), 0)" for score in range(11))
MIXED = "supermarket_fr_nps.latin1.csv"


@dataclass(frozen=True)
class Sample:
    """A file, the truth about it, and how to import it."""

    file: str
    truth: str
    segments: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()


SUPERMARKET = ("--comment", "explication", "--answered-on", "2014-04-30")
ATTENDED = {"type": "workshop_attended_type", "country": "workshop_country"}
SAMPLES = [
    Sample("supermarket_fr_nps.utf8.csv", "supermarket_fr_nps", {"t": "t"}, SUPERMARKET),
    Sample(MIXED, "supermarket_fr_nps", {"t": "t"}, SUPERMARKET),
    Sample(
        "carpentries_instructor_2018.csv",
        "carpentries_instructor_2018",
        {"recommend": "Recommend", "pace": "Pace"},
        (
            *("--date", "Date", "--date-format", "%m/%d/%y %H:%M"),
            *("--date-format", "%m/%d/%Y %H:%M"),
        ),
    ),
    Sample(
        "carpentries_longterm_2017.csv",
        "carpentries_longterm_2017",
        {
            "country": "Country",
            "position": "Position",
            "workshops": "How-Many-Workshops",
            "since": "How-Long-Ago",
        },
    ),
    Sample("carpentries_longterm_2020_03.csv", "carpentries_longterm_2020_03", ATTENDED),
    Sample("carpentries_longterm_2020_12.csv", "carpentries_longterm_2020_12", ATTENDED),
    *(
        Sample(f"{name}.csv", name, {}, ("--date", "response_date"))
        for name in ("datacamp_nps_email", "datacamp_nps_mobile", "datacamp_nps_web")
    ),
]


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.file)
def sample(request: pytest.FixtureRequest) -> Sample:
    found: Sample = request.param
    return found


@pytest.fixture
def truth(sample: Sample, sample_data: Path) -> dict[str, Any]:
    text = (sample_data / f"{sample.truth}.truth.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def summary(sample: Sample, truth: dict[str, Any], sample_data: Path, settings: Settings) -> str:
    """What `honne import` printed for the sample in a fresh workspace."""
    asyncio.run(make_survey(settings, sample))
    cli = typer.Typer()
    register(cli, lambda: nullcontext(settings))
    result = CliRunner().invoke(
        cli,
        [
            *("import", str(sample_data / sample.file)),
            *("--workspace", "Fresh", "--survey", "Sample", "--score", truth["score_column"]),
            *(f"--segment={key}={column}" for key, column in sample.segments.items()),
            *("--declare-values", *sample.options),
        ],
    )
    assert result.exit_code == 0, result.output
    return result.stdout


async def make_survey(settings: Settings, sample: Sample) -> None:
    database = Database(settings.database_url)
    async with database.transaction() as session:
        workspace_id = await make_workspace(session, "Fresh")
        await enter_workspace(session, workspace_id)
        dimensions = [
            DimensionInput(key=key, source=DimensionSource.API) for key in sample.segments
        ]
        given = SurveyInput(name="Sample", subject="Acme", dimensions=dimensions)
        await create_survey(session, workspace_id, SYSTEM, given)
    await database.close()


def test_an_imported_file_gives_the_true_figures(
    sample: Sample, truth: dict[str, Any], summary: str, owner: psycopg.Connection
) -> None:
    (overall,) = read_counts(owner, "''").values()
    assert overall.counts == tuple(truth["histogram"][str(score)] for score in range(11))
    assert figures(overall) == stated(truth["overall"])
    assert f"rows:      {truth['rows']:,} (unscored {truth['blank_scores']:,}, bad 0)" in summary
    for key, column in sample.segments.items():
        groups = truth["segments"][column]["groups"]
        assert without_absent(read_groups(owner, key)) == without_absent(
            {name: stated(group) for name, group in groups.items()}
        )
    months = read_counts(owner, "to_char(answered_on, 'YYYY-MM')")
    if "by_month" in truth:
        assert {name: figures(month) for name, month in months.items()} == {
            name: stated(month) for name, month in truth["by_month"].items()
        }
    if "with_comment" in truth:
        assert f"{truth['with_comment']:,} with a comment" in summary


def without_absent(groups: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """The groups with one name for those who have no value."""
    named = {"" if name in ABSENT else name: group for name, group in groups.items()}
    assert len(named) == len(groups)
    return named


def read_counts(owner: psycopg.Connection, group: str) -> dict[str, Distribution]:
    """The stored counts, summed by an SQL expression on them and their labels."""
    rows = owner.execute(
        f"""
        SELECT {group}, {SUM_OF_SCORES} FROM daily_counts
        JOIN segment_sets ON segment_sets.workspace_id = daily_counts.workspace_id
        AND segment_sets.id = daily_counts.segment_set_id
        WHERE standing = 'counted' AND channel = 'import' GROUP BY 1
        """  # noqa: S608
    )
    return {row[0]: Distribution(tuple(map(int, row[1:]))) for row in rows}


def read_groups(owner: psycopg.Connection, dimension: str) -> dict[str, tuple[Any, ...]]:
    """Figures by the label of each value of a dimension; the empty label for none."""
    labels: dict[str, str] = dict(
        owner.execute(
            """
            SELECT segment_values.key, segment_values.label ->> 'en' FROM segment_values
            JOIN segment_dimensions ON segment_dimensions.id = dimension_id
            WHERE segment_dimensions.key = %s
            """,
            [dimension],
        ).fetchall()
    )
    counts = read_counts(owner, f"coalesce(labels ->> '{dimension}', '')")
    return {labels.get(key, key): figures(found) for key, found in counts.items()}


def figures(counts: Distribution) -> tuple[Any, ...]:
    """n, promoters, passives, detractors and the NPS to the six places truth files give."""
    nps = nps_of(counts)
    assert nps is not None
    return (
        counts.total, counts.promoters, counts.passives, counts.detractors, round(nps.value, 6),
    )  # fmt: skip


def stated(truth: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        truth["n"], truth["promoters"], truth["passives"], truth["detractors"], truth["nps"],
    )  # fmt: skip


@pytest.mark.parametrize("sample", [SAMPLES[1]], ids=[MIXED], indirect=True)
def test_comments_in_two_encodings_at_once_come_out_right(
    summary: str, owner: psycopg.Connection
) -> None:
    assert "encoding cp1252+cp850" in summary
    comments = [
        row[0] for row in owner.execute("SELECT comment FROM responses WHERE comment IS NOT NULL")
    ]
    text = "\n".join(comments)
    assert text.count("é") > 5_000
    assert text.count("É") > 10
    assert not re.search("[\x80-\x9fÚÞÓÙ\ufffd]", text), "CP850 read as Latin-1, or the reverse"
