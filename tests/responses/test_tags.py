"""The tags of a survey and the marks of its answers, by the API."""

import asyncio
import uuid
from datetime import date

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.responses import tags
from app.responses.erasure import erase_response
from app.responses.jobs import enforce_retention
from app.responses.models import DeletionReason
from app.responses.tag_models import TAG_NAME_LIMIT
from tests.factories import Cast
from tests.reporting.data import TODAY, Answer, make_survey
from tests.reporting.test_responses_api import everything
from tests.responses.scene import Scene

ANCIENT = date(2020, 1, 1)
Tagged = dict[str, list[str]]


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    answers = [Answer(TODAY, 9, comment="Quick"), Answer(TODAY, 2, comment="Slow")]
    return await make_survey(
        database, cast.acme, [*answers, Answer(ANCIENT, 5, {"plan": "pro"}, "Old")]
    )


def address(scene: Scene, *rest: object) -> str:
    return "/".join(map(str, ("/api/v1/surveys", scene.survey_id, *rest)))


async def make_tag(client: httpx.AsyncClient, scene: Scene, name: str) -> str:
    answer = await client.post(address(scene, "tags"), json={"name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def ids_of(client: httpx.AsyncClient, scene: Scene) -> dict[str, str]:
    return {row["comment"]: row["id"] for row in await everything(client, scene)}


async def tagged(client: httpx.AsyncClient, scene: Scene) -> Tagged:
    """The tags of each comment, and a star as "*"."""
    rows = await everything(client, scene)
    return {row["comment"]: [*row["tags"], *("*" * row["starred"])] for row in rows}


async def test_a_tag_is_put_on_and_taken_off(acme_api: httpx.AsyncClient, scene: Scene) -> None:
    staff, queue = await make_tag(acme_api, scene, "Staff"), await make_tag(acme_api, scene, "列")
    ids = await ids_of(acme_api, scene)
    quick = address(scene, "responses", ids["Quick"])
    for _twice in range(2):
        await acme_api.put(f"{quick}/tags/{queue}")
        answer = await acme_api.put(f"{quick}/tags/{staff}")
        assert answer.json() == {
            "response_id": ids["Quick"],
            "tags": [{"id": staff, "name": "Staff"}, {"id": queue, "name": "列"}],
            "starred": False,
        }
    for _twice in range(2):
        assert (await acme_api.put(f"{quick}/star")).json()["starred"]
    assert (await acme_api.get(f"{quick}/marks")).json()["starred"]
    assert await tagged(acme_api, scene) == {"Quick": ["Staff", "列", "*"], "Slow": [], "Old": []}
    for _twice in range(2):
        assert not (await acme_api.delete(f"{quick}/star")).json()["starred"]
        await acme_api.delete(f"{quick}/tags/{staff}")
    assert await tagged(acme_api, scene) == {"Quick": ["列"], "Slow": [], "Old": []}


async def test_tags_are_renamed_merged_and_deleted(
    acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    staff, people = await make_tag(acme_api, scene, "Staf"), await make_tag(acme_api, scene, "Team")
    ids = await ids_of(acme_api, scene)
    for comment, tag in (("Quick", staff), ("Quick", people), ("Slow", people)):
        await acme_api.put(address(scene, "responses", ids[comment], "tags", tag))
    renamed = await acme_api.patch(address(scene, "tags", staff), json={"name": "  Staff \n (all)"})
    assert renamed.json() == {"id": staff, "name": "Staff (all)"}
    merged = await acme_api.put(address(scene, "tags", people, "merger"), json={"into": staff})
    assert merged.json() == {"id": staff, "name": "Staff (all)"}
    assert await tagged(acme_api, scene) == {
        "Quick": ["Staff (all)"], "Slow": ["Staff (all)"], "Old": [],
    }  # fmt: skip
    gone = await acme_api.put(address(scene, "tags", people, "merger"), json={"into": staff})
    assert gone.status_code == 404
    assert (await acme_api.delete(address(scene, "tags", staff))).status_code == 204
    assert await tagged(acme_api, scene) == {"Quick": [], "Slow": [], "Old": []}


async def test_what_a_tag_cannot_be_called(acme_api: httpx.AsyncClient, scene: Scene) -> None:
    other = await make_tag(acme_api, scene, "Other")
    await make_tag(acme_api, scene, "Ｓtaff")
    for name in ("", " \n", "x" * (TAG_NAME_LIMIT + 1), "a;b", "a\0", "STAFF"):
        body = {"name": name}
        answers = [
            await acme_api.post(address(scene, "tags"), json=body),
            await acme_api.patch(address(scene, "tags", other), json=body),
        ]
        for answer in answers:
            assert answer.status_code == 422, name
            assert answer.json()["invalid_params"][0]["name"] == "name"
    same = await acme_api.patch(address(scene, "tags", other), json={"name": "OTHER"})
    assert same.json()["name"] == "OTHER", "its own name is no twin"
    for into in (other, uuid.uuid4()):
        body = {"into": str(into)}
        answer = await acme_api.put(address(scene, "tags", other, "merger"), json=body)
        assert answer.json()["invalid_params"][0]["name"] == "into"


async def test_a_survey_has_only_so_many_tags(
    acme_api: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tags, "MAX_TAGS", 2)
    wanted = [acme_api.post(address(scene, "tags"), json={"name": name}) for name in "abcd"]
    found = [answer.status_code for answer in await asyncio.gather(*wanted)]
    assert sorted(found) == [201, 201, 422, 422]


async def test_creating_twice_under_one_key_creates_once(
    acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    sent = [
        await acme_api.post(
            address(scene, "tags"), json={"name": "Staff"}, headers={"Idempotency-Key": "one"}
        )
        for _time in range(2)
    ]
    assert [answer.status_code for answer in sent] == [201, 201]
    assert sent[0].json() == sent[1].json()


async def test_many_are_marked_at_once_and_the_log_names_none(
    acme_api: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    staff = await make_tag(acme_api, scene, "Staff")
    ids = await ids_of(acme_api, scene)
    wanted = [ids["Quick"], ids["Slow"], ids["Slow"], str(uuid.uuid4())]
    body = {"response_ids": wanted, "add_tags": [staff], "starred": True}
    answer = await acme_api.put(address(scene, "marks"), json=body)
    assert answer.json() == {"response_count": 2}
    assert await tagged(acme_api, scene) == {
        "Quick": ["Staff", "*"], "Slow": ["Staff", "*"], "Old": [],
    }  # fmt: skip
    body = {"response_ids": [ids["Slow"]], "remove_tags": [staff]}
    await acme_api.put(address(scene, "marks"), json=body)
    assert await tagged(acme_api, scene) == {"Quick": ["Staff", "*"], "Slow": ["*"], "Old": []}
    events = owner.execute(
        "SELECT action, details FROM audit_events WHERE action <> 'survey.created' ORDER BY 1, 2"
    ).fetchall()
    assert events == [
        ("responses.marked", {"responses": 1}),
        ("responses.marked", {"responses": 2}),
        ("tag.created", {}),
    ]
    unknown = {"response_ids": wanted, "add_tags": [str(uuid.uuid4())]}
    assert (await acme_api.put(address(scene, "marks"), json=unknown)).status_code == 404


async def test_a_tag_of_another_survey_fits_no_answer(
    acme_api: httpx.AsyncClient, database: Database, cast: Cast, scene: Scene
) -> None:
    other = await make_survey(database, cast.acme, slug="other")
    tag = await make_tag(acme_api, other, "Staff")
    answer = next(iter((await ids_of(acme_api, scene)).values()))
    for survey in (scene, other):
        path = address(survey, "responses", answer, "tags", tag)
        assert (await acme_api.put(path)).status_code == 404


async def test_who_may_only_read_marks_nothing(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    answer = next(iter((await ids_of(acme_api, scene)).values()))
    assert (await acme_reader.post(address(scene, "tags"), json={"name": "x"})).status_code == 403
    star = await acme_reader.put(address(scene, "responses", answer, "star"))
    assert star.status_code == 403


async def test_marks_go_with_their_answer(
    acme_api: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    staff = await make_tag(acme_api, scene, "Staff")
    ids = await ids_of(acme_api, scene)
    body = {"response_ids": list(ids.values()), "add_tags": [staff], "starred": True}
    await acme_api.put(address(scene, "marks"), json=body)
    async with database.transaction(scene.workspace_id) as session:
        where = (session, scene.workspace_id, uuid.UUID(ids["Quick"]))
        await erase_response(*where, DeletionReason.RECEIPT)
    await enforce_retention(database)
    left = owner.execute("SELECT response_id FROM response_tags").fetchall()
    assert left == [(uuid.UUID(ids["Slow"]),)]
    assert owner.execute("SELECT name FROM tags").fetchall() == [("Staff",)]


async def test_tagging_merging_and_erasing_at_once_end_well(
    acme_api: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    async def erase(response_id: str) -> None:
        async with database.transaction(scene.workspace_id) as session:
            where = (session, scene.workspace_id, uuid.UUID(response_id))
            await erase_response(*where, DeletionReason.RECEIPT)

    ids = await ids_of(acme_api, scene)
    for at, erased in enumerate(list(ids.values())):
        one = await make_tag(acme_api, scene, f"one {at}")
        two = await make_tag(acme_api, scene, f"two {at}")
        body = {"response_ids": list(ids.values()), "add_tags": [one], "starred": at % 2 == 0}
        found = await asyncio.gather(
            *(acme_api.put(address(scene, "marks"), json=body) for _time in range(3)),
            acme_api.put(address(scene, "tags", one, "merger"), json={"into": two}),
            acme_api.delete(address(scene, "tags", two)),
            erase(erased),
        )
        codes = {answer.status_code for answer in found if answer is not None}
        assert codes <= {200, 204, 404, 422}
    lost = owner.execute(
        "SELECT count(*) FROM response_tags LEFT JOIN tags ON id = tag_id WHERE id IS NULL"
    ).fetchone()
    assert lost == (0,)
