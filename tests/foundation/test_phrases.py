"""Japanese lines end between phrases, and what is escaped stays escaped."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from app.foundation.phrases import BREAK, break_phrases
from app.foundation.translation import set_language

QUESTION = "アクメ珈琲を友人や同僚に薦める可能性はどのくらいありますか？"


@pytest.fixture(autouse=True)
def _read_in_japanese() -> Iterator[None]:
    set_language("ja")
    yield
    set_language("en")


def test_a_question_breaks_between_its_phrases() -> None:
    assert break_phrases(QUESTION).split(BREAK) == [
        "アクメ珈琲を", "友人や", "同僚に", "薦める", "可能性は", "どの", "くらい", "ありますか？",
    ]  # fmt: skip


def test_addresses_and_latin_words_stay_whole() -> None:
    text = "ご質問はprivacy+nps@acme-cloud.example.comかhttps://acme.example/a?b=1まで"
    assert "privacy+nps@acme-cloud.example.com" in break_phrases(text)
    assert "https://acme.example/a?b=1" in break_phrases(text)


def test_other_languages_and_texts_are_left_alone() -> None:
    assert break_phrases("Acme & Co") == "Acme &amp; Co"
    set_language("zh-Hans")
    assert break_phrases("您有多大可能向朋友推荐？") == "您有多大可能向朋友推荐？"


@given(st.text(alphabet="<>&'\"アを友人に薦めるa;#l tg"))
def test_breaking_changes_nothing_but_where_lines_end(text: str) -> None:
    set_language("ja")
    for given_text in (text, escape(text)):
        assert break_phrases(given_text).replace(BREAK, Markup()) == escape(text)
