import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reporting.terms import find_terms, language_of

LANGUAGES = ["ja", "en", "fr", "de", "es", "pt-BR", "ko", "ar", "zh-Hans"]


@pytest.mark.parametrize(
    ("language", "comment", "expected"),
    [
        ("en", "Customer Support is great!", {"customer", "support", "customer support", "great"}),
        ("en", "The apps keep crashing.", {"apps", "keep", "crashing", "keep crashing"}),
        ("en", "It isn't very easy.", {"isn't very easy"}),
        ("en", "No problems at all", {"no problems"}),
        ("fr", "L’accueil, pas de problème", {"accueil", "pas de problème"}),
        ("de", "Nicht einfach. Kein Support.", {"nicht einfach", "kein support"}),
        ("es", "No es fácil", {"no es fácil"}),
        ("pt", "Sem suporte", {"sem suporte"}),
        ("ja", "サポートの返信が遅い", {"サポートの返信", "返信が遅い", "遅い"}),
        ("ja", "使いやすい", {"使いやすい"}),
        ("ja", "使いやすくはない", {"使いやすくはない"}),
        ("ja", "分かりにくくないです", {"分かりにくくない"}),
        ("ja", "使い勝手がよくありません", {"よくありません"}),
        ("ja", "問題なく", {"問題なく"}),
        ("ko", "고객 지원이 좋아요", {"고객", "지원이", "고객 지원이"}),
    ],
)
def test_words_phrases_and_negations(language: str, comment: str, expected: set[str]) -> None:
    assert expected <= set(find_terms(comment, language).values())


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "crashes", "Crashing"),
        ("fr", "Caissières agréables", "caissière agréable"),
        ("de", "Die Preise", "ein Preis"),
        ("es", "los precios", "el precio"),
        ("pt", "os preços", "o preço"),
        ("ja", "返信が遅くて", "返信も遅かった"),
        ("ja", "ＵＩ", "UI"),
    ],
)
def test_forms_of_a_word_are_one_term(language: str, one: str, other: str) -> None:
    assert find_terms(one, language).keys() == find_terms(other, language).keys()
    assert find_terms(one, language)


def test_what_is_denied_is_not_mentioned() -> None:
    assert find_terms("easy", "en").keys().isdisjoint(find_terms("not easy", "en"))
    assert find_terms("使える", "ja").keys().isdisjoint(find_terms("使えない", "ja"))
    assert find_terms("問題がある", "ja").keys().isdisjoint(find_terms("問題ない", "ja"))


def test_a_phrase_ends_with_its_sentence() -> None:
    assert "support app" not in find_terms("Good support. App crashes", "en")
    assert not any(" " in key for key in find_terms("料金。対応", "ja"))
    assert not find_terms("not, well, ok it is", "en").keys() & {"¬ok"}


def test_a_term_counts_once() -> None:
    assert list(find_terms("slow, slow, SLOW", "en")) == ["slow"]
    assert find_terms("", "en") == find_terms("12 / 5 😀 …", "ja") == {}


@pytest.mark.parametrize(
    ("comment", "language", "expected"),
    [
        ("良い", "ja", "ja"),
        ("よい", "en", "ja"),
        ("good", "ja", "en"),
        ("很好", "zh-Hant", None),
        ("很好", "en", None),
        ("bon", "fr", "fr"),
        ("bom", "pt-BR", "pt"),
    ],
)
def test_the_script_decides_the_language(comment: str, language: str, expected: str | None) -> None:
    assert language_of(comment, language) == expected


@given(st.text(max_size=300), st.sampled_from(LANGUAGES))
def test_any_text_has_terms_or_none(comment: str, language: str) -> None:
    for key, written in find_terms(comment, language).items():
        assert key
        assert written
        assert " ".join(written.split()) in " ".join(comment.lower().split())
        assert not any(unicodedata.category(character) == "Cc" for character in written)


def test_the_longest_comment_fits() -> None:
    assert find_terms("使" * 4_000, "ja") is not None
    assert find_terms("あ𠮷" * 2_000, "ja") is not None
    assert find_terms("good " * 800, "en").keys() == {"good"}


def test_threads_do_not_disturb_each_other() -> None:
    expected = find_terms("サポートの返信が遅い", "ja")
    found: list[dict[str, str]] = []
    threads = [
        threading.Thread(
            target=lambda: found.extend(find_terms("サポートの返信が遅い", "ja") for _ in range(50))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(terms == expected for terms in found)
