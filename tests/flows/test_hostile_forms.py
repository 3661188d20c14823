"""Forms take anything: bytes that are no text, fields that are none, types that do not fit."""

import httpx
import psycopg
from hypothesis import given, settings

from tests.flows.hostile import Forms, Sent, acme, forms, requests, send  # noqa: F401  # fixtures
from tests.responses.scene import recount, stored_counts


@settings(max_examples=120, derandomize=True)
@given(sent=requests())
async def test_a_form_answers_with_a_page_whatever_it_is_sent(
    forms: Forms,  # noqa: F811
    as_alice: httpx.AsyncClient,
    owner: psycopg.Connection,
    sent: Sent,
) -> None:
    await send(as_alice, forms, sent)
    assert stored_counts(owner) == recount(owner)
