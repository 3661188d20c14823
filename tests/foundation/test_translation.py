"""Catalogues: complete, faithful to their placeholders, and chosen as the reader asks."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from babel.messages import pofile
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural

from app.foundation import translation
from app.foundation.translation import (
    DOMAINS,
    INTERFACE_LANGUAGES,
    LOCALES,
    SOURCE_LANGUAGE,
    choose_language,
    find_language,
    form_languages,
    gettext,
    languages_of,
    main,
    ngettext,
    problems,
    set_language,
    text_direction,
    update,
)
from app.surveys.wording import default_texts

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|\{[A-Z]\}")
CATALOGUES = [(language, domain) for domain in DOMAINS for language in languages_of(domain)]


def read(folder: Path, language: str, domain: str) -> Catalog:
    with (folder / language / f"{domain}.po").open("rb") as file:
        return pofile.read_po(file, locale=language.replace("-", "_"))


def forms(text: str | Sequence[str] | None) -> Sequence[str]:
    return [text] if isinstance(text, str) else text or ()


def messages(language: str, domain: str) -> list[Message]:
    return [message for message in read(LOCALES, language, domain) if message.id]


def write_catalogues(folder: Path, catalogues: dict[str, Catalog]) -> None:
    (folder / "ja").mkdir(exist_ok=True)
    for domain, catalogue in catalogues.items():
        with (folder / "ja" / f"{domain}.po").open("wb") as file:
            pofile.write_po(file, catalogue)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Japanese catalogues, to be spoiled."""
    write_catalogues(tmp_path, {domain: read(LOCALES, "ja", domain) for domain in DOMAINS})
    monkeypatch.setattr(translation, "LOCALES", tmp_path)
    return tmp_path


@pytest.fixture
def _english_afterwards() -> Iterator[None]:
    yield
    set_language(SOURCE_LANGUAGE)


def test_every_message_is_translated_and_none_is_left_over() -> None:
    assert problems() == []


def test_every_language_of_the_interface_has_both_catalogues() -> None:
    for language in set(INTERFACE_LANGUAGES) - {SOURCE_LANGUAGE}:
        assert all(language in languages_of(domain) for domain in DOMAINS)


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_every_translation_keeps_its_placeholders(language: str, domain: str) -> None:
    for message in messages(language, domain):
        wanted = set(PLACEHOLDER.findall(forms(message.id)[-1]))
        found = [set(PLACEHOLDER.findall(text)) for text in forms(message.string)]
        # A form for one count alone may say it in a word, as the Arabic ones for one and two do.
        assert found[-1] == wanted, message.id
        assert all(wanted - {"%(num)s"} <= kept <= wanted for kept in found), message.id


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_every_catalogue_has_the_plurals_of_its_language(language: str, domain: str) -> None:
    rule = get_plural(language.replace("-", "_"))
    catalogue = read(LOCALES, language, domain)
    assert (catalogue.num_plurals, catalogue.plural_expr) == (rule.num_plurals, rule.plural_expr)
    for message in messages(language, domain):
        if message.pluralizable:
            assert len(forms(message.string)) == rule.num_plurals, message.id


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_no_translation_brings_markup(language: str, domain: str) -> None:
    # Templates take a translation as it stands, without escaping it.
    for message in messages(language, domain):
        assert not any(re.search(r"[<>]|&\w+;", text) for text in forms(message.string)), message.id


def test_missing_fuzzy_spoiled_and_unused_messages_are_reported(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = read(scratch, "ja", "form")
    catalogue["Try again"].string = ""
    catalogue.delete("Extremely likely")
    catalogue["Send"].flags.add("fuzzy")
    catalogue["Questions: %(contact)s"].string = "お問い合わせ先：%(contakt)s"
    catalogue.add("Sent by pigeon", "伝書鳩で送信")
    write_catalogues(scratch, {"form": catalogue})
    assert main(["check"]) == 1
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "ja/form.po: fuzzy: 'Send'",
        "ja/form.po: missing: 'Extremely likely' (app/surveys/wording.py)",
        "ja/form.po: missing: 'Try again' (templates/responses/erasure_put_off.html)",
        "ja/form.po: no longer used: 'Sent by pigeon'",
        "ja/form.po: unknown named placeholder 'contakt': 'Questions: %(contact)s'",
    ]


def test_update_adds_what_is_new_and_drops_what_is_gone(scratch: Path) -> None:
    catalogue = read(scratch, "ja", "form")
    catalogue.delete("Send")
    catalogue.add("Sent by pigeon", "伝書鳩で送信")
    write_catalogues(scratch, {"form": catalogue})
    update()
    updated = read(scratch, "ja", "form")
    assert updated["Send"].string == ""
    assert "Sent by pigeon" not in updated
    assert updated["Extremely likely"].string == "強く薦める"


def test_what_a_respondent_sees_is_in_the_form_catalogue_alone() -> None:
    form, rest = (read(LOCALES, "ja", domain) for domain in DOMAINS)
    assert "Extremely likely" in form
    assert "Extremely likely" not in rest
    assert "Audit log" in rest
    assert "Audit log" not in form


