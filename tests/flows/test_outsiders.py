"""A walk over every route: what is another workspace's does not exist, and roles hold.

The paths come from the app itself, so a new route is tried without anybody thinking of it; one
whose parameters or body are not known here fails until they are.
"""

import base64
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.accounts.models import Role
from tests.conftest import browser, program
from tests.factories import Cast
from tests.routes import Route, routes_of

BENCHMARK = {"name": "Software", "average": 30, "source": "A study", "as_of": "2026-01-31"}
# A body that is accepted where the thing exists, so that only its absence can be the reason.
JSON_BODIES: Mapping[str, object] = {
    "PATCH /api/v1/surveys/{survey_id}": {"name": "Renamed"},
    "POST /api/v1/surveys/{survey_id}/versions": {"subject": "Other"},
    "POST /api/v1/surveys/{survey_id}/dimensions": {"key": "role", "values": [{"key": "admin"}]},
    "POST /api/v1/surveys": {"name": "Another", "subject": "Another"},
    "POST /api/v1/surveys/{survey_id}/dimensions/{key}/values": {"values": [{"key": "basic"}]},
    "POST /api/v1/surveys/{survey_id}/links": {"name": "Another"},
    "PUT /api/v1/surveys/{survey_id}/links/{link_id}/survey": {"survey_id": "{survey_id}"},
    "POST /api/v1/surveys/{survey_id}/responses": {"score": 9},
    "POST /api/v1/surveys/{survey_id}/responses/batch": {"responses": [{"score": 9}]},
    "PUT /api/v1/surveys/{survey_id}/responses/{response_id}/exclusion": {"reason": "test"},
    "PUT /api/v1/surveys/{survey_id}/held_responses/release": {},
    "PUT /api/v1/surveys/{survey_id}/held_responses/exclusion": {"reason": "test"},
    "POST /api/v1/surveys/{survey_id}/erasures": {"receipt": "{receipt}"},
    "POST /api/v1/surveys/{survey_id}/tags": {"name": "Delivery"},
    "PATCH /api/v1/surveys/{survey_id}/tags/{tag_id}": {"name": "Renamed"},
    "PUT /api/v1/surveys/{survey_id}/tags/{tag_id}/merger": {"into": "{other_tag_id}"},
    "PUT /api/v1/surveys/{survey_id}/marks": {
        "response_ids": ["4f3c1d0e-6a0b-4d0e-9a43-3c0a4f1f6c55"]
    },
    "POST /api/v1/annotations": {
        "kind": "event",
        "title": "Price raised",
        "begins_on": "2026-05-01",
        "survey_id": "{survey_id}",
    },
    "PATCH /api/v1/annotations/{annotation_id}": {"title": "Prices raised"},
    "PUT /api/v1/surveys/{survey_id}/goal": {"nps": 40},
    "POST /api/v1/benchmarks": {**BENCHMARK, "survey_id": "{survey_id}"},
    "PUT /api/v1/benchmarks/{benchmark_id}": BENCHMARK,
    "POST /api/v1/indicators": {
        "indicators": [{"metric": "churn", "month": "2026-05", "percent": 2.5}]
    },
    "PUT /api/v1/brand": {"name": "Acme", "accent": "#336699"},
}
# The smallest GIF there is.
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=")
CONTENTS: Mapping[str, bytes] = {"PUT /api/v1/brand/logo": PICTURE}
FORM_BODIES: Mapping[str, dict[str, str]] = {
    "POST /w/{workspace}/members/{user_id}/role": {"role": "manager"},
    "POST /w/{workspace}/results/views/{view_id}/name": {"name": "Mine"},
}
QUERIES: Mapping[str, str] = {
    "GET /api/v1/metrics": "survey_id={survey_id}",
    "DELETE /api/v1/workspace": "name=Acme",
    "GET /w/{workspace}/results/figures.csv": "survey={survey_id}",
    "GET /w/{workspace}/results/figures.xlsx": "survey={survey_id}",
    "GET /w/{workspace}/results/charts/{chart}.svg": "survey={survey_id}",
    "POST /w/{workspace}/results/views/{view_id}/filters": "survey={survey_id}",
    "GET /w/{workspace}/surveys/{survey_id}/indicators": "segment=plan%3Dpro",
}
# Merged into another, a tag is gone.
INSTEAD: Mapping[str, dict[str, str]] = {
    "DELETE /api/v1/surveys/{survey_id}/tags/{tag_id}": {"tag_id": "{other_tag_id}"},
}
# These hold nothing of a workspace but the caller's own.
OWN_THINGS = {
    "GET /api/v1/brand",
    "PUT /api/v1/brand",
    "PUT /api/v1/brand/logo",
    "GET /api/v1/brand/logo",
    "DELETE /api/v1/brand/logo",
    "GET /api/v1/workspace",
    "DELETE /api/v1/workspace",
    "GET /api/v1/api_keys",
    "GET /api/v1/audit_events",
    "GET /api/v1/export",
    "GET /api/v1/views",
    "GET /api/v1/surveys",
    "POST /api/v1/surveys",
    "GET /api/v1/annotations",
    "GET /api/v1/benchmarks",
    "GET /api/v1/indicators",
    "POST /api/v1/indicators",
}
# After these there is nothing left to call.
LAST = (
    "DELETE /api/v1/annotations/{annotation_id}",
    "PUT /api/v1/surveys/{survey_id}/tags/{tag_id}/merger",
    "DELETE /api/v1/surveys/{survey_id}/tags/{tag_id}",
    "POST /api/v1/surveys/{survey_id}/erasures",
    "DELETE /api/v1/workspace",
)
# Reading is for every member; these ask for more, or for less, than their method says.
VIEWER_MAY_POST = {
    "POST /w/{workspace}/departure",
    # Sent from a preview, and kept nowhere.
    "POST /w/{workspace}/surveys/{survey_id}/preview/form",
}


