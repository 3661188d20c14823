"""Secrets carry their workspace, notice typing errors and are stored only hashed."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation import tokens


@given(st.uuids())
def test_a_secret_names_its_workspace(workspace_id: uuid.UUID) -> None:
    token = tokens.mint("hn_live_", workspace_id)
    assert tokens.workspace_of("hn_live_", token) == workspace_id
    assert len(token) == len("hn_live_") + 46


@given(st.uuids(), st.integers(8, 53), st.sampled_from(tokens.BASE62))
def test_a_mistyped_character_is_noticed(
    workspace_id: uuid.UUID, position: int, character: str
) -> None:
    token = tokens.mint("hn_live_", workspace_id)
    mistyped = token[:position] + character + token[position + 1 :]
    if mistyped != token:
        assert tokens.workspace_of("hn_live_", mistyped) is None


@pytest.mark.parametrize("text", ["", "hn_live_", "hn_live_" + "0" * 46, "hn_join_" + "あ" * 46])
def test_what_was_never_ours_is_refused(text: str) -> None:
    assert tokens.workspace_of("hn_live_", text) is None


@given(st.text(max_size=80))
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert tokens.workspace_of("hn_live_", "hn_live_" + text) is None


def test_secrets_differ_and_their_digest_depends_on_the_key() -> None:
    workspace_id = uuid.uuid4()
    first, second = (tokens.mint("hn_live_", workspace_id) for _ in range(2))
    assert first != second
    assert tokens.digest("a", first) != tokens.digest("b", first)
    assert len(tokens.digest("a", first)) == 32


def test_a_derived_secret_is_the_same_at_every_start() -> None:
    assert tokens.derive("key", "first run") == tokens.derive("key", "first run")
    assert tokens.derive("key", "first run") != tokens.derive("key", "something else")
