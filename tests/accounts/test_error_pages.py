"""Errors as people see them, signed in or not, in their language."""

import httpx
import pytest

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


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "application/x-unknown"]
)
async def test_other_content_types_are_no_forms(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/sessions", content=b"{", headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


async def test_a_file_in_place_of_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sessions", files={"email": ("x.txt", b"x")})
    assert answer.status_code == 422
