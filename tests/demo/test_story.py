"""The demo year: the same on every machine, of the promised size, and with its story visible."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

import pytest

from app.demo.story import (
    DEMO_DIMENSIONS,
    DEMO_EVENTS,
    DEMO_SURVEY,
    REDESIGN_DAY,
    REPAIR_DAY,
    STORY_DAYS,
    DemoAnswer,
    demo_answers,
)


@cache
def _year() -> tuple[DemoAnswer, ...]:
    return tuple(demo_answers())


def _nps(answers: Iterable[DemoAnswer]) -> float:
    scores = [answer.score for answer in answers]
    assert len(scores) >= 60, "too few answers to say anything"
    promoters = sum(score >= 9 for score in scores)
    detractors = sum(score <= 6 for score in scores)
    return 100 * (promoters - detractors) / len(scores)


def _between(newest: int, oldest: int, plan: str | None = None) -> list[DemoAnswer]:
    """Answers of days `newest` to `oldest`, both included and counted from the end."""
    return [
        answer
        for answer in _year()
        if newest <= answer.days_before_end <= oldest
        and (plan is None or answer.segments.get("plan") == plan)
    ]


def test_every_telling_is_the_same() -> None:
    assert demo_answers() == demo_answers()


def test_counts_are_pinned_so_that_every_installation_shows_the_same() -> None:
    groups = Counter(
        "P" if answer.score >= 9 else "Q" if answer.score >= 7 else "D" for answer in _year()
    )
    assert (len(_year()), groups["P"], groups["Q"], groups["D"]) == (3851, 1532, 1431, 888)


def test_a_year_of_three_to_four_and_a_half_thousand_answers_oldest_first() -> None:
    days = [answer.days_before_end for answer in _year()]
    assert 3_000 <= len(days) <= 4_500
    assert days == sorted(days, reverse=True)
    assert set(days) <= set(range(STORY_DAYS))
    assert (days[0], days[-1]) == (364, 0)


def test_values_are_ones_the_survey_declares() -> None:
    declared = {dimension.key: {v.key for v in dimension.values} for dimension in DEMO_DIMENSIONS}
    for answer in _year():
        assert 0 <= answer.score <= 10
        assert answer.language in DEMO_SURVEY.languages
        assert answer.channel in {"link", "email", "embed", "qr", "api"}
        for key, value in answer.segments.items():
            assert value in declared[key]


def test_all_eleven_scores_and_five_channels_occur() -> None:
    assert {answer.score for answer in _year()} == set(range(11))
    assert len({answer.channel for answer in _year()}) == 5


def test_two_days_in_seven_are_quiet() -> None:
    by_rhythm = Counter(answer.days_before_end % 7 for answer in _year())
    quietest_working_day = min(by_rhythm[day] for day in range(2, 7))
    assert max(by_rhythm[0], by_rhythm[1]) * 2 < quietest_working_day


def test_enterprise_falls_with_the_redesign_and_recovers_after_the_repair() -> None:
    before = _nps(_between(REDESIGN_DAY + 1, 364, "enterprise"))
    during = _nps(_between(REPAIR_DAY + 1, REDESIGN_DAY, "enterprise"))
    after = _nps(_between(0, 30, "enterprise"))
    assert before > 20
    assert during < before - 50
    assert after > before - 10


def test_other_plans_do_not_fall_with_the_redesign() -> None:
    for plan in ("free", "standard", "pro"):
        before = _nps(_between(REDESIGN_DAY + 1, 364, plan))
        during = _nps(_between(REPAIR_DAY + 1, REDESIGN_DAY, plan))
        assert during > before - 15


def test_apart_from_the_story_the_year_ends_a_little_higher_than_it_began() -> None:
    others = [answer for answer in _year() if answer.segments.get("plan") != "enterprise"]
    first = _nps(answer for answer in others if answer.days_before_end >= 243)
    last = _nps(answer for answer in others if answer.days_before_end < 122)
    assert 2 < last - first < 20


def test_japanese_answers_score_a_bit_lower_than_english_ones() -> None:
    english = _nps(answer for answer in _year() if answer.language == "en")
    japanese = _nps(answer for answer in _year() if answer.language == "ja")
    assert 5 < english - japanese < 30


def test_every_segment_value_has_plenty_of_answers_and_some_have_none() -> None:
    for dimension in DEMO_DIMENSIONS:
        found = Counter(answer.segments.get(dimension.key) for answer in _year())
        assert found[None] > 50
        for value in dimension.values:
            assert found[value.key] > 300, value.key


def test_one_combination_is_too_small_to_be_shown() -> None:
    pairs = Counter((a.segments.get("plan"), a.segments.get("region")) for a in _year())
    assert 1 <= pairs["free", "overseas"] < 5


def test_names_and_labels_exist_in_both_languages() -> None:
    labels = [dimension.label for dimension in DEMO_DIMENSIONS]
    labels += [value.label for dimension in DEMO_DIMENSIONS for value in dimension.values]
    labels += [event.title for event in DEMO_EVENTS]
    survey = DEMO_SURVEY
    labels += [survey.company, survey.subject, survey.purpose, survey.thank_you]
    for label in labels:
        assert set(label) == {"en", "ja"}
        assert all(label.values())


def test_events_mark_the_two_turns_of_the_story() -> None:
    days = [event.days_before_end for event in DEMO_EVENTS]
    assert days == sorted(days, reverse=True)
    assert {REDESIGN_DAY, REPAIR_DAY} <= set(days)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_about_45_percent_comment_in_many_different_words(language: str) -> None:
    answers = [answer for answer in _year() if answer.language == language]
    comments = [answer.comment for answer in answers if answer.comment is not None]
    assert 0.38 < len(comments) / len(answers) < 0.50
    assert len(set(comments)) >= 300
    assert max(Counter(comments).values()) < len(comments) / 100


def test_comments_are_storable_and_written_in_the_language_of_the_answer() -> None:
    japanese = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
    for answer in _year():
        if answer.comment is None:
            continue
        assert 0 < len(answer.comment) <= 4_000
        assert answer.comment == answer.comment.strip()
        assert answer.comment.isprintable()
        assert bool(japanese.search(answer.comment)) == (answer.language == "ja")


def test_enterprise_comments_talk_about_the_redesign_while_it_hurts() -> None:
    about = re.compile("permission|report|redesign|roles|権限|レポート|リニューアル")
    before = _share(about.search, _between(REDESIGN_DAY + 1, 364, "enterprise"))
    during = _share(about.search, _between(REPAIR_DAY + 1, REDESIGN_DAY, "enterprise"))
    assert before < 0.35
    assert during > 0.55


def test_nobody_complains_of_the_redesign_before_it_came() -> None:
    about = re.compile("redesign|リニューアル|new permissions|新しい権限")
    early = _between(REDESIGN_DAY + 1, 364)
    assert not [a.comment for a in early if a.comment and about.search(a.comment)]


def _share(found: Callable[[str], object], answers: Iterable[DemoAnswer]) -> float:
    comments = [answer.comment for answer in answers if answer.comment is not None]
    return sum(found(comment) is not None for comment in comments) / len(comments)
