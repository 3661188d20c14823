"""A walk over every operation that creates: sent again under its Idempotency-Key, it creates once.

The operations come from the OpenAPI document, so a new one is tried without anybody thinking of it;
one whose body is not known in `test_outsiders` fails until it is.
"""

import uuid

import httpx

from tests.flows.test_outsiders import JSON_BODIES, Acme, acme  # noqa: F401  # a fixture

# What was erased is not there to be erased again.
CREATES_NOTHING = {"/api/v1/surveys/{survey_id}/erasures"}


async def _creating(client: httpx.AsyncClient) -> list[str]:
    """The paths whose POST answers 201."""
    document = (await client.get("/api/openapi.json")).json()
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
