"""The surveys API: its contract, its refusals, its outsiders."""

import json
import uuid
from typing import Any

import httpx

PLAN: list[dict[str, Any]] = [
    {
        "key": "plan",
        "label": {"en": "Plan", "ja": "プラン"},
        "values": [
            {"key": "pro", "label": {"en": "Pro", "ja": "プロ"}},
            {"key": "Academic / research", "label": {"en": "Academic"}},
        ],
        "source": "link",
    }
]
CONTRACT: dict[str, Any] = {
    "name": "Spring 2026",
    "subject": {"en": "Acme Cloud", "ja": "アクメクラウド"},
    "languages": ["en", "ja"],
    "default_language": "en",
    "dimensions": PLAN,
    "min_group_size": 5,
    "retention_months": 24,
    "privacy_url": "https://acme.example/privacy",
}
MINIMAL = {"name": "Spring", "subject": "Acme"}


async def create(api: httpx.AsyncClient, **given: object) -> dict[str, Any]:
    answer = await api.post("/api/v1/surveys", json={**CONTRACT, **given})
    assert answer.status_code == 201, answer.text
    survey: dict[str, Any] = answer.json()
    return survey


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code in (409, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [param["name"] for param in answer.json().get("invalid_params", [])]


async def test_a_survey_is_created_as_the_contract_says(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api)
    assert survey["state"] == "draft"
    assert survey["url"].startswith("http://127.0.0.1:8000/s/")
    assert survey["subject"] == CONTRACT["subject"]
    assert [value["key"] for value in survey["dimensions"][0]["values"]] == [
        "pro",
        "Academic / research",
    ]
    assert (await acme_api.get(f"/api/v1/surveys/{survey['id']}")).json() == survey
    listed = (await acme_api.get("/api/v1/surveys")).json()
    assert [row["id"] for row in listed["data"]] == [survey["id"]]
    assert listed["data"][0]["url"] == survey["url"]
    assert listed["meta"] == {"limit": 50, "next_cursor": None}


async def test_name_and_subject_suffice(acme_api: httpx.AsyncClient) -> None:
    answer = await acme_api.post("/api/v1/surveys", json=MINIMAL)
    assert answer.status_code == 201
    survey = answer.json()
    assert (survey["languages"], survey["default_language"]) == (["en"], "en")
    assert (survey["min_group_size"], survey["retention_months"]) == (5, 24)
    assert survey["subject"] == {"en": "Acme"}


async def test_publication_is_put_and_deleted(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api)
    address = f"/api/v1/surveys/{survey['id']}/publication"
    assert (await acme_api.delete(address)).status_code == 409
    for _ in range(2):
        answer = await acme_api.put(address)
        assert (answer.status_code, answer.json()["state"]) == (200, "published")
    for _ in range(2):
        answer = await acme_api.delete(address)
        assert (answer.status_code, answer.json()["state"]) == (200, "closed")
    assert (await acme_api.put(address)).json()["state"] == "published"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"name": "a\u0000b"}, "name"),
    ({"name": 7}, "name"),
    ({"subject": ""}, "subject"),
    ({"subject": {}}, "subject"),
    ({"subject": {"en": "a\nb", "ja": "x"}}, "subject.en"),
    ({"subject": {"fr": "Acme"}}, "subject.fr"),
    ({"languages": []}, "languages"),
    ({"languages": ["en", "en", "ja"]}, "languages"),
    ({"languages": ["en", "xx-nope"]}, "languages.1"),
    ({"languages": ["en", "ja", "tlh"]}, "languages.2"),
    ({"default_language": "fr"}, "default_language"),
    ({"wording": {"en": {"question": "x" * 301}}}, "wording.en.question"),
    ({"wording": {"en": {"question": "a\u0007"}}}, "wording.en.question"),
    ({"wording": {"en": {"colour": "red"}}}, "wording.en.colour"),
    ({"wording": {"fr": {"question": "Quoi ?"}}}, "wording.fr"),
    ({"min_group_size": 2}, "min_group_size"),
    ({"min_group_size": True}, "min_group_size"),
    ({"min_group_size": "5"}, "min_group_size"),
    ({"min_group_size": 5.5}, "min_group_size"),
    ({"retention_months": 0}, "retention_months"),
    ({"retention_months": 121}, "retention_months"),
    ({"privacy_url": "javascript:alert(1)"}, "privacy_url"),
    ({"privacy_url": "https://"}, "privacy_url"),
    ({"privacy_url": "https://[bad"}, "privacy_url"),
    ({"privacy_url": "https://a b"}, "privacy_url"),
    ({"opens_on": "2026-05-02", "closes_on": "2026-05-01"}, "closes_on"),
    ({"opens_on": 20260502}, "opens_on"),
    ({"opens_on": "2026-02-30"}, "opens_on"),
    ({"colour": "red"}, "colour"),
    ({"dimensions": [{"key": "Plan"}]}, "dimensions.0.key"),
    ({"dimensions": [{"key": "x" * 41}]}, "dimensions.0.key"),
    ({"dimensions": [{"key": "lang"}]}, "dimensions.0.key"),
    ({"dimensions": [{"key": "a"}, {"key": "a"}]}, "dimensions.1.key"),
    ({"dimensions": [{"key": f"d{n}"} for n in range(5)]}, "dimensions"),
    ({"dimensions": [{"key": f"d{n}", "source": "question"} for n in range(3)]}, "dimensions"),
    ({"dimensions": [{"key": "a", "source": "cookie"}]}, "dimensions.0.source"),
    (
        {"dimensions": [{"key": "a", "values": [{"key": f"v{n}"} for n in range(51)]}]},
        "dimensions.0.values",
    ),
    ({"dimensions": [{"key": "a", "values": [{"key": "Other"}]}]}, "dimensions.0.values.0.key"),
    ({"dimensions": [{"key": "a", "values": [{"key": "none"}]}]}, "dimensions.0.values.0.key"),
    ({"dimensions": [{"key": "a", "values": [{"key": " a"}]}]}, "dimensions.0.values.0.key"),
    ({"dimensions": [{"key": "a", "values": [{"key": "a\u0000"}]}]}, "dimensions.0.values.0.key"),
    (
        {"dimensions": [{"key": "a", "values": [{"key": "v"}, {"key": "v"}]}]},
        "dimensions.0.values.1.key",
    ),
    ({"dimensions": [{"key": "a", "label": {"en": "x" * 121}}]}, "dimensions.0.label.en"),
    ({"dimensions": [{"key": "a", "label": {"nope!": "x"}}]}, "dimensions.0.label"),
]