@pytest.mark.parametrize(
    ("accepted", "wanted", "chosen"),
    [
        ("ja", "", "ja"),
        ("ja-JP,en;q=0.5", "", "ja"),
        ("JA-jp", "", "ja"),
        ("en;q=0.4, ja;q=0.9", "", "ja"),
        ("ja;q=0.4, en;q=0.9", "", "en"),
        ("fr, de;q=0.8, ja;q=0.1", "", "ja"),
        ("fr", "", "en"),
        ("", "", "en"),
        ("*", "", "en"),
        ("ja;q=quite", "", "en"),
        ("x" * 10_000 + ",ja", "", "en"),
        ("en;q=0, ja ; q=0.1", "", "ja"),
        ("en", "ja", "ja"),
        ("en", "JA", "ja"),
        ("ja", "xx", "ja"),
        ("", "../../etc", "en"),
    ],
)
def test_the_language_is_asked_for_or_the_best_accepted(
    accepted: str, wanted: str, chosen: str
) -> None:
    assert choose_language(accepted, INTERFACE_LANGUAGES, "en", wanted) == chosen


@pytest.mark.parametrize(
    ("tag", "available", "found"),
    [
        ("zh-CN", "zh-Hant zh-Hans", "zh-Hans"),
        ("zh-SG", "zh-Hant zh-Hans", "zh-Hans"),
        ("zh", "zh-Hant zh-Hans", "zh-Hans"),
        ("zh-TW", "zh-Hans zh-Hant", "zh-Hant"),
        ("zh-HK", "zh-Hans zh-Hant", "zh-Hant"),
        ("zh-Hant-MO", "zh-Hans zh-Hant", "zh-Hant"),
        ("zh-hant", "zh-CN zh-TW", "zh-TW"),
        ("pt-BR", "es pt", "pt"),
        ("pt-BR", "pt pt-BR", "pt-BR"),
        ("pt-PT", "pt-BR pt", "pt"),
        ("pt", "es pt-BR", "pt-BR"),
        ("ar-EG", "en ar", "ar"),
        ("es-419", "es", "es"),
        ("ja\0", "en ja", None),
        ("../ja", "en ja", None),
        ("", "en ja", None),
    ],
)
def test_a_language_is_found_by_its_region_and_its_script(
    tag: str, available: str, found: str | None
) -> None:
    assert find_language(tag, available.split()) == found


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("he", "rtl"), ("ja", "ltr")])
def test_a_language_runs_in_its_direction(language: str, direction: str) -> None:
    assert text_direction(language) == direction


@pytest.fixture
def _nothing_remembered() -> Iterator[None]:
    translation._catalogue.cache_clear()
    yield
    translation._catalogue.cache_clear()


@pytest.mark.usefixtures("_nothing_remembered")
def test_one_file_adds_a_language(scratch: Path) -> None:
    catalogue = Catalog(locale="eo")
    for message in read(scratch, "ja", "form"):
        if message.id:
            words = tuple(f"Eo {form}" for form in forms(message.id))
            catalogue.add(message.id, words if message.pluralizable else words[0])
    before = problems()
    (scratch / "eo").mkdir()
    with (scratch / "eo" / "form.po").open("wb") as file:
        pofile.write_po(file, catalogue)
    added = {problem.replace("eo/", "ja/") for problem in problems()} - set(before)
    assert added == set()
    assert form_languages() == ["en", "eo", "ja"]
    assert gettext("Send", "eo") == "Eo Send"
    assert default_texts("eo")["high_label"] == "Eo Extremely likely"
    assert choose_language("eo-001, ja;q=0.5", form_languages(), "en") == "eo"
    assert text_direction("eo") == "ltr"


@pytest.mark.usefixtures("_english_afterwards")
def test_the_recommendation_question_is_worded_exactly() -> None:
    set_language("ja")
    assert gettext("How likely are you to recommend {X} to a friend or colleague?") == (
        "{X}を友人や同僚に薦める可能性はどのくらいありますか？"
    )
    assert gettext("Not at all likely") == "全く薦めない"
    assert gettext("Extremely likely") == "強く薦める"
    assert gettext("What is the main reason for your score?") == (
        "その点数をつけた理由を教えてください"
    )


@pytest.mark.usefixtures("_english_afterwards")
def test_words_without_a_translation_and_other_languages_stay_as_they_are() -> None:
    set_language("ja")
    assert gettext("Sent by pigeon") == "Sent by pigeon"
    assert gettext("") == ""
    assert gettext("Send", "en") == gettext("Send", "it") == "Send"
    assert gettext("Send", "fr-CA") == gettext("Send", "fr") == "Envoyer"


@pytest.mark.usefixtures("_english_afterwards")
def test_the_count_chooses_the_form_of_the_language() -> None:
    one, many = "In %(num)s day", "In %(num)s days"
    assert (ngettext(one, many, 1), ngettext(one, many, 2)) == (one, many)
    set_language("ja")
    assert ngettext(one, many, 1) == ngettext(one, many, 2) == "%(num)s日後"
