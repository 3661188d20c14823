"""Errors as people see them, signed in or not, in their language."""

import httpx
import pytest

from app.foundation.web.problems import unexpected_response
from tests.factories import Cast


@pytest.mark.parametrize("path", ["/nowhere", "/s/nowhere", "/w/1/members", "/static/none.css"])
async def test_a_page_and_never_a_trace(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code in (303, 404, 422)
    assert "Traceback" not in answer.text


async def test_it_says_what_to_do_and_which_request_it_was(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert "Nothing was found at this address" in answer.text
    assert "Check the address" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_it_works_for_members_whose_request_failed(
    as_bob: httpx.AsyncClient, as_charlie: httpx.AsyncClient, cast: Cast
) -> None:
    assert "You may not do this" in (await as_bob.get(f"/w/{cast.acme}/settings")).text
    assert "Nothing was found" in (await as_charlie.get(f"/w/{cast.acme}/settings")).text


async def test_a_body_too_large(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sessions", data={"email": "x" * 300_000})
    assert answer.status_code == 413
    assert "at most 256 KiB" in answer.text


async def test_respondents_are_given_no_number_as_no_log_holds_it(
    client: httpx.AsyncClient,
) -> None:
    missing = await client.get("/s/")
    too_much = await client.post("/s/cafe/responses", content=b"x" * 70_000)
    assert (missing.status_code, too_much.status_code) == (404, 413)
    for answer in (missing, too_much):
        assert answer.headers["x-request-id"] not in answer.text
        assert "number" not in answer.text


@pytest.mark.parametrize(("path", "is_number_shown"), [("/s/cafe", False), ("/sign-in", True)])
def test_what_nobody_thought_of_promises_no_number_that_is_not_there(
    path: str, is_number_shown: bool
) -> None:
    scope = {"type": "http", "path": path, "state": {"request_id": "12345678"}}
    page = bytes(unexpected_response(scope, KeyError("canary")).body).decode()
    assert ("number below" in page) == is_number_shown
    assert ("12345678" in page) == is_number_shown
    assert "try again" in page
    assert "canary" not in page


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "application/x-unknown"]
)
async def test_other_content_types_are_no_forms(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/sessions", content=b"{", headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


async def test_a_file_in_place_of_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sessions", files={"email": ("x.txt", b"x")})
    assert answer.status_code == 422
