"""A workspace of made-up answers in any number: what measurements of large surveys stand on.

Each load makes a workspace of its own and writes into no other. The answers bypass the intake:
they go to the tables by COPY, with their counts in the same transaction, so the counts are exact
however far a load got. Keys to other tables are not checked row by row, because all of them are
made here; that and COPY past row-level security take a superuser.
"""

import asyncio
import math
import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, cycle, islice, pairwise, product

import psycopg
from psycopg import sql

from app.accounts.schemas import SYSTEM
from app.accounts.workspaces import create_workspace
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import StartupError
from app.foundation.settings import Settings
from app.responses.models import SCORES
from app.responses.segment_sets import LabelSet, ensure_segment_sets
from app.surveys.actions import create_survey, mark_answered, publish_survey
from app.surveys.inputs import SurveyInput
from app.surveys.models import MAX_VALUES
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

NAME = "Honne bench"
LANGUAGES = ("en", "ja")
CHANNELS = ("email", "link")
SHARES_OF_SCORES = (2, 1, 1, 2, 2, 5, 6, 12, 20, 22, 27)
# Four of ten say something, of the length that people write.
COMMENTS = (
    *[None] * 6,
    "Works well for us.",
    "Support answered within an hour and solved it. I would ask for the export to be quicker.",
    "画面の動きが軽くなり、毎日使いやすくなりました。",
    "Too expensive for a small team, and the invoice was wrong twice.",
)
CONNECTIONS = 2
ANSWERS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load made; days are calendar days of UTC, the last of them yesterday."""

    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    answers: int
    counts: int


async def load_answers(
    database: Database, settings: Settings, answers: int, segments: int, days: int
) -> Loaded:
    """Make a workspace with one survey, `segments` combinations of segment values and that many
    answers, spread over the `days` before today. StartupError without a superuser's login."""
    with _owner(settings) as connection:
        _require_superuser(connection)
    questionnaire, sets = await _furnish(database, segments)
    today = clock.today("UTC")
    # The latest day first, as answers are listed: so their index grows at its end.
    of_days = {
        today - timedelta(days=at): size for at, size in enumerate(_spread(answers, days), 1)
    }
    bounds = [days * part // CONNECTIONS for part in range(CONNECTIONS + 1)]
    shares = [dict(islice(of_days.items(), *part)) for part in pairwise(bounds)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        loop = asyncio.get_running_loop()
        made = [
            loop.run_in_executor(threads, _copy_days, settings, questionnaire, sets, share)
            for share in shares
        ]
        counts = sum(await asyncio.gather(*made))
    return Loaded(questionnaire.workspace_id, questionnaire.survey_id, answers, counts)


def _owner(settings: Settings) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(settings.database_owner_url.replace("+psycopg", ""))


def _require_superuser(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    if connection.info.parameter_status("is_superuser") != "on":
        raise StartupError("Loading by COPY takes a superuser's login in DATABASE_OWNER_URL.")


async def _furnish(database: Database, segments: int) -> tuple[Questionnaire, Sequence[uuid.UUID]]:
    async with database.transaction() as session:
        workspace = await create_workspace(session, NAME, "UTC", "en")
        sizes = _sizes(segments)
        survey = await create_survey(session, workspace.id, SYSTEM, _survey(sizes))
        survey.shows_steps = False
        await publish_survey(session, workspace.id, SYSTEM, survey.id)
        await mark_answered(session, workspace.id, survey.id)
        sets = [LabelSet(survey.id, labels) for labels in _combinations(sizes, segments)]
        await ensure_segment_sets(session, workspace.id, sets)
        return (
            await get_questionnaire(session, workspace.id, survey.id),
            sorted(found.id for found in sets),
        )


def _sizes(segments: int) -> dict[str, int]:
    """How many values each of three dimensions has, so that there are enough combinations."""
    side = math.ceil(segments ** (1 / 3))
    plans = min(side, MAX_VALUES)
    regions = min(math.ceil(segments / plans / max(1, side - 1)), MAX_VALUES)
    roles = math.ceil(segments / plans / regions)
    if roles > MAX_VALUES:
        raise StartupError(f"At most {MAX_VALUES**3:,} segment sets can be made.")
    return {"plan": plans, "region": regions, "role": roles}


def _survey(sizes: Mapping[str, int]) -> SurveyInput:
    return SurveyInput.model_validate(
        {
            "name": NAME,
            "subject": NAME,
            "languages": list(LANGUAGES),
            "dimensions": [
                {"key": key, "values": [{"key": f"{key}-{at}"} for at in range(size)]}
                for key, size in sizes.items()
            ],
        }
    )


def _combinations(sizes: Mapping[str, int], segments: int) -> Iterator[dict[str, str]]:
    values = product(*([f"{key}-{at}" for at in range(size)] for key, size in sizes.items()))
    for _number, found in zip(range(segments), values, strict=False):
        yield dict(zip(sizes, found, strict=True))


def _spread(answers: int, days: int) -> list[int]:
    return [answers * (at + 1) // days - answers * at // days for at in range(days)]


def _copy_days(
    settings: Settings,
    questionnaire: Questionnaire,
    sets: Sequence[uuid.UUID],
    days: Mapping[date, int],
) -> int:
    """Write some days in one transaction; returns the number of rows of counts."""
    source = random.Random(len(sets))  # noqa: S311 (made-up answers)
    keys = [f"{found[0]}\t{found[1]}\t{found[2]}" for found in product(sets, LANGUAGES, CHANNELS)]
    survey = f"{questionnaire.workspace_id}\t{questionnaire.survey_id}"
    kinds = [
        _fields(
            questionnaire.workspace_id.bytes, questionnaire.survey_id.bytes,
            questionnaire.version_id.bytes, b"counted", set_id.bytes, language.encode(),
            channel.encode(), score.to_bytes(2, "big"),
        )
        for set_id, language, channel, score in product(sets, LANGUAGES, CHANNELS, SCORES)
    ]  # fmt: skip
    numbers, weights = range(len(kinds)), list(accumulate(_weights(len(keys))))
    by_day: dict[date, Counter[int]] = {}
    with _owner(settings) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(_COPY_ANSWERS) as copy:
            copy.write(BINARY_HEAD)
            for day, number in days.items():
                chosen = source.choices(numbers, cum_weights=weights, k=number)
                by_day[day] = Counter(chosen)
                for start in range(0, number, ANSWERS_AT_ONCE):
                    part = chosen[start : start + ANSWERS_AT_ONCE]
                    copy.write(_answers(day, [kinds[at] for at in part]))
            copy.write(BINARY_END)
        with cursor.copy(_COPY_COUNTS) as copy:
            for day, found in by_day.items():
                copy.write(_counts(f"{survey}\t{day}\tcounted", keys, found))
        return cursor.rowcount


def _weights(keys: int) -> Iterator[float]:
    """Some segments have many answers, most have fewer, as everywhere."""
    for at, share in product(range(keys), SHARES_OF_SCORES):
        yield share / (1 + at // 4 % 20)


def _answers(day: date, kinds: Sequence[bytes]) -> bytes:
    """Rows for a binary COPY. The ids are random; in their order the index of a day grows at its
    end."""
    drawn = os.urandom(16 * len(kinds))
    ids = sorted([drawn[at : at + 16] for at in range(0, len(drawn), 16)])
    on_day = _fields((day - POSTGRES_EPOCH).days.to_bytes(4, "big", signed=True))
    ends = cycle([on_day + _fields(None if text is None else text.encode()) for text in COMMENTS])
    head = ROW_OF_FIELDS + len(ids[0]).to_bytes(4, "big")
    rows = zip(ids, kinds, ends, strict=False)
    return b"".join([head + id_ + kind + end for id_, kind, end in rows])


def _fields(*values: bytes | None) -> bytes:
    """Values as a binary COPY has them, each with its length before it."""
    return b"".join(
        b"\xff\xff\xff\xff" if value is None else len(value).to_bytes(4, "big") + value
        for value in values
    )


def _counts(day: str, keys: Sequence[str], found: Mapping[int, int]) -> str:
    rows: dict[int, list[int]] = {}
    for at, number in found.items():
        row, score = divmod(at, len(SCORES))
        rows.setdefault(row, [0] * len(SCORES))[score] = number
    return "".join("\t".join([day, keys[row], *map(str, rows[row])]) + "\n" for row in sorted(rows))


def _copy(table: str, columns: Sequence[str], how: str = "text") -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(how)
    )


_ANSWER = (
    "id", "workspace_id", "survey_id", "version_id", "standing", "segment_set_id", "language",
    "channel", "score", "answered_on", "comment",
)  # fmt: skip
_COPY_ANSWERS = _copy("responses", _ANSWER, "binary")
BINARY_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
BINARY_END = b"\xff\xff"
ROW_OF_FIELDS = len(_ANSWER).to_bytes(2, "big")
POSTGRES_EPOCH = date(2000, 1, 1)
_COPY_COUNTS = _copy(
    "daily_counts",
    (
        "workspace_id", "survey_id", "answered_on", "standing", "segment_set_id", "language",
        "channel", *(f"score_{score}" for score in SCORES),
    ),
)  # fmt: skip
