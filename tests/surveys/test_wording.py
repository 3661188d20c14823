"""Neutral words, their limits, and where the subject goes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.translation import form_languages, set_language
from app.surveys.wording import (
    TEXTS,
    complete_wording,
    default_texts,
    fill_subject,
    find_wording_problems,
    language_name,
    parse_language,
)


def test_the_english_question_is_worded_as_the_field_words_it() -> None:
    texts = fill_subject(complete_wording(["en"], {"en": {"subject": "Acme"}}))["en"]
    assert texts["question"] == "How likely are you to recommend Acme to a friend or colleague?"
    assert texts["low_label"] == "Not at all likely"
    assert texts["high_label"] == "Extremely likely"
    assert texts["reason_question"] == "What is the main reason for your score?"


def test_the_japanese_question_is_worded_as_the_field_words_it() -> None:
    texts = fill_subject(complete_wording(["ja"], {"ja": {"subject": "アクメ"}}))["ja"]
    assert texts["question"] == "アクメを友人や同僚に薦める可能性はどのくらいありますか？"
    assert texts["low_label"] == "全く薦めない"
    assert texts["high_label"] == "強く薦める"
    assert texts["reason_question"] == "その点数をつけた理由を教えてください"


def test_given_texts_win_and_empty_ones_fall_back() -> None:
    given_texts = {"en": {"subject": "Acme", "thanks": "Thanks!\r\nBye ", "low_label": "  "}}
    texts = complete_wording(["en"], given_texts)["en"]
    assert texts["thanks"] == "Thanks!\nBye"
    assert texts["low_label"] == "Not at all likely"
    assert set(texts) == {name for name, rule in TEXTS.items() if not rule.is_optional}
    assert find_wording_problems({"en": texts}) == []


def test_languages_without_our_words_have_no_defaults() -> None:
    assert default_texts("tlh") == {}
    assert default_texts("en-GB") == default_texts("en")
    assert default_texts("zh-TW") == default_texts("zh-Hant") != default_texts("zh-CN")
    problems = find_wording_problems(complete_wording(["it"], {"it": {"subject": "Acme"}}))
    assert {problem.name for problem in problems} == {
        f"wording.it.{name}"
        for name, rule in TEXTS.items()
        if name != "subject" and not rule.is_optional
    }


@given(st.text())
def test_a_subject_is_put_in_once_and_as_it_is(subject: str) -> None:
    filled = fill_subject({"en": {"subject": subject, "question": "Do you like {X}? {x} {0}"}})
    assert filled["en"]["question"] == f"Do you like {subject}? {{x}} {{0}}"
    assert filled["en"]["subject"] == subject


@pytest.mark.parametrize(
    ("tag", "parsed"),
    [
        ("en", "en"),
        ("EN-gb", "en-GB"),
        ("zh-hant", "zh-Hant"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("ar", "ar"),
        ("", None),
        ("en_US", None),
        ("english", None),
        ("xx", None),
        ("en-", None),
        ("en-x-private", None),
        ("../ja", None),
        ("\ud800", None),
    ],
)
def test_language_tags(tag: str, parsed: str | None) -> None:
    assert parse_language(tag) == parsed


def test_every_language_of_ours_has_neutral_texts_that_fit() -> None:
    for language in form_languages():
        texts = complete_wording([language], {language: {"subject": "Acme"}})
        assert find_wording_problems(texts) == []
        assert texts[language]["question"].count("{X}") == 1
        assert not re.search("[0-9]", "".join(texts[language].values()))


@pytest.mark.parametrize(
    ("reader", "names"),
    [
        ("en", ["Japanese", "German", "Chinese (Simplified)"]),
        ("ja", ["日本語", "ドイツ語", "中国語 (簡体字)"]),
    ],
)
def test_languages_are_named_as_the_reader_says_them(reader: str, names: list[str]) -> None:
    set_language(reader)
    try:
        assert [language_name(tag) for tag in ("ja", "de", "zh-Hans")] == names
    finally:
        set_language("en")
