"""Events and actions by the API: what is kept, refused, listed and written into the audit log."""

from typing import Any

import httpx
import psycopg
import pytest

from tests.factories import Cast
from tests.responses.scene import Scene

EVENT = {"kind": "event", "title": "Price raised", "begins_on": "2026-06-01"}
PATH = "/api/v1/annotations"


async def note(api: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
    answer = await api.post(PATH, json={**EVENT, **given})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_action_keeps_all_that_was_said(
    acme_api: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene, cast: Cast
) -> None:
    given = {
        "kind": "action",
        "title": "Answer within a day",
        "begins_on": "2026-04-01",
        "survey_id": str(scene.survey_id),
        "note": "A second person.\nSince April.",
        "link": "https://acme.example/42",
        "hypothesis": "They wait too long.",
        "owner_id": str(cast.mona.user_id),
        "due_on": "2026-05-31",
        "done_on": "2026-05-15",
    }
    made = await note(acme_api, **given)
    assert {name: made[name] for name in given} == given
    assert (await acme_reader.get(f"{PATH}/{made['id']}")).json() == made


async def test_the_same_key_notes_once(acme_api: httpx.AsyncClient) -> None:
    sent = [
        await acme_api.post(PATH, json=EVENT, headers={"Idempotency-Key": "one"}) for _ in range(2)
    ]
    assert sent[0].json() == sent[1].json()
    assert len((await acme_api.get(PATH)).json()["data"]) == 1
    other = await acme_api.post(
        PATH, json={**EVENT, "title": "Other"}, headers={"Idempotency-Key": "one"}
    )
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"note": "x" * 2_001}, "note"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "ftp://acme.example"}, "link"),
        ({"link": "https://"}, "link"),
        ({"begins_on": "1999-12-31"}, "begins_on"),
        ({"begins_on": "2026-06-31"}, "begins_on"),
        ({"hypothesis": "Why"}, "hypothesis"),
        ({"done_on": "2026-06-02"}, "done_on"),
        ({"kind": "action", "due_on": "2026-05-31"}, "due_on"),
        ({"kind": "action", "done_on": "2026-05-31"}, "done_on"),
        ({"kind": "action", "done_on": "2026-07-11"}, "done_on"),
        ({"kind": "party"}, "kind"),
        ({"author": "me"}, "author"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    acme_api: httpx.AsyncClient, given: dict[str, str], name: str
) -> None:
    answer = await acme_api.post(PATH, json={**EVENT, **given})
    assert answer.status_code == 422
    assert name in [param["name"] for param in answer.json()["invalid_params"]]


async def test_an_owner_is_a_member_and_stays_when_they_leave(
    acme_api: httpx.AsyncClient, as_alice: httpx.AsyncClient, scene: Scene, cast: Cast
) -> None:
    stranger = {"kind": "action", "owner_id": str(cast.charlie.user_id)}
    refused = await acme_api.post(PATH, json={**EVENT, **stranger})
    assert refused.json()["invalid_params"][0]["name"] == "owner_id"
    made = await note(acme_api, kind="action", owner_id=str(cast.bob.user_id))
    home = f"/w/{cast.acme}"
    await as_alice.post(f"{home}/members/{cast.bob.user_id}/removal")
    changed = await acme_api.patch(f"{PATH}/{made['id']}", json={"title": "Renamed"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["owner_id"] == str(cast.bob.user_id)
    page = await as_alice.get(f"{home}/surveys/{scene.survey_id}/actions")
    assert "Its owner has left the workspace" in page.text
    assert "Owner: Bob" not in page.text


async def test_changes_leave_the_rest_alone_and_null_takes_away(
    acme_api: httpx.AsyncClient,
) -> None:
    made = await note(acme_api, kind="action", due_on="2026-06-30", note="Kept")
    path = f"{PATH}/{made['id']}"
    done = (await acme_api.patch(path, json={"done_on": "2026-06-20"})).json()
    assert done == {**made, "done_on": "2026-06-20"}
    cleared = (await acme_api.patch(path, json={"due_on": None, "title": None, "note": ""})).json()
    assert cleared == {**done, "due_on": None, "note": ""}
    assert (await acme_api.patch(path, json={"kind": "event"})).status_code == 422


async def test_the_list_is_filtered_and_paged_by_key(
    acme_api: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    other = (await acme_api.post("/api/v1/surveys", json={"name": "B", "subject": "B"})).json()
    for at in range(1, 6):
        await note(acme_api, title=f"No {at}", begins_on=f"2026-06-0{at}")
    await note(acme_api, kind="action", title="Own", survey_id=str(scene.survey_id))
    await note(acme_api, title="Of another", survey_id=other["id"])

    async def titles(**query: str) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            params = {**query, **({"cursor": cursor} if cursor else {}), "limit": "2"}
            page = (await acme_reader.get(PATH, params=params)).json()
            found += [row["title"] for row in page["data"]]
            cursor = page["meta"]["next_cursor"]
            if cursor is None:
                return found

    assert len(await titles()) == 7
    of_survey = await titles(survey_id=str(scene.survey_id))
    assert len(of_survey) == 6
    assert "Of another" not in of_survey
    assert await titles(kind="action") == ["Own"]
    assert await titles(since="2026-06-02", until="2026-06-03") == ["No 3", "No 2"]
    assert (await acme_reader.get(PATH, params={"owner": "me"})).status_code == 422
    assert (await acme_reader.get(PATH, params={"cursor": "x"})).status_code == 422


async def test_every_act_is_in_the_audit_log(
    acme_api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    made = await note(acme_api)
    path = f"{PATH}/{made['id']}"
    await acme_api.patch(path, json={"title": "Prices raised"})
    await acme_api.patch(path, json={"title": "Prices raised"})
    assert (await acme_api.delete(path)).status_code == 204
    assert (await acme_api.get(path)).status_code == 404
    found = owner.execute(
        "SELECT action, details FROM audit_events WHERE action LIKE 'annotation.%' ORDER BY number"
    ).fetchall()
    assert [action for action, _details in found] == [
        "annotation.created", "annotation.changed", "annotation.deleted",
    ]  # fmt: skip
    assert found[1][1]["changed"] == ["title"]
