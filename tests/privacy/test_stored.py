"""The list of what is stored is complete, and what it says is what happens."""

import importlib
import re
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import DateTime, Interval, Table, Time

import app.main as product  # every table of the product is known once it is imported
from app.accounts import access, members, sign_in_links
from app.foundation.database import Base
from app.foundation.translation import INTERFACE_LANGUAGES, SOURCE_LANGUAGE, gettext
from app.responses import privacy_document
from app.responses.promise import RULES
from app.responses.stored import AN_HOUR, NOTES, SESSION, About, things_stored

TABLES = Base.metadata.tables
FOR_RESPONDENTS = sorted(
    name for name, note in NOTES.items() if note.about in (About.ANSWER, About.COUNTS)
)


def resolve(dotted: str) -> object:
    """What a dotted name of the product stands for: a module, or something in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise AssertionError(f"{dotted} is nowhere")


def test_every_table_has_a_note() -> None:
    missing = sorted(set(TABLES) - set(NOTES))
    assert not missing, (
        f"add to NOTES in app/responses/stored.py, for each of {missing}: "
        '"<table>": Note(About.…, "what it is for", Kept("for how long", "what ends it")), '
        "then run python -m app.responses.privacy_document"
    )
    assert not set(NOTES) - set(TABLES), "strike the notes of tables that are gone"


@pytest.mark.parametrize("name", FOR_RESPONDENTS)
def test_every_column_about_answers_has_a_note(name: str) -> None:
    missing = [
        column.name for column in TABLES[name].columns if column.name not in NOTES[name].columns
    ]
    assert not missing, (
        f'add to NOTES["{name}"].columns in app/responses/stored.py, for each of {missing}: '
        '"<column>": "what it holds", then run python -m app.responses.privacy_document. In '
        '"responses" a respondent reads these words: mark(…) them and translate them'
    )
    assert set(NOTES[name].columns) <= set(TABLES[name].columns.keys()), "strike what is gone"


def test_the_notes_are_about_the_tables_the_database_has(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    ).fetchall()
    assert {name for (name,) in rows} - {"alembic_version"} == set(NOTES)


def _points_at_answers(table: Table) -> bool:
    return any(key.column.table.name == "responses" for key in table.foreign_keys)


def test_what_points_at_an_answer_is_about_it() -> None:
    about = {name for name, table in TABLES.items() if _points_at_answers(table)} | {"responses"}
    assert about == {name for name, note in NOTES.items() if note.about is About.ANSWER}


@pytest.mark.parametrize("name", FOR_RESPONDENTS)
def test_tables_about_answers_hold_days_at_most(name: str) -> None:
    for column in TABLES[name].columns:
        assert not isinstance(column.type, DateTime | Time | Interval), (
            f"{name}.{column.name} is finer than a day; an answer is never stored with a moment"
        )


def test_what_ends_the_keeping_is_there_and_run() -> None:
    jobs = set(product.JOBS)
    for name, note in NOTES.items():
        if note.kept.ended_by:
            assert callable(resolve(note.kept.ended_by)), name
    for dotted in ("app.responses.jobs.expire_submission_keys", SESSION.ended_by):
        assert resolve(dotted) in jobs


def test_times_named_in_notes_are_those_of_the_code() -> None:
    assert timedelta(hours=12) == access.SESSION_IDLE
    assert "12 idle hours" in str(SESSION.words)
    assert timedelta(hours=1) == sign_in_links.LINK_LIFE
    assert "an hour" in str(AN_HOUR.words)
    assert timedelta(days=7) == members.INVITATION_LIFE


@pytest.mark.parametrize("language", INTERFACE_LANGUAGES)
def test_respondents_read_every_thing_once_and_in_their_language(language: str) -> None:
    words = [gettext(words, language) for words, _kept in things_stored()]
    assert len(words) == len(set(words))
    if language != SOURCE_LANGUAGE:
        assert all(re.search(r"[ぁ-んァ-ン一-龥]", text) for text in words)


def test_every_rule_is_enforced_by_something_that_is_there() -> None:
    for rule in RULES:
        assert rule.enforced_by, f"{rule.name}: a promise that nothing keeps"
        for dotted in rule.enforced_by:
            assert resolve(dotted) is not None


def test_the_page_in_docs_is_up_to_date() -> None:
    written = privacy_document.PATH.read_text(encoding="utf-8")
    assert written == privacy_document.document(), "run python -m app.responses.privacy_document"
