"""What single rows say, and what is said about those that cannot be imported."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app.accounts.schemas import Brand
from app.foundation import clock
from app.foundation.errors import Invalid
from app.responses.csv_reading import CsvFormat, open_csv
from app.responses.import_rows import BadRow, ImportedAnswer, ImportPlan, RowReader
from app.surveys.models import DimensionSource, Metric, SurveyState
from app.surveys.schemas import Dimension, Questionnaire, Value

NOON = datetime(2026, 4, 30, 12, tzinfo=UTC)
PLAN = ImportPlan(score_column="score", comment_column="comment")
NOBODY = UUID(int=0)
PLANS = Dimension(
    "plan",
    {"en": "Plan"},
    DimensionSource.API,
    (
        Value("pro", {"en": "Professional", "ja": "プロ"}, is_archived=False),
        Value("old", {"en": "Legacy"}, is_archived=True),
    ),
)
SURVEY = Questionnaire(
    workspace_id=NOBODY, survey_id=NOBODY, version_id=NOBODY, version_number=1, name="Café",
    state=SurveyState.PUBLISHED, metric=Metric.NPS, languages=("en", "ja"), default_language="en",
    min_group_size=5, retention_months=24, privacy_url="", contact="", opens_on=None,
    closes_on=None, time_zone="Asia/Tokyo", workspace_name="Acme", brand=Brand("Acme"),
    wording={}, dimensions=(PLANS,),
)  # fmt: skip

Read = Callable[..., list[ImportedAnswer | BadRow | None]]


@pytest.fixture
def reader(tmp_path: Path) -> Callable[[str, ImportPlan], RowReader]:
    def make(text: str, plan: ImportPlan) -> RowReader:
        path = tmp_path / "answers.csv"
        path.write_text(text)
        with clock.fixed(NOON):
            return RowReader(SURVEY, plan, open_csv(path, CsvFormat()))

    return make


@pytest.fixture
def read(tmp_path: Path, reader: Callable[[str, ImportPlan], RowReader]) -> Read:
    def read(text: str, plan: ImportPlan = PLAN) -> list[ImportedAnswer | BadRow | None]:
        found = reader(text, plan)
        return [found.read(row) for row in open_csv(tmp_path / "answers.csv", CsvFormat()).rows()]

    return read


@pytest.mark.parametrize(
    ("cell", "score"),
    [("9", 9), (" 9 ", 9), ("9.0", 9), ("10.00", 10), ("0", 0), ("+7", 7), ("07", 7)],
)
def test_a_score_is_a_whole_number_however_it_is_written(cell: str, score: int, read: Read) -> None:
    (answer,) = read(f"score,comment\n{cell},x\n")
    assert isinstance(answer, ImportedAnswer)
    assert answer.score == score


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "NaN", "NULL", "#N/A", "  "])
def test_a_row_without_a_score_is_no_answer(cell: str, read: Read) -> None:
    assert read(f"score,comment\n{cell},x\n") == [None]


@pytest.mark.parametrize(
    "cell", ["11", "-1", "7.5", "1e1", "9,0", "nine", "Promoter", "٩", "9 of 10", "100", "9\0", "."]
)
def test_anything_else_is_a_bad_row(cell: str, read: Read) -> None:
    (bad,) = read(f'score,comment\n"{cell}",x\n')
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert bad.reason == f"the score {cell!r} is not a whole number from 0 to 10"


@pytest.mark.parametrize(
    ("cell", "comment"),
    [("fine", "fine"), (" two\r\nlines ", " two\nlines "), ("", None), ("NA", None), ("na", "na")],
)
def test_comments_stay_as_they_were_written(cell: str, comment: str | None, read: Read) -> None:
    (answer,) = read(f'score,comment\r\n9,"{cell}"\r\n')
    assert isinstance(answer, ImportedAnswer)
    assert answer.comment == comment


def test_the_longest_comment_and_those_that_cannot_be_kept(read: Read) -> None:
    longest, too_long, nul = read(f"score,comment\n9,{'猫' * 4000}\n9,{'猫' * 4001}\n9,a\0b\n")
    assert isinstance(longest, ImportedAnswer)
    assert longest.comment == "猫" * 4000
    assert too_long == BadRow(3, "the comment has 4001 characters, more than 4000")
    assert nul == BadRow(4, "the comment contains a NUL character")


@pytest.mark.parametrize(
    ("cell", "formats", "day"),
    [
        ("2026-04-30", (), date(2026, 4, 30)),
        ("2026-04-29T23:30:00Z", (), date(2026, 4, 30)),
        ("2026-04-29 23:30:00", (), date(2026, 4, 29)),
        ("4/30/26 10:00", ("%m/%d/%y %H:%M", "%m/%d/%Y %H:%M"), date(2026, 4, 30)),
        ("4/30/2026 10:00", ("%m/%d/%y %H:%M", "%m/%d/%Y %H:%M"), date(2026, 4, 30)),
        ("30.04.2026", ("%d.%m.%Y",), date(2026, 4, 30)),
        ("2026年4月1日", ("%Y年%m月%d日",), date(2026, 4, 1)),
        ("29/04/2026 23:30 -0500", ("%d/%m/%Y %H:%M %z",), date(2026, 4, 30)),
    ],
)
def test_a_date_is_a_day_of_the_workspace(
    cell: str, formats: tuple[str, ...], day: date, read: Read
) -> None:
    plan = replace(PLAN, date_column="day", date_formats=formats)
    (answer,) = read(f"score,comment,day\n9,x,{cell}\n", plan)
    assert isinstance(answer, ImportedAnswer)
    assert answer.answered_on == day


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2026-05-01", "the date '2026-05-01' lies in the future"),
        ("30/04/2026", "the date '30/04/2026' is not an ISO date such as 2026-04-30"),
        ("1999-12-31", "the date '1999-12-31' was read as 1999-12-31; check the date format"),
        ("", "there is no date; --answered-on gives rows without one a day"),
    ],
)
def test_a_date_that_cannot_be_is_a_bad_row(cell: str, reason: str, read: Read) -> None:
    plan = replace(PLAN, date_column="day")
    assert read(f"score,comment,day\n9,x,{cell}\n", plan) == [BadRow(2, reason)]


def test_rows_without_a_date(read: Read) -> None:
    past = date(2025, 1, 2)
    cases = [
        (PLAN, date(2026, 4, 30)),
        (replace(PLAN, answered_on=past), past),
        (replace(PLAN, answered_on=past, date_column="day"), past),
    ]
    for plan, day in cases:
        (answer,) = read("score,comment,day\n9,x,\n", plan)
        assert isinstance(answer, ImportedAnswer)
        assert answer.answered_on == day


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("pro", {"plan": "pro"}),
        (" PRO ", {"plan": "pro"}),
        ("professional", {"plan": "pro"}),
        ("プロ", {"plan": "pro"}),
        ("Legacy", {"plan": "old"}),
        ("Gold", {"plan": "other"}),
        ("Other", {"plan": "other"}),
        ("None", {}),
        ("NA", {}),
        ("", {}),
    ],
)
def test_a_segment_value_is_matched_by_key_or_label(
    cell: str, labels: dict[str, str], read: Read
) -> None:
    plan = replace(PLAN, segments={"plan": "tier"})
    (answer,) = read(f"score,comment,tier\n9,x,{cell}\n", plan)
    assert isinstance(answer, ImportedAnswer)
    assert answer.labels == labels


def test_unknown_values_are_declared_once_with_keys_of_their_own(
    read: Read,
) -> None:
    plan = replace(PLAN, segments={"plan": "tier"}, declares_values=True)
    cells = ["United States", "united  states", "3", "3+", "Île-de-France", "東京", "Pro", "Other"]
    text = "score,comment,tier\n,x,Unscored\n" + "".join(f"9,x,{cell}\n" for cell in cells)
    answers = [found for found in read(text, plan) if isinstance(found, ImportedAnswer)]
    assert [answer.labels["plan"] for answer in answers] == [
        "united-states", "united-states", "3", "3-2", "ile-de-france", "東京", "pro", "other",
    ]  # fmt: skip


def test_no_more_values_are_declared_than_a_dimension_holds(
    reader: Callable[[str, ImportPlan], RowReader], tmp_path: Path
) -> None:
    plan = replace(PLAN, segments={"plan": "tier"}, declares_values=True)
    text = "score,comment,tier\n" + "".join(f"9,x,tier {number}\n" for number in range(60))
    found = reader(text + f"9,x,{'long' * 40}\n", plan)
    answers = [found.read(row) for row in open_csv(tmp_path / "answers.csv", CsvFormat()).rows()]
    values = [answer.labels["plan"] for answer in answers if isinstance(answer, ImportedAnswer)]
    assert len(found.declared["plan"]) == 48
    assert values.count("other") == 13
    assert found.declared["plan"][0].label == "tier 0"


def test_a_row_of_another_width_is_a_bad_row(read: Read) -> None:
    fine, long, short = read("score,comment\n9,x,,\n9,x,y\n9\n")
    assert isinstance(fine, ImportedAnswer)
    assert long == BadRow(3, "as many cells as in the header, 2, are expected, not 3")
    assert short == BadRow(4, "as many cells as in the header, 2, are expected, not 1")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"language": "fr"}, "The survey has no language fr; it has en, ja."),
        ({"segments": {"age": "tier"}}, "The survey has no segment dimension age; it has: plan."),
        ({"date_formats": ("%Q",)}, "%Q is not a date format"),
        ({"answered_on": date(2026, 5, 1)}, "must be from 2000-01-01 to today"),
        ({"answered_on": date(1999, 1, 1)}, "must be from 2000-01-01 to today"),
    ],
)
def test_a_plan_that_does_not_fit_the_survey(
    change: dict[str, object], reason: str, read: Read
) -> None:
    with pytest.raises(Invalid) as refused:
        read("score,comment,tier\n9,x,y\n", replace(PLAN, **change))  # type: ignore[arg-type]
    assert reason in refused.value.text("en")
