"""Whatever is asked: the page, the API and both files give the same figures, one by one."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import httpx
import pytest

from app.foundation.database import Database
from app.foundation.web.rendering import format_nps, format_number, format_share
from app.reporting.indexing import index_comments
from app.surveys.models import Channel
from tests.factories import Cast
from tests.reporting.data import Answer, make_survey
from tests.reporting.tables import tables_of
from tests.reporting.test_pages import dashboard
from tests.reporting.xlsx import Book, read_book
from tests.responses.scene import Scene

BATCHES = 5  # of six filters each
VALUES = {
    "segment.plan": ("free", "pro", "none"),
    "segment.age": ("young", "old"),
    "segment.region": ("east", "west"),
    "language": ("en", "ja"),
    "channel": ("link", "qr"),
}
PERIODS: tuple[dict[str, str], ...] = (
    {"period": "all"}, {"period": "30d"}, {"period": "90d"}, {"period": "12m"},
    {"period": "quarter"}, {"since": "2026-05-01", "until": "2026-06-30"},
    {"since": "2026-04-01", "until": "2026-06-30"}, {"since": "2026-05-11"},
    {"until": "2026-06-15"}, {"since": "2026-03-03", "until": "2026-07-08"},
)  # fmt: skip
# Everything that a dashboard can have is on it.
MOST_OF_ALL = {
    "since": "2026-04-01", "until": "2026-06-30", "interval": "month",
    "pair": "segment.plan,segment.age",
}  # fmt: skip
DAYS_OF_PRESETS = {
    "30d": {"since": "2026-06-11", "until": "2026-07-10"},
    "90d": {"since": "2026-04-12", "until": "2026-07-10"},
    "12m": {"since": "2025-08-01", "until": "2026-07-10"},
    "quarter": {"since": "2026-07-01", "until": "2026-07-10"},
}
NAMES = {
    "segment.plan": "Plan", "segment.age": "Age", "segment.region": "Region",
    "language": "Language", "channel": "Channel",
    "none": "Not given", "en": "English", "ja": "Japanese", "qr": "QR code",
}  # fmt: skip
HEADS = {
    "response_count": "Answers", "nps": "NPS",
    "nps_low": "Interval from", "nps_high": "Interval to", "share": "Share",
    "share_low": "Share from", "share_high": "Share to",
    "promoter_count": "Promoters", "passive_count": "Passives", "detractor_count": "Detractors",
}  # fmt: skip
FIGURES = (
    "response_count", "nps", "nps_low", "nps_high",
    "promoter_count", "passive_count", "detractor_count",
)  # fmt: skip


@pytest.fixture
async def survey(database: Database, cast: Cast) -> Scene:
    """600 answers of half a year, of every kind, some kinds rare."""
    chance = random.Random(6)
    made = await make_survey(database, cast.acme, [make_answer(chance, at) for at in range(600)])
    await index_comments(database)
    return made


def make_answer(chance: random.Random, at: int) -> Answer:
    labels = {
        "plan": chance.choices(["free", "pro", None], [6, 3, 1])[0],
        "age": chance.choices(["young", "old", None], [5, 4, 2])[0],
        "region": chance.choices(["east", "west", None], [8, 1, 3])[0],
    }
    score = chance.choices(range(11), [1, 0, 1, 1, 1, 3, 3, 6, 8, 7, 7])[0]
    return Answer(
        date(2026, chance.randint(2, 6), chance.randint(1, 28)),
        score,
        {name: value for name, value in labels.items() if value},
        comment="slow delivery" if score < 7 and at % 2 else "friendly staff" if at % 3 else None,
        language=chance.choice(["en", "ja"]),
        channel=chance.choices([Channel.LINK, Channel.QR], [9, 1])[0],
    )


def _filters(batch: int) -> Iterator[dict[str, str]]:
    """Everybody twice, then one label twice, then two."""
    chance = random.Random(batch)
    for number_of_labels in (0, 0, 1, 1, 2):
        asked = dict(chance.choice(PERIODS))
        for selector in chance.sample(list(VALUES), number_of_labels):
            asked[selector] = chance.choice(VALUES[selector])
        asked["interval"] = chance.choice(["month", "quarter"])
        asked |= chance.choice([{}, {"compare": "year"}, {"compare": "none"}])
        yield asked | chance.choice([{}, {"category": "detractor"}])


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_page_api_and_files_agree(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, survey: Scene, batch: int
) -> None:
    seen = Counter[str]()
    chance = random.Random(batch)
    for asked in (MOST_OF_ALL, *_filters(batch)):
        page = await as_bob.get(dashboard(survey), params=asked)
        assert page.status_code == 200, asked
        files = Files.of(
            await as_bob.get(dashboard(survey) + "/figures.csv", params=asked),
            await as_bob.get(dashboard(survey) + "/figures.xlsx", params=asked),
        )
        # Where the interval asked for makes no line, the page takes another.
        interval = interval_of(files) or asked["interval"]
        told = await _ask(acme_reader, survey, asked, interval=interval)
        _compare_summary(told, files, page.text, seen)
        if told["response_count"]:
            compare_scores(told, files, page.text)
            compare_series(told, files, page.text, seen)
            _compare_cells(told, files, page.text, seen)
            _compare_themes(await _themes(acme_reader, survey, asked), files, page.text, seen)
            for selector in chance.sample(found := splits(asked), min(1, len(found))):
                split = await _ask(acme_reader, survey, asked, group_by=key_of(selector))
                compare_groups(selector, split, files, page.text, seen)
                _compare_parts(selector, split, files, seen)
    for kind in ("shown", "groups", "points", "cells", "parts", "themes"):
        assert seen[kind], f"no {kind} were compared"


class Files:
    """The lines of the CSV and the sheets of the workbook, of the same filter."""

    def __init__(self, lines: list[dict[str, str]], book: Book) -> None:
        self.lines, self.book = lines, book

    @classmethod
    def of(cls, table: httpx.Response, book: httpx.Response) -> "Files":
        assert (table.status_code, book.status_code) == (200, 200)
        text = table.text.removeprefix("\ufeff")
        return cls(list(csv.DictReader(io.StringIO(text))), read_book(book.content))

    def table(self, name: str, selector: str = "") -> list[dict[str, str]]:
        split = key_of(selector)
        return [line for line in self.lines if (line["table"], line["split_by"]) == (name, split)]


def interval_of(files: Files) -> str | None:
    """What the longest point says; the first and the last may be cut."""
    lengths = [
        (date.fromisoformat(line["until"]) - date.fromisoformat(line["since"])).days + 1
        for line in files.table("trend")
    ]
    longest = max(lengths, default=0)
    limits = {"day": 1, "week": 7, "month": 31, "quarter": 92}
    return next((name for name, most in limits.items() if 0 < longest <= most), None)


def key_of(selector: str) -> str:
    return selector.removeprefix("segment.")


def splits(asked: Mapping[str, str]) -> list[str]:
    """What the page splits by: nothing is published by more than two labels."""
    labels = [name for name in VALUES if name in asked]
    return [name for name in VALUES if name not in labels] if len(labels) < 2 else []


async def _ask(
    client: httpx.AsyncClient, survey: Scene, asked: Mapping[str, str], **more: str
) -> dict[str, Any]:
    """What the API says to the filter of a page."""
    pair = {"pair": ",".join(map(key_of, asked["pair"].split(",")))} if "pair" in asked else {}
    kept = api_query(asked, ("interval", "compare"))
    query = {"survey_id": str(survey.survey_id), **kept, **pair, **more}
    answer = await client.get("/api/v1/metrics", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def api_query(asked: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """The labels, days and these parameters for the API, which knows days; pages know presets."""
    kept = {name: asked[name] for name in (*VALUES, *names) if name in asked}
    days = DAYS_OF_PRESETS.get(asked.get("period", ""), {})
    return kept | days | {name: asked[name] for name in ("since", "until") if name in asked}


def _compare_summary(told: Any, files: Files, page: str, seen: Counter[str]) -> None:
    compare_headline(told, files, page)
    seen["hidden" if told["suppressed"] else "shown"] += 1
    if told["suppressed"]:
        assert [one["table"] for one in files.lines if one["table"] != "filter"] == ["summary"]


def compare_headline(told: Any, files: Files, page: str) -> None:
    (line,) = files.table("summary")
    sheet = files.book.records("Summary")[0]
    assert line["suppressed"] == str(told["suppressed"]).lower()
    same_figures(told, line, sheet)
    same_change(told["change"], "change", line, sheet, "Change")
    if told["suppressed"]:
        assert "headline-score" not in page
    elif told["response_count"]:
        assert f"NPS from {format_number(told['response_count'])} answer" in page
        for name in ("nps", "nps_low", "nps_high"):
            assert format_nps(told[name]) in page


def same_figures(told: Any, line: Mapping[str, str], sheet: Mapping[str, Any]) -> None:
    for name in FIGURES:
        value = None if told["suppressed"] else told[name]
        assert line[name] == ("" if value is None else str(value)), (name, value, line)
        if name == "response_count" and told["suppressed"]:
            assert sheet["Answers"] == "Hidden to protect respondents"
        else:
            assert sheet[HEADS[name]] == (None if value is None else pytest.approx(value, abs=1e-9))
    scores = (told["distribution"] if not told["suppressed"] else None) or [None] * 11
    for score, count in enumerate(scores):
        assert line[f"score_{score}"] == ("" if count is None else str(count))
        assert sheet[f"Score {score}"] == count


def same_change(
    told: Any, name: str, line: Mapping[str, str], sheet: Mapping[str, Any], head: str
) -> None:
    for ending, part in (("", ""), ("_low", " from"), ("_high", " to")):
        value = told and told[f"difference{ending}"]
        assert line[name + ending] == ("" if value is None else str(value))
        assert sheet[head + part] == (None if value is None else pytest.approx(value, abs=1e-9))
    verdict = told["verdict"] if told else ""
    assert line[f"{name}_verdict"] == verdict
    assert (sheet[f"{head} in words"] or "") == verdict.replace("_", " ")


def compare_scores(told: Any, files: Files, page: str) -> None:
    scores, total = told["distribution"], told["response_count"]
    sheet = files.book.records("Scores")
    tables = tables_of(page)
    groups = [
        [format_number(told[f"{name}_count"])] for name in ("promoter", "passive", "detractor")
    ]
    assert [row[1:2] for row in tables["Promoters, passives and detractors"][1:]] == groups
    assert [row["Answers"] for row in sheet] == (scores or [])
    if scores:
        assert tables["Answers by score"][1:] == [
            [str(score), format_number(count), format_share(100 * count / total)]
            for score, count in enumerate(scores)
        ]


def compare_series(told: Any, files: Files, page: str, seen: Counter[str]) -> None:
    lines, sheet = files.table("trend"), files.book.records("Trend")
    shown = tables_of(page).get("NPS by period", [[]])[1:]
    assert len(lines) == len(sheet) == len(told["series"])
    for point, line, record in zip(told["series"], lines, sheet, strict=True):
        assert (line["since"], line["until"]) == (point["since"], point["until"])
        assert (str(record["From"]), str(record["To"])) == (point["since"], point["until"])
        same_figures(point, line, record)
        seen["points"] += 1
    if len(lines) > 1 and any(not point["suppressed"] for point in told["series"]):
        assert [row[1:4] for row in shown] == [_of_point(point) for point in told["series"]]


def _of_point(point: Any) -> list[str]:
    if point["suppressed"]:
        return ["hidden", "\u2013", "\u2013"]
    if not point["response_count"]:
        return ["\u2013", "\u2013", "0"]
    range_ = f"{format_nps(point['nps_low'])} to {format_nps(point['nps_high'])}"
    return [format_nps(point["nps"]), range_, format_number(point["response_count"])]


def compare_groups(selector: str, told: Any, files: Files, page: str, seen: Counter[str]) -> None:
    groups = {
        group["key"]: group
        for group in told["groups"] or []
        if not group["suppressed"] or group["key"] not in ("other", "none")
    }
    is_shown = selector.startswith("segment.") or len(groups) > 1
    lines = {line["value"]: line for line in files.table("segment", selector)}
    if told["groups_window"] is None or not is_shown:
        assert not lines
        return
    assert set(lines) == set(groups)
    name = NAMES[selector]
    sheet = {
        str(row["Value"]): row
        for row in files.book.records("Segments")
        if row["Segment dimension"] == name
    }
    rows = {row[0]: row for row in tables_of(page)[f"NPS by {name}"][1:]}
    for key, group in groups.items():
        value = NAMES.get(key, key.title())
        same_figures(group, lines[key], sheet[value])
        _same_row(group, lines[key], sheet[value], rows[value])
        seen["groups"] += not group["suppressed"]


def _same_row(
    group: Any, line: Mapping[str, str], sheet: Mapping[str, Any], row: list[str]
) -> None:
    if group["suppressed"]:
        assert row[1:] == ["Hidden to protect respondents"]
        return
    assert line["share"] == str(group["response_percent"])
    assert sheet["Share"] == pytest.approx(group["response_percent"])
    same_change(group["change"], "change", line, sheet, "Change")
    same_change(group["difference"], "difference", line, sheet, "Against the others")
    low, high = format_nps(group["nps_low"]), format_nps(group["nps_high"])
    n, share = format_number(group["response_count"]), format_share(group["response_percent"])
    assert row[1:3] == [n, format_nps(group["nps"])]
    assert row[3].startswith(f"{low} to {high}")
    assert row[5] == share
    if group["difference"]:
        words = group["difference"]["verdict"].replace("_", " ").replace("change", "difference")
        assert row[6] == words


def _compare_parts(selector: str, told: Any, files: Files, seen: Counter[str]) -> None:
    movement = told["movement"]
    parts = {part["key"] or "": part for part in (movement or {}).get("parts") or []}
    several = (*files.table("moved", selector), *files.table("moved_others", selector))
    lines = {line["value"]: line for line in several}
    if lines:
        assert set(lines) == set(parts)
        total = sum(float(line["moved"]) for line in lines.values())
        assert total == pytest.approx(movement["change"], abs=1e-9)
    for key, line in lines.items():
        part = parts[key]
        assert line["response_count"] == str(part["response_count"])
        assert line["before_count"] == str(part["response_count_before"])
        assert line["moved_by_mix"] == str(part["mix"])
        assert line["moved_by_rate"] == str(part["rate"])
        assert not line["nps"]
        seen["parts"] += 1


def _compare_cells(told: Any, files: Files, page: str, seen: Counter[str]) -> None:
    cells = {tuple(cell["keys"]): cell for cell in told["cells"] or []}
    lines = [line for line in files.lines if line["table"] == "pair"]
    if not lines:
        return
    sheet = files.book.records("Two dimensions together")
    (shown,) = [
        rows for caption, rows in tables_of(page).items() if caption == "NPS by Plan and Age"
    ] or [[]]
    numbers = [cell for row in shown[1:] for cell in row[1:]]
    for at, (line, record) in enumerate(zip(lines, sheet, strict=True)):
        cell = cells[line["value"], line["second_value"]]
        assert (line["split_by"], line["second_split_by"]) == ("plan", "age")
        same_figures(cell, line, record)
        if numbers:
            assert numbers[at] == ("hidden" if cell["suppressed"] else format_nps(cell["nps"]))
        seen["cells"] += 1


async def _themes(client: httpx.AsyncClient, survey: Scene, asked: Mapping[str, str]) -> Any:
    query = api_query(asked, ())
    answer = await client.get(f"/api/v1/surveys/{survey.survey_id}/themes", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _compare_themes(told: Any, files: Files, page: str, seen: Counter[str]) -> None:
    """Line by line in the order of the page: promoters', detractors', then what is new."""
    kinds = ("promoters", "detractors", "new")
    themes = [(kind, theme) for kind in kinds for theme in told[kind] or []]
    lines = [line for line in files.lines if line["table"].startswith("theme_")]
    sheet, tables = files.book.records("Themes"), tables_of(page)
    shown = [row for kind in kinds for row in tables.get(kind.title(), [[]])[1:]]
    for (kind, theme), line, record, row in zip(themes, lines, sheet, shown, strict=True):
        assert line["table"] == f"theme_{kind}"
        assert line["value"] == record["Theme"] == row[0] == theme["label"]
        assert (line["comments"], row[1]) == (str(theme["comment_count"]),) * 2
        assert record["Comments"] == theme["comment_count"]
        for name in ("share", "share_low", "share_high", "nps", "nps_low", "nps_high"):
            assert float(line[name]) == theme[name], (name, theme["label"])
            assert record[HEADS[name]] == pytest.approx(theme[name], abs=1e-9)
        whole = [f"{theme[name]:.0f}" for name in ("share", "share_low", "share_high")]
        assert row[2] == f"{whole[0]}% ({whole[1]} to {whole[2]})"
        seen["themes"] += 1
