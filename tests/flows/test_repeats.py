"""A walk over every operation that creates: sent again under its Idempotency-Key, it creates once.

The operations come from the OpenAPI document, so a new one is tried without anybody thinking of it;
one whose body is not known in `test_outsiders` fails until it is.
"""

import re
import uuid
from typing import Any

import httpx

from tests.flows.test_outsiders import JSON_BODIES, Acme, acme  # noqa: F401  # a fixture

# What was erased is not there to be erased again.
CREATES_NOTHING = {"/api/v1/surveys/{survey_id}/erasures"}


async def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await client.get("/api/openapi.json")).json()
    return document


async def _creating(client: httpx.AsyncClient) -> list[str]:
    """The paths whose POST answers 201."""
    document = await _document(client)
    posts = {path: item["post"] for path, item in document["paths"].items() if "post" in item}
    found = [path for path, operation in posts.items() if "201" in operation["responses"]]
    assert posts.keys() - found == CREATES_NOTHING, "a POST creates, and its answer is 201"
    return found


async def test_what_is_sent_again_is_created_once(
    acme: Acme,  # noqa: F811
    acme_api: httpx.AsyncClient,
) -> None:
    for path in await _creating(acme_api):
        body = acme.fill_body(JSON_BODIES[f"POST {path}"])
        address, headers = acme.fill(path), {"Idempotency-Key": str(uuid.uuid4())}
        first = await acme_api.post(address, json=body, headers=headers)
        again = await acme_api.post(address, json=body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 201), f"{path}: {first.text}"
        assert "Idempotency-Replayed" not in first.headers, path
        assert again.headers.get("Idempotency-Replayed") == "true", f"{path} was done twice"
        assert again.content == first.content, path


async def test_the_document_declares_the_key_where_it_is_read(client: httpx.AsyncClient) -> None:
    document, creating = await _document(client), await _creating(client)
    reference = {"$ref": "#/components/parameters/Idempotency-Key"}
    declared = {
        (path, method): operation["responses"].keys()
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if reference in operation.get("parameters", [])
    }
    assert declared.keys() == {(path, "post") for path in creating}
    assert all({"409", "422"} <= statuses for statuses in declared.values())
    parameter = document["components"]["parameters"]["Idempotency-Key"]
    assert (parameter["name"], parameter["in"]) == ("Idempotency-Key", "header")
    assert not parameter["required"]


async def test_what_is_declared_of_the_key_is_what_is_taken(acme_api: httpx.AsyncClient) -> None:
    document = await _document(acme_api)
    parameter = document["components"]["parameters"]["Idempotency-Key"]
    schema = parameter["schema"]
    longest = "k" * schema["maxLength"]
    for key in (parameter["example"], "k", "order 4711", "~!", longest, f"{longest}k", "", "é"):
        fits = (
            schema["minLength"] <= len(key) <= schema["maxLength"]
            and re.search(schema["pattern"], key) is not None
        )
        answer = await acme_api.post(
            "/api/v1/surveys",
            json={"name": "Spring", "subject": "Acme"},
            headers={b"Idempotency-Key": key.encode()},
        )
        assert answer.status_code == (201 if fits else 422), key
        named = [param["name"] for param in answer.json().get("invalid_params", [])]
        assert named == ([] if fits else ["Idempotency-Key"])


async def test_a_key_that_was_used_for_something_else_is_named(acme_api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "one"}
    given = {"name": "Spring", "subject": "Acme"}
    await acme_api.post("/api/v1/surveys", json=given, headers=headers)
    other = await acme_api.post("/api/v1/surveys", json=given | {"name": "May"}, headers=headers)
    assert other.status_code == 422
    assert [param["name"] for param in other.json()["invalid_params"]] == ["Idempotency-Key"]