async def test_bad_input_is_named_and_nothing_is_stored(acme_api: httpx.AsyncClient) -> None:
    for given, name in BAD:
        answer = await acme_api.post("/api/v1/surveys", json={**CONTRACT, **given})
        assert answer.status_code == 422, given
        assert name in names(answer), given
    assert (await acme_api.get("/api/v1/surveys")).json()["data"] == []


async def test_lone_surrogates_are_refused(acme_api: httpx.AsyncClient) -> None:
    cases: list[dict[str, Any]] = [
        *({name: "LONE"} for name in ("name", "subject", "contact", "privacy_url")),
        {"default_language": "LONE"},
        {"languages": ["LONE"]},
        {"wording": {"en": {"thanks": "LONE"}}},
        {"dimensions": [{"key": "a", "label": "LONE"}]},
        {"dimensions": [{"key": "a", "values": [{"key": "LONE"}]}]},
    ]
    for given in cases:
        body = json.dumps({**CONTRACT, **given}).replace("LONE", r"\ud800")
        answer = await acme_api.post(
            "/api/v1/surveys", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422, given
        assert answer.json()["invalid_params"], given


async def test_unknown_query_parameters_are_refused(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api)
    base = f"/api/v1/surveys/{survey['id']}"
    for answer in [
        await acme_api.get("/api/v1/surveys", params={"colour": "red"}),
        await acme_api.get(base, params={"colour": "red"}),
        await acme_api.get(f"{base}/links", params={"colour": "red"}),
        await acme_api.put(f"{base}/publication", params={"colour": "red"}),
        await acme_api.post("/api/v1/surveys", json=MINIMAL, params={"colour": "red"}),
    ]:
        assert names(answer) == ["colour"]
    assert (await acme_api.get(base)).json()["state"] == "draft"


async def test_forged_cursors_are_refused(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api)
    forged = ["x", "e30", "WyJhIl0", "WyJhIiwiYiJd", "é", "[]", ""]
    for cursor in forged:
        for path in ("", f"/{survey['id']}/links", f"/{survey['id']}/versions"):
            answer = await acme_api.get(f"/api/v1/surveys{path}", params={"cursor": cursor})
            assert names(answer) == ["cursor"], cursor


async def test_lists_come_in_pages(acme_api: httpx.AsyncClient) -> None:
    made = [(await create(acme_api, name=f"Survey {n}"))["id"] for n in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await acme_api.get("/api/v1/surveys", params=query)).json()
        seen += [row["id"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    for limit in ("0", "201", "x"):
        assert names(await acme_api.get("/api/v1/surveys", params={"limit": limit})) == ["limit"]


async def test_idempotency_key_creates_once(acme_api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await acme_api.post("/api/v1/surveys", json=CONTRACT, headers=headers)
    again = await acme_api.post("/api/v1/surveys", json=CONTRACT, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = await acme_api.post("/api/v1/surveys", json=MINIMAL, headers=headers)
    assert other.status_code == 422
    assert len((await acme_api.get("/api/v1/surveys")).json()["data"]) == 1


async def test_a_reader_may_not_write(
    acme_api: httpx.AsyncClient, acme_reader: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    survey = await create(acme_api)
    assert (await acme_reader.get(f"/api/v1/surveys/{survey['id']}")).status_code == 200
    for method, path in writes(survey["id"], survey["id"]):
        assert (await acme_reader.request(method, path, json={})).status_code in (403, 422)
    assert (await acme_reader.post("/api/v1/surveys", json=CONTRACT)).status_code == 403
    assert (await client.post("/api/v1/surveys", json=CONTRACT)).status_code == 401


def writes(survey_id: str, link_id: str) -> list[tuple[str, str]]:
    base = f"/api/v1/surveys/{survey_id}"
    return [
        ("PUT", f"{base}/publication"),
        ("DELETE", f"{base}/publication"),
        ("DELETE", f"{base}/dimensions/plan"),
        ("PUT", f"{base}/dimensions/plan/archived_values/pro"),
        ("DELETE", f"{base}/dimensions/plan/archived_values/pro"),
        ("DELETE", f"{base}/links/{link_id}"),
    ]


async def test_outsiders_find_nothing(
    acme_api: httpx.AsyncClient, globex_api: httpx.AsyncClient
) -> None:
    survey = await create(acme_api)
    base = f"/api/v1/surveys/{survey['id']}"
    link = (await acme_api.get(f"{base}/links")).json()["data"][0]["id"]
    theirs = await create(globex_api)
    for path in (base, f"{base}/links", f"{base}/links/{link}", f"{base}/versions"):
        assert (await globex_api.get(path)).status_code == 404
    for method, path in writes(survey["id"], link):
        assert (await globex_api.request(method, path)).status_code == 404
    for method, path, body in [
        ("PATCH", base, {"name": "Taken"}),
        ("POST", f"{base}/versions", {"subject": "Taken"}),
        ("POST", f"{base}/dimensions", {"key": "x"}),
        ("POST", f"{base}/dimensions/plan/values", {"values": [{"key": "x"}]}),
        ("POST", f"{base}/links", {"name": "Taken"}),
        ("PUT", f"{base}/links/{link}/survey", {"survey_id": theirs["id"]}),
    ]:
        assert (await globex_api.request(method, path, json=body)).status_code == 404
    # Nor may a link be led out of its workspace.
    stolen = await acme_api.put(f"{base}/links/{link}/survey", json={"survey_id": theirs["id"]})
    assert stolen.status_code == 404
    assert (await acme_api.get(base)).json() == survey
    assert [row["id"] for row in (await globex_api.get("/api/v1/surveys")).json()["data"]] == [
        theirs["id"]
    ]


async def test_unknown_survey(acme_api: httpx.AsyncClient) -> None:
    assert (await acme_api.get(f"/api/v1/surveys/{uuid.uuid4()}")).status_code == 404
    assert (await acme_api.get("/api/v1/surveys/7")).status_code == 422


async def test_malformed_bodies(acme_api: httpx.AsyncClient) -> None:
    json_type = {"Content-Type": "application/json"}
    cases = [
        (b"{", json_type, 400),
        (b"[]", json_type, 422),
        (b"null", json_type, 422),
        (b'{"name": NaN}', json_type, 422),
        (b"[" * 60_000, json_type, 400),
        (b"name=Spring", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ]
    for body, headers, status in cases:
        answer = await acme_api.post("/api/v1/surveys", content=body, headers=headers)
        assert answer.status_code == status, body[:20]
        assert answer.headers["content-type"] == "application/problem+json"


async def test_changes_keep_what_they_do_not_name(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api, opens_on="2026-05-01", contact="privacy@acme.example")
    base = f"/api/v1/surveys/{survey['id']}"
    changed = (
        await acme_api.patch(
            base,
            json={
                "name": "Autumn",
                "wording": {"ja": {"thanks": "ありがとう。\r\n{X}より"}},
                "opens_on": None,
            },
        )
    ).json()
    assert (changed["name"], changed["opens_on"]) == ("Autumn", None)
    assert changed["contact"] == "privacy@acme.example"
    assert changed["subject"] == survey["subject"]
    assert changed["wording"]["ja"]["thanks"] == "ありがとう。\n{X}より"
    assert changed["wording"]["en"] == survey["wording"]["en"]
    neutral = (await acme_api.patch(base, json={"wording": {"ja": {"thanks": ""}}})).json()
    assert neutral["wording"] == survey["wording"]
    one = (await acme_api.patch(base, json={"languages": ["JA"]})).json()
    assert (one["languages"], one["default_language"]) == (["ja"], "ja")
    assert one["subject"] == {"ja": "アクメクラウド"}
    assert names(await acme_api.patch(base, json={"dimensions": []})) == ["dimensions"]


async def test_a_language_without_words_of_ours_needs_all_its_texts(
    acme_api: httpx.AsyncClient,
) -> None:
    answer = await acme_api.post("/api/v1/surveys", json={**MINIMAL, "languages": ["it"]})
    assert "wording.it.question" in names(answer)
    texts = ("question", "low_label", "high_label", "reason_question", "thanks", "purpose")
    wording = {"it": dict.fromkeys(texts, "Quanto consiglierebbe {X}?")}
    survey = await create(
        acme_api, languages=["it"], default_language="it", subject="Acme", wording=wording
    )
    assert survey["subject"] == {"it": "Acme"}
    british = await create(acme_api, languages=["en-gb"], default_language="en-GB", subject="Acme")
    assert british["wording"]["en-GB"]["low_label"] == "Not at all likely"
    brazilian = await create(
        acme_api, languages=["pt-br"], default_language="pt-BR", subject="Acme"
    )
    assert brazilian["wording"]["pt-BR"]["high_label"] == "Extremamente provável"


async def test_dimensions_grow_but_never_shrink(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api)
    base = f"/api/v1/surveys/{survey['id']}/dimensions"
    for key in ("role", "region"):
        answer = await acme_api.post(base, json={"key": key, "source": "question"})
        assert (answer.status_code, answer.json()["label"]) == (201, {"en": key, "ja": key})
    third = await acme_api.post(base, json={"key": "age", "source": "question"})
    assert names(third) == ["source"]
    assert (await acme_api.post(base, json={"key": "age", "source": "api"})).status_code == 201
    assert "key" in names(await acme_api.post(base, json={"key": "fifth"}))
    values = f"{base}/plan/values"
    grown = await acme_api.post(values, json={"values": [{"key": "team"}, {"key": "solo"}]})
    assert grown.status_code == 201
    assert [value["key"] for value in grown.json()["values"]][2:] == ["team", "solo"]
    assert names(await acme_api.post(values, json={"values": [{"key": "pro"}]})) == ["values.0.key"]
    many = {"values": [{"key": f"v{n}"} for n in range(47)]}
    assert names(await acme_api.post(values, json=many)) == ["values"]
    assert (await acme_api.post(f"{base}/nope/values", json=many)).status_code == 404
    archived = await acme_api.put(f"{base}/plan/archived_values/Academic%20%2F%20research")
    assert archived.status_code == 200
    assert [value["is_archived"] for value in archived.json()["values"]] == [
        False, True, False, False,
    ]  # fmt: skip
    restored = await acme_api.delete(f"{base}/plan/archived_values/Academic%20%2F%20research")
    assert not any(value["is_archived"] for value in restored.json()["values"])
    assert (await acme_api.put(f"{base}/plan/archived_values/nope")).status_code == 404
    assert (await acme_api.delete(f"{base}/age")).status_code == 204


async def test_a_question_without_choices_is_not_published(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api, dimensions=[{"key": "role", "source": "question"}])
    base = f"/api/v1/surveys/{survey['id']}"
    assert (await acme_api.put(f"{base}/publication")).status_code == 409
    await acme_api.post(f"{base}/dimensions/role/values", json={"values": [{"key": "admin"}]})
    assert (await acme_api.put(f"{base}/publication")).status_code == 200


async def test_links_are_made_revoked_and_led_elsewhere(acme_api: httpx.AsyncClient) -> None:
    survey, target = await create(acme_api), await create(acme_api, name="Next year")
    base = f"/api/v1/surveys/{survey['id']}"
    made = await acme_api.post(
        f"{base}/links", json={"name": "Booth", "channel": "qr", "preset": {"plan": "pro"}}
    )
    assert made.status_code == 201
    booth = made.json()
    assert (booth["channel"], booth["preset"], booth["is_default"]) == (
        "qr",
        {"plan": "pro"},
        False,
    )
    address = f"{base}/links/{booth['id']}"
    moved = await acme_api.put(f"{address}/survey", json={"survey_id": target["id"]})
    assert (moved.status_code, moved.json()["url"]) == (200, booth["url"])
    assert (await acme_api.get(address)).status_code == 404
    there = f"/api/v1/surveys/{target['id']}/links/{booth['id']}"
    revoked = await acme_api.delete(there)
    assert revoked.json()["revoked_at"] is not None
    assert (await acme_api.delete(there)).json() == revoked.json()
    back = await acme_api.put(f"{there}/survey", json={"survey_id": survey["id"]})
    assert back.status_code == 409


async def test_a_survey_always_has_a_link_of_its_own(acme_api: httpx.AsyncClient) -> None:
    survey, target = await create(acme_api), await create(acme_api, name="Next year")
    base = f"/api/v1/surveys/{survey['id']}"
    own = (await acme_api.get(f"{base}/links")).json()["data"][0]
    assert own["is_default"]
    await acme_api.put(f"{base}/links/{own['id']}/survey", json={"survey_id": target["id"]})
    second = (await acme_api.get(base)).json()["url"]
    assert second not in ("", survey["url"])
    assert (await acme_api.get(f"/api/v1/surveys/{target['id']}")).json()["url"] == target["url"]
    links = (await acme_api.get(f"{base}/links")).json()["data"]
    await acme_api.delete(f"{base}/links/{links[0]['id']}")
    assert (await acme_api.get(base)).json()["url"] not in (survey["url"], second)


LINK_REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "x", "channel": "api"}, "channel"),
    ({"name": "x", "channel": "pigeon"}, "channel"),
    ({"name": "x", "preset": {"colour": "red"}}, "preset.colour"),
    ({"name": "x", "preset": {"plan": "gold"}}, "preset.plan"),
    ({"name": "x", "preset": {"role": "admin"}}, "preset.role"),
]


async def test_links_preset_only_what_links_may_carry(acme_api: httpx.AsyncClient) -> None:
    role = {"key": "role", "source": "question", "values": [{"key": "admin"}]}
    survey = await create(acme_api, dimensions=[*PLAN, role])
    for given, name in LINK_REFUSALS:
        answer = await acme_api.post(f"/api/v1/surveys/{survey['id']}/links", json=given)
        assert name in names(answer), given


async def test_links_are_listed_with_the_surveys_own_first(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api)
    base = f"/api/v1/surveys/{survey['id']}/links"
    made = [(await acme_api.post(base, json={"name": f"Link {n}"})).json()["url"] for n in range(3)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await acme_api.get(base, params=query)).json()
        seen += [row["url"] for row in page["data"]]
        if page["meta"]["next_cursor"] is None:
            break
        query["cursor"] = page["meta"]["next_cursor"]
    assert seen == [survey["url"], *made[::-1]]


async def test_versions_are_listed_newest_first(acme_api: httpx.AsyncClient) -> None:
    survey = await create(acme_api)
    base = f"/api/v1/surveys/{survey['id']}/versions"
    for low in ("Never", "Not ever"):
        made = await acme_api.post(base, json={"wording": {"en": {"low_label": low}}})
        assert made.status_code == 201
    first = (await acme_api.get(base, params={"limit": 2})).json()
    assert [row["number"] for row in first["data"]] == [3, 2]
    query = {"limit": 2, "cursor": first["meta"]["next_cursor"]}
    rest = (await acme_api.get(base, params=query)).json()
    assert [row["wording"]["en"]["low_label"] for row in rest["data"]] == ["Not at all likely"]
    assert (await acme_api.get(f"/api/v1/surveys/{survey['id']}")).json()["version"] == 3


async def test_hostile_member_names_are_refused_cleanly(acme_api: httpx.AsyncClient) -> None:
    for body in (
        rb'{"name": "a", "subject": "b", "\ud800": 1}',
        rb'{"name": "a", "subject": {"\ud800": "b"}}',
        rb'{"name": "a", "subject": "b", "wording": {"en": {"\u0000": "x"}}}',
        b'{"name": "a", "subject": "b", "min_group_size": ' + b"9" * 400 + b"}",
    ):
        answer = await acme_api.post(
            "/api/v1/surveys", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422, body
        assert answer.json()["invalid_params"]
    long_number = b'{"name": "a", "subject": "b", "min_group_size": ' + b"9" * 5_000 + b"}"
    answer = await acme_api.post(
        "/api/v1/surveys", content=long_number, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