@dataclass(frozen=True, slots=True)
class Acme:
    """One of each thing that Acme has, by the names that paths use."""

    things: Mapping[str, str]

    def fill(self, template: str, **other: str) -> str:
        return re.sub(
            r"\{(\w+)(?::\w+)?\}", lambda found: {**self.things, **other}[found[1]], template
        )

    def fill_body(self, body: object) -> object:
        """A JSON body, of whose members those that are texts may name things."""
        if not isinstance(body, dict):
            return body
        return {
            name: self.fill(value) if isinstance(value, str) else value
            for name, value in body.items()
        }


@pytest.fixture
async def acme(
    cast: Cast, acme_api: httpx.AsyncClient,
    as_alice: httpx.AsyncClient, owner: "psycopg.Connection[tuple[uuid.UUID]]",
) -> Acme:  # fmt: skip
    survey = await acme_api.post(
        "/api/v1/surveys",
        json={
            "name": "Acme survey",
            "subject": "Acme",
            "dimensions": [{"key": "plan", "values": [{"key": "pro"}], "source": "link"}],
        },
    )
    survey_id = survey.json()["id"]
    assert (await acme_api.put(f"/api/v1/surveys/{survey_id}/publication")).status_code < 300
    answer = await acme_api.post(f"/api/v1/surveys/{survey_id}/responses", json={"score": 9})
    assert answer.status_code == 201
    owner.execute(
        "INSERT INTO response_contacts (workspace_id, response_id, address)"
        " VALUES (%s, %s, 'rita@customer.example')",
        [cast.acme, answer.json()["id"]],
    )
    tags = [
        (await acme_api.post(f"/api/v1/surveys/{survey_id}/tags", json={"name": name})).json()["id"]
        for name in ("Staff", "Queue")
    ]
    noted = await acme_api.post(
        "/api/v1/annotations",
        json={
            "kind": "action",
            "title": "Answer sooner",
            "begins_on": "2026-05-01",
            "done_on": "2026-05-02",
        },
    )
    compared = await acme_api.post("/api/v1/benchmarks", json=BENCHMARK)
    rated = await acme_api.post(
        "/api/v1/indicators",
        json={"indicators": [{"metric": "nrr", "month": "2026-05", "percent": 104}]},
    )
    goal = await acme_api.put(f"/api/v1/surveys/{survey_id}/goal", json={"nps": 30})
    assert goal.status_code == 200
    invited = await as_alice.post(f"/w/{cast.acme}/invitations", data={"role": Role.VIEWER})
    assert invited.status_code < 400
    shared = await as_alice.post(
        f"/w/{cast.acme}/surveys/{survey_id}/shared-reports", data={"name": "Board", "expires": "7"}
    )
    assert shared.status_code == 201
    saved = await as_alice.post(
        f"/w/{cast.acme}/surveys/{survey_id}/views", data={"name": "Board meeting"}
    )
    assert saved.status_code < 400

    def one(statement: str) -> str:
        row = owner.execute(statement.encode(), [cast.acme]).fetchone()
        assert row is not None
        return str(row[0])

    return Acme(
        {
            "workspace": str(cast.acme),
            "survey_id": survey_id,
            "link_id": one("SELECT id FROM survey_links WHERE workspace_id = %s"),
            "response_id": answer.json()["id"],
            "receipt": answer.json()["receipt"],
            "tag_id": tags[0],
            "other_tag_id": tags[1],
            "key": "plan",
            "value": "pro",
            "key_id": one("SELECT id FROM api_keys WHERE workspace_id = %s"),
            "invitation_id": one("SELECT id FROM member_invitations WHERE workspace_id = %s"),
            "user_id": str(cast.bob.user_id),
            "annotation_id": noted.json()["id"],
            "benchmark_id": compared.json()["id"],
            "indicator_id": rated.json()["data"][0]["id"],
            "report_id": one("SELECT id FROM shared_reports WHERE workspace_id = %s"),
            "chart": "trend",
            "view_id": one("SELECT id FROM saved_views WHERE workspace_id = %s"),
        }
    )


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def _workspace_routes(app: FastAPI) -> Iterator[Route]:
    return (route for route in routes_of(app) if route.path.startswith("/w/"))


