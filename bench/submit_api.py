"""Answers a second through the API, each committed before its 201, against pgbench.

The yardstick does the least a database must do for one answer: a single-row INSERT and the upsert
of its count in one transaction, on the same server, tables and settings.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from app.foundation.embedded import binary
from bench.figures import Figure
from bench.installation import SEGMENT_VALUES, Installation, fresh_installation, serving

ROUNDS = 3
SECONDS = 10.0
CLIENTS = 64

ONE_ANSWER = r"""
\set value random(0, {last_value})
BEGIN;
INSERT INTO responses (workspace_id, id, survey_id, version_id, segment_set_id, score, comment,
                       language, channel, answered_on, standing)
SELECT workspace_id, gen_random_uuid(), survey_id, '{version_id}', id, 9, 'Answer number 1',
       'en', 'api', current_date, 'counted'
FROM segment_sets
WHERE workspace_id = '{workspace_id}' AND labels = jsonb_build_object('plan', 'v' || :value)
  AND survey_id = '{survey_id}';
INSERT INTO daily_counts (workspace_id, survey_id, answered_on, segment_set_id, language, channel,
                          standing, score_0, score_1, score_2, score_3, score_4, score_5, score_6,
                          score_7, score_8, score_9, score_10)
SELECT workspace_id, survey_id, current_date, id, 'en', 'api', 'counted',
       0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0
FROM segment_sets
WHERE workspace_id = '{workspace_id}' AND labels = jsonb_build_object('plan', 'v' || :value)
  AND survey_id = '{survey_id}'
ON CONFLICT (workspace_id, survey_id, answered_on, segment_set_id, language, channel, standing)
DO UPDATE SET score_9 = daily_counts.score_9 + 1;
END;
"""


def measure_submit_api(scale: float) -> Iterator[Figure]:
    """Medians of three alternating rounds; raises where the counts are not exact afterwards."""
    ours, theirs = [], []
    with fresh_installation() as installation, serving(installation):
        _load(installation, 2)  # the first answers make the segment sets
        for _round in range(ROUNDS):
            ours.append(_load(installation, SECONDS * scale))
            theirs.append(_pgbench(installation, SECONDS * scale))
        _check_counts(installation)
    yield Figure("submit_api", statistics.median(ours), "answers/s", statistics.median(theirs))


def _load(installation: Installation, seconds: float) -> float:
    settings = installation.settings
    done = subprocess.run(
        [
            sys.executable, "-m", "bench.load", settings.host, str(settings.port),
            f"/api/v1/surveys/{installation.survey_id}/responses", installation.api_key,
            str(CLIENTS), str(seconds),
        ],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    return float(done.stdout)


def _pgbench(installation: Installation, seconds: float) -> float:
    parts = urlsplit(installation.addresses.owner_url)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "one_answer.sql"
        script.write_text(_script(installation))
        command = [
            str(binary("pgbench")), "-M", "prepared", "-c", str(CLIENTS), "-j", "2",
            "-T", str(max(1, round(seconds))), "-n", "-f", str(script),
            "-h", parse_qs(parts.query)["host"][0], "-U", str(parts.username), parts.path[1:],
        ]  # fmt: skip
        print(" ".join(command), file=sys.stderr)
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in said.splitlines() if line.startswith("tps = "))
    return float(line.split()[2])


def _script(installation: Installation) -> str:
    with _owner(installation) as connection:
        row = connection.execute(
            "SELECT id FROM survey_versions WHERE workspace_id = %s AND survey_id = %s",
            [installation.workspace_id, installation.survey_id],
        ).fetchone()
    assert row is not None
    return ONE_ANSWER.format(
        last_value=SEGMENT_VALUES - 1,
        version_id=row[0],
        workspace_id=installation.workspace_id,
        survey_id=installation.survey_id,
    )


def _check_counts(installation: Installation) -> None:
    """Score by score, what was counted is what is stored."""
    with _owner(installation) as connection:
        for score in range(11):
            stored, counted = connection.execute(
                "SELECT (SELECT count(*) FROM responses WHERE score = %s), "  # noqa: S608
                f"(SELECT coalesce(sum(score_{score}), 0) FROM daily_counts)",
                [score],
            ).fetchall()[0]
            if stored != counted:
                raise RuntimeError(f"{stored} answers of score {score}, but {counted} counted")


def _owner(installation: Installation) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(installation.addresses.owner_url.replace("+psycopg", ""))
