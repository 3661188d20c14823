"""Real surveys for measurements: the sample data as answers by month and labels."""

import csv
import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.reporting.decisions import Answers
from app.scoring import Distribution
from app.surveys.models import MAX_DIMENSIONS

MOST_VALUES = 20
ABSENT = {"", "NA"}
NONE = "none"
CARPENTRIES = {
    "carpentries_instructor_2018": "LikelyToRecommend",
    "carpentries_longterm_2017": "Likely-To-Recommend",
    "carpentries_longterm_2020_03": "recommendation_score",
    "carpentries_longterm_2020_12": "recommendation_score",
}
CHANNELS = ("email", "mobile", "web")
VISITS = ("0", "1", "2", "3-4", "5-8", "9-16", "17+")
VISITS_FROM = (1, 2, 3, 5, 9, 17)
SPENT = ("under 10", "10-20", "20-50", "50-100", "100 or more")
SPENT_FROM = (10, 20, 50, 100)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SampleSurvey:
    """Answers of one survey; those of one `name` belong to the same data set."""

    name: str
    selectors: tuple[str, ...]
    answers: Answers


def sample_folder() -> Path:
    """Where the sample data is to be found, as in the tests; it may be absent."""
    root = Path(__file__).resolve().parents[1]
    return root / os.environ.get("HONNE_SAMPLE_DATA", "../shared/data")


def sample_surveys(folder: Path) -> Iterator[SampleSurvey]:
    """All surveys that the sample data makes. A survey may have four dimensions: a file with more
    columns to choose from gives several surveys, of four columns each in their order."""
    yield from supermarket(folder)
    for name, score in CARPENTRIES.items():
        rows = _rows(folder / f"{name}.csv", score)
        columns = _choices(rows, score)
        for at in range(0, len(columns), MAX_DIMENSIONS):
            chosen = columns[at : at + MAX_DIMENSIONS]
            yield _survey(name, rows, score, {column: _text(column) for column in chosen}, _month)
    yield _datacamp(folder)


def supermarket(folder: Path) -> Iterator[SampleSurvey]:
    """By visits and sum spent, and once more also by two further questions from 0 to 10."""
    found = _rows(folder / "supermarket_fr_nps.utf8.csv", "nps")
    rows = [row for row in found if row["t"] not in ABSENT]  # a few are of no month
    bands = {
        "visits": _band("NbPassageKS", VISITS, VISITS_FROM),
        "spent": _band("CaTicket", SPENT, SPENT_FROM),
    }
    questions = {"satisfaction": _text("satisfaction"), "intention": _text("intention")}
    yield _survey("supermarket_2_segments", rows, "nps", bands, _number_of_month)
    yield _survey("supermarket_4_segments", rows, "nps", {**bands, **questions}, _number_of_month)


def _datacamp(folder: Path) -> SampleSurvey:
    rows: list[Row] = [
        {**row, "channel": channel}
        for channel in CHANNELS
        for row in _rows(folder / f"datacamp_nps_{channel}.csv", "nps_rating")
    ]
    return _survey("datacamp", rows, "nps_rating", {"channel": _text("channel")}, _month)


def _rows(path: Path, score: str) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if row[score].strip() not in ABSENT]


def _choices(rows: Sequence[Row], score: str) -> list[str]:
    """Columns of one choice out of at most 20: not several joined, and no text that hardly ever
    comes twice."""
    chosen = []
    for column in rows[0]:
        given = [row[column].strip() for row in rows if row[column].strip() not in ABSENT]
        values = set(given)
        is_choice = 2 <= len(values) <= MOST_VALUES and len(given) >= 2 * len(values)
        if column != score and is_choice and not any(";" in value for value in values):
            chosen.append(column)
    return chosen


def _survey(
    name: str,
    rows: Sequence[Row],
    score: str,
    labels: Mapping[str, Callable[[Row], str]],
    month: Callable[[Row], int],
) -> SampleSurvey:
    scores: dict[tuple[int, tuple[str, ...]], list[int]] = defaultdict(list)
    for row in rows:
        values = tuple(label(row) for label in labels.values())
        scores[month(row), values].append(int(row[score]))
    answers = {key: Distribution.from_scores(found) for key, found in scores.items()}
    return SampleSurvey(name, tuple(f"segment.{label}" for label in labels), answers)


def _text(column: str) -> Callable[[Row], str]:
    def value(row: Row) -> str:
        text = row[column].strip()
        return NONE if text in ABSENT else text

    return value


def _band(column: str, names: Sequence[str], starts: Sequence[float]) -> Callable[[Row], str]:
    def value(row: Row) -> str:
        text = row[column].strip()
        return NONE if text in ABSENT else names[bisect_right(starts, float(text))]

    return value


def _number_of_month(row: Row) -> int:
    return int(row["t"])


def _month(row: Row) -> int:
    """Of the answer's day; a file without days is of one month."""
    if "Date" in row:
        day = datetime.strptime(row["Date"].split()[0], "%m/%d/%y")  # noqa: DTZ007
    elif "response_date" in row:
        day = datetime.fromisoformat(row["response_date"])
    else:
        return 0
    return day.year * 12 + day.month