def _api_routes(app: FastAPI) -> Iterator[Route]:
    return (route for route in routes_of(app) if route.path.startswith("/api/v1/"))


async def _call(
    client: httpx.AsyncClient, route: Route, acme: Acme, **other: str
) -> httpx.Response:
    instead = INSTEAD.get(_name(route), {})
    other = {**{name: acme.fill(value) for name, value in instead.items()}, **other}
    query = acme.fill(QUERIES.get(_name(route), ""), **other)
    address = acme.fill(route.path, **other) + (f"?{query}" if query else "")
    return await client.request(
        route.method,
        address,
        json=acme.fill_body(JSON_BODIES.get(_name(route))),
        data=FORM_BODIES.get(_name(route)),
        content=CONTENTS.get(_name(route)),
    )


async def test_an_outsider_finds_nothing_in_another_workspace(
    app: FastAPI, acme: Acme, as_charlie: httpx.AsyncClient
) -> None:
    for route in _workspace_routes(app):
        answer = await _call(as_charlie, route, acme)
        assert answer.status_code == 404, f"{_name(route)}: {answer.status_code}"


async def test_another_workspaces_things_are_not_in_ones_own(
    app: FastAPI, cast: Cast, acme: Acme, as_charlie: httpx.AsyncClient
) -> None:
    for route in _workspace_routes(app):
        if route.path.count("{") == 1:
            continue
        answer = await _call(as_charlie, route, acme, workspace=str(cast.globex))
        assert answer.status_code == 404, f"{_name(route)}: {answer.status_code}"


async def test_another_workspaces_key_opens_nothing(
    app: FastAPI, acme: Acme, globex_api: httpx.AsyncClient
) -> None:
    for route in _api_routes(app):
        if _name(route) in OWN_THINGS:
            continue
        answer = await _call(globex_api, route, acme)
        assert answer.status_code == 404, f"{_name(route)}: {answer.status_code} {answer.text}"


async def test_the_same_calls_succeed_for_those_who_may(
    app: FastAPI, acme: Acme, acme_api: httpx.AsyncClient
) -> None:
    """Otherwise the 404s above would prove nothing."""
    for route in sorted(_api_routes(app), key=_turn):
        answer = await _call(acme_api, route, acme)
        assert answer.status_code in {200, 201, 202, 204, 409}, f"{_name(route)}: {answer.text}"


def _turn(route: Route) -> int:
    return LAST.index(_name(route)) if _name(route) in LAST else -1


async def test_nobody_is_sent_to_the_sign_in_page(
    app: FastAPI, acme: Acme, client: httpx.AsyncClient
) -> None:
    for route in _workspace_routes(app):
        answer = await _call(client, route, acme)
        assert answer.status_code == 303, f"{_name(route)}: {answer.status_code}"
        assert answer.headers["location"].startswith("/sign-in")
    for route in _api_routes(app):
        answer = await _call(client, route, acme)
        assert answer.status_code == 401, f"{_name(route)}: {answer.status_code}"


async def test_a_viewer_changes_nothing(app: FastAPI, cast: Cast, acme: Acme) -> None:
    async with browser(app, cast.bob.session_token) as as_bob:
        for route in _workspace_routes(app):
            if route.method == "POST" and _name(route) not in VIEWER_MAY_POST:
                answer = await _call(as_bob, route, acme)
                assert answer.status_code == 403, f"{_name(route)}: {answer.status_code}"


async def test_a_reading_key_changes_nothing(app: FastAPI, cast: Cast, acme: Acme) -> None:
    async with program(app, cast.acme_read_key) as reader:
        for route in _api_routes(app):
            if route.method != "GET":
                answer = await _call(reader, route, acme)
                assert answer.status_code == 403, f"{_name(route)}: {answer.status_code}"
