"""The yardstick of durable answers: the least a database must do for one, by pgbench.

A single-row INSERT and the upsert of its count are one transaction, on the same server, tables and
settings, by 64 clients at once, with the very segment sets that the answers of the load have.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from app.foundation.embedded import binary
from app.responses.segment_sets import segment_set_id
from bench.installation import SEGMENT_VALUES, Installation

CLIENTS = 64

ONE_ANSWER = r"""
\set value random(1, {last_value})
BEGIN;
INSERT INTO responses (workspace_id, id, survey_id, version_id, segment_set_id, score, comment,
                       language, channel, answered_on, standing)
VALUES ('{workspace_id}', gen_random_uuid(), '{survey_id}', '{version_id}',
        (CAST('{{{sets}}}' AS uuid[]))[:value], 9, 'Answer number 1', 'en', 'api', current_date,
        'counted');
INSERT INTO daily_counts (workspace_id, survey_id, answered_on, segment_set_id, language, channel,
                          standing, score_0, score_1, score_2, score_3, score_4, score_5, score_6,
                          score_7, score_8, score_9, score_10)
VALUES ('{workspace_id}', '{survey_id}', current_date, (CAST('{{{sets}}}' AS uuid[]))[:value], 'en',
        'api', 'counted', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0)
ON CONFLICT (workspace_id, survey_id, answered_on, segment_set_id, language, channel, standing)
DO UPDATE SET score_9 = daily_counts.score_9 + 1;
END;
"""


def pgbench(installation: Installation, seconds: float) -> float:
    """Transactions a second; says its command on stderr."""
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
    place = installation.place
    sets = [
        str(segment_set_id(place.survey_id, {"plan": f"v{number}"}))
        for number in range(SEGMENT_VALUES)
    ]
    return ONE_ANSWER.format(
        last_value=SEGMENT_VALUES,
        version_id=place.version_id,
        workspace_id=place.workspace_id,
        survey_id=place.survey_id,
        sets=",".join(sets),
    )


def check_counts(installation: Installation) -> None:
    """Raises unless, score by score, what was counted is what is stored."""
    url = installation.addresses.owner_url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("SET row_security = off")
        for score in range(11):
            stored, counted = connection.execute(
                "SELECT (SELECT count(*) FROM responses WHERE score = %s), "  # noqa: S608
                f"(SELECT coalesce(sum(score_{score}), 0) FROM daily_counts)",
                [score],
            ).fetchall()[0]
            if stored != counted:
                raise RuntimeError(f"{stored} answers of score {score}, but {counted} counted")
