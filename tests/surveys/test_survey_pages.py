"""The pages of surveys: a manager's way from nothing to a shared survey, and who may not go it."""

import re
import uuid
from html import unescape

import httpx
import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.foundation.translation import INTERFACE_LANGUAGES, form_languages
from app.surveys.actions import create_survey, mark_answered, publish_survey
from app.surveys.inputs import LinkInput, SurveyInput
from app.surveys.links import create_link
from app.surveys.listings import list_links
from app.surveys.wording import default_texts
from tests.factories import Cast

HOSTILE = '"><script>alert(1)</script>{{7*7}}<img src=x onerror=alert(1)>'
PLAN = {"key": "plan", "values": [{"key": "pro"}, {"key": "Academic / research"}]}


async def make(database: Database, workspace: uuid.UUID, **given: object) -> uuid.UUID:
    survey = SurveyInput.model_validate({"name": "Spring", "subject": "Acme", **given})
    async with database.transaction(workspace) as session:
        return (await create_survey(session, workspace, SYSTEM, survey)).id


async def own_link(database: Database, workspace: uuid.UUID, survey_id: uuid.UUID) -> uuid.UUID:
    async with database.transaction(workspace) as session:
        return (await list_links(session, workspace, survey_id, 1)).rows[0].id


def home(cast: Cast, survey_id: uuid.UUID | None = None) -> str:
    surveys = f"/w/{cast.acme}/surveys"
    return f"{surveys}/{survey_id}" if survey_id else surveys


async def test_the_first_visit_says_what_to_do(
    as_alice: httpx.AsyncClient, as_bob: httpx.AsyncClient, cast: Cast
) -> None:
    page = await as_alice.get(home(cast))
    assert page.status_code == 200
    assert f'href="{home(cast)}/new"' in page.text
    assert "How a survey is run" in page.text
    assert "/new" not in (await as_bob.get(home(cast))).text


async def test_two_lines_make_a_survey(
    as_mona: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    page = await as_mona.get(f"{home(cast)}/new")
    assert page.status_code == 200
    fields = {
        "name": "Spring",
        "subject": "Acme Cloud",
        "languages": "en",
        "default_language": "en",
        "min_group_size": "5",
        "retention_months": "24",
    }
    made = await as_mona.post(home(cast), data=fields)
    assert made.status_code == 303
    share = await as_mona.get(made.headers["location"])
    assert share.status_code == 200
    (slug,) = owner.execute("SELECT slug FROM links").fetchone() or ("",)
    assert f'value="http://127.0.0.1:8000/s/{slug}"' in share.text
    assert "draft" in share.text
    published = await as_mona.post(made.headers["location"].split("/share")[0] + "/publication")
    assert published.status_code == 303
    assert "Published." in (await as_mona.get(published.headers["location"])).text
    assert "Spring" in (await as_mona.get(home(cast))).text


async def test_everything_can_be_said_at_once(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    fields = {
        "name": "Spring",
        "subject": "Acme Cloud",
        "languages": ["en", "ja"],
        "default_language": "ja",
        "wording.en.subject": "Acme Cloud EN",
        "wording.ja.thanks": "ありがとうございました。\r\nまた来年！",
        "dimensions.0.key": "plan",
        "dimensions.0.label": "Plan | プラン",
        "dimensions.0.source": "link",
        "dimensions.0.values": "pro | Pro | プロ\r\n\r\nfree\r\n",
        "min_group_size": "7",
        "retention_months": "12",
        "privacy_url": "https://acme.example/privacy",
        "contact": "ask@acme.example",
        "opens_on": "2026-05-01",
        "closes_on": "2026-05-31",
    }
    made = await as_alice.post(home(cast), data=fields)
    assert made.status_code == 303, made.text
    wording = owner.execute("SELECT wording FROM survey_versions").fetchone()
    assert wording is not None
    assert wording[0]["en"]["subject"] == "Acme Cloud EN"
    assert wording[0]["ja"]["subject"] == "Acme Cloud"
    assert wording[0]["ja"]["thanks"] == "ありがとうございました。\nまた来年！"
    values = owner.execute("SELECT key, label FROM segment_values ORDER BY position").fetchall()
    assert values == [
        ("pro", {"en": "Pro", "ja": "プロ"}),
        ("free", {"en": "free", "ja": "free"}),
    ]
    stored = owner.execute(
        "SELECT min_group_size, retention_months, default_language, opens_on::text FROM surveys"
    ).fetchone()
    assert stored == (7, 12, "ja", "2026-05-01")


async def test_refused_input_is_kept_and_named(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    fields = {
        "name": "",
        "subject": "Acme",
        "languages": ["en"],
        "wording.en.question": "x" * 301,
        "min_group_size": "2",
        "retention_months": "soon",
        "privacy_url": "javascript:alert(1)",
        "dimensions.1.key": "Plan!",
        "dimensions.1.values": "pro|Pro",
        "contact": "kept@acme.example",
    }
    page = await as_alice.post(home(cast), data=fields)
    assert page.status_code == 422
    assert "<title>Error:" in page.text
    for control in ("name", "wording.en.question", "min_group_size", "retention_months",
                    "privacy_url"):  # fmt: skip
        assert f'href="#f-{control}"' in page.text
        assert f'id="f-{control}"' in page.text
    assert "kept@acme.example" in page.text
    assert 'value="Plan!"' in page.text
    assert owner.execute("SELECT count(*) FROM surveys").fetchone() == (0,)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"languages": "xx"},
        {"name": "a\x00b", "subject": "\x00", "languages": "en"},
        {"name": "a", "subject": "b", "languages": "en", "opens_on": "2026-02-30"},
        {"name": "a", "subject": "b", "languages": "en", "min_group_size": "9" * 5_000},
        {"name": "a", "subject": "b", "languages": "en", "other_languages": "it, ../x"},
    ],
)
async def test_nonsense_is_refused_on_the_page(
    as_alice: httpx.AsyncClient, cast: Cast, fields: dict[str, str]
) -> None:
    page = await as_alice.post(home(cast), data=fields)
    assert page.status_code == 422
    assert "There is a problem" in page.text


async def test_editing_keeps_what_it_shows(
    as_mona: httpx.AsyncClient, cast: Cast, database: Database, owner: psycopg.Connection
) -> None:
    survey_id = await make(database, cast.acme, languages=["en", "de"], wording={
        "de": dict.fromkeys(
            ("question", "low_label", "high_label", "reason_question", "thanks", "purpose"), "{X}?"
        )
    })  # fmt: skip
    before = owner.execute("SELECT wording FROM survey_versions").fetchall()
    page = await as_mona.get(f"{home(cast, survey_id)}/edit")
    assert page.status_code == 200
    fields = controls(page.text)
    assert fields["wording.de.question"] == ["{X}?"]
    saved = await as_mona.post(
        f"{home(cast, survey_id)}/content", data={**fields, "name": "Renamed"}
    )
    assert saved.status_code == 303, saved.text
    assert owner.execute("SELECT wording FROM survey_versions").fetchall() == before
    assert owner.execute("SELECT name, languages FROM surveys").fetchone() == (
        "Renamed",
        ["en", "de"],
    )


def controls(html: str) -> dict[str, list[str]]:
    """What a browser would send of the form that saves the survey."""
    form = html.split('/content"')[1].split("</form>", maxsplit=1)[0]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, kind = re.search(r'name="([^"]*)"', tag), re.search(r'type="([^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name and kind and (kind[1] != "checkbox" or " checked" in tag):
            found.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name_, text in re.findall(
        r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL
    ):
        found.setdefault(name_, []).append(unescape(text))
    for name_, options in re.findall(
        r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found.setdefault(name_, []).append(chosen[1] if chosen else "")
    return found


async def test_an_answered_survey_shows_what_stands(
    as_mona: httpx.AsyncClient, cast: Cast, database: Database, owner: psycopg.Connection
) -> None:
    survey_id = await make(database, cast.acme)
    async with database.transaction(cast.acme) as session:
        await mark_answered(session, cast.acme, survey_id)
    edit = f"{home(cast, survey_id)}/edit"
    page = await as_mona.get(edit)
    assert 'name="min_group_size"' not in page.text
    assert 'name="wording.en.question"' not in page.text
    # Even a form from before the first answer changes nothing of it.
    sent = {"name": "Renamed", "subject": "Other", "min_group_size": "3", "languages": "ja"}
    assert (await as_mona.post(f"{home(cast, survey_id)}/content", data=sent)).status_code == 303
    assert owner.execute("SELECT name, min_group_size, languages FROM surveys").fetchone() == (
        "Renamed", 5, ["en"],
    )  # fmt: skip
    versions = f"{home(cast, survey_id)}/versions"
    assert (await as_mona.get(f"{versions}/new")).status_code == 200
    worded = {"subject": "Acme Cloud", "languages": "en", "wording.en.purpose": ""}
    assert (await as_mona.post(versions, data=worded)).status_code == 303
    refused = await as_mona.post(versions, data={**worded, "wording.en.purpose": "To sell."})
    assert refused.status_code == 409
    assert "To sell." in refused.text
    numbers = owner.execute("SELECT number FROM survey_versions ORDER BY number").fetchall()
    assert numbers == [(1,), (2,)]


async def test_segments_are_added_and_archived(
    as_mona: httpx.AsyncClient, cast: Cast, database: Database, owner: psycopg.Connection
) -> None:
    survey_id = await make(database, cast.acme, dimensions=[PLAN])
    dimensions = f"{home(cast, survey_id)}/dimensions"
    role = {"key": "role", "label": "Role", "source": "question", "values": "admin | Admin"}
    assert (await as_mona.post(dimensions, data=role)).status_code == 303
    again = await as_mona.post(dimensions, data=role)
    assert again.status_code == 422
    assert "This key is there twice." in again.text
    added = await as_mona.post(f"{dimensions}/role/values", data={"values": "dev\nother"})
    assert added.status_code == 422
    assert "dev\nother</textarea>" in added.text
    added = await as_mona.post(f"{dimensions}/role/values", data={"values": "dev | Developer"})
    assert added.status_code == 303
    academic = {"value": "Academic / research"}
    for verb, state in (("archived_values", True), ("restored_values", False)):
        assert (await as_mona.post(f"{dimensions}/plan/{verb}", data=academic)).status_code == 303
        rows = owner.execute("SELECT is_archived FROM segment_values WHERE key LIKE 'Acad%'")
        assert rows.fetchall() == [(state,)]
        assert (await as_mona.get(f"{home(cast, survey_id)}/edit")).status_code == 200
    assert (await as_mona.post(f"{dimensions}/role/removal")).status_code == 303
    keys = owner.execute("SELECT key FROM segment_dimensions").fetchall()
    assert keys == [("plan",)]


async def test_the_share_page_makes_links_and_codes(
    as_mona: httpx.AsyncClient, cast: Cast, database: Database, owner: psycopg.Connection
) -> None:
    survey_id = await make(database, cast.acme, dimensions=[PLAN])
    target = await make(database, cast.acme, name="Next year")
    base = home(cast, survey_id)
    made = await as_mona.post(
        f"{base}/links", data={"name": "Booth", "channel": "qr", "preset.plan": "pro"}
    )
    assert made.status_code == 303
    link = owner.execute(
        "SELECT id, slug, preset FROM survey_links WHERE NOT is_default"
    ).fetchone()
    assert link is not None
    assert link[2] == {"plan": "pro"}
    share = await as_mona.get(f"{base}/share")
    assert f"http://127.0.0.1:8000/s/{link[1]}" in share.text
    assert "<svg width=" in share.text
    for kind, media_type, start in (
        ("svg", "image/svg+xml", b"<?xml"),
        ("png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ):
        code = await as_mona.get(f"{base}/links/{link[0]}/qr.{kind}")
        assert code.status_code == 200
        assert code.headers["content-type"] == media_type
        assert code.headers["content-disposition"].startswith("attachment")
        assert code.content.startswith(start)
    for bad in (
        {"name": "", "channel": "qr"},
        {"name": "x", "channel": "pigeon"},
        {"name": "x", "preset.plan": "gold"},
        {"name": "x", "preset.colour": "red"},
    ):
        refused = await as_mona.post(f"{base}/links", data=bad)
        assert refused.status_code == 422
        assert "<title>Error:" in refused.text
    address = f"{base}/links/{link[0]}"
    assert (await as_mona.post(f"{address}/survey", data={"target": "x"})).status_code == 422
    led = await as_mona.post(f"{address}/survey", data={"target": str(target)})
    assert led.status_code == 303
    row = owner.execute("SELECT survey_id FROM links WHERE slug = %s", [link[1]]).fetchone()
    assert row == (target,)
    there = f"{home(cast, target)}/links/{link[0]}"
    assert (await as_mona.post(f"{there}/revocation")).status_code == 303
    assert "Revoked" in (await as_mona.get(f"{home(cast, target)}/share")).text


async def test_hostile_names_are_harmless(
    as_alice: httpx.AsyncClient, cast: Cast, database: Database
) -> None:
    survey_id = await make(
        database, cast.acme, name=HOSTILE, subject=HOSTILE, contact=HOSTILE,
        wording={"en": {"question": HOSTILE, "thanks": HOSTILE}},
        dimensions=[
            {"key": "plan", "label": HOSTILE, "values": [{"key": HOSTILE, "label": HOSTILE}]},
            {"key": "role", "source": "question", "values": [{"key": HOSTILE}]},
        ],
    )  # fmt: skip
    async with database.transaction(cast.acme) as session:
        given = LinkInput(name=HOSTILE, preset={"plan": HOSTILE})
        await create_link(session, cast.acme, SYSTEM, survey_id, given)
    base = home(cast, survey_id)
    for path in (home(cast), f"{base}/edit", f"{base}/share", f"{base}/preview",
                 f"{base}/versions/new"):  # fmt: skip
        page = await as_alice.get(path)
        assert page.status_code == 200, path
        assert "<script>" not in page.text
        assert "<img" not in page.text
        assert "alert(1)" in page.text
        assert "{{7*7}}" in unescape(page.text)


def reads(base: str, link: uuid.UUID) -> list[str]:
    return [
        f"{base}/share",
        f"{base}/preview",
        f"{base}/links/{link}/qr.svg",
        f"{base}/links/{link}/qr.png",
    ]


def writes(base: str, link: uuid.UUID) -> list[tuple[str, str]]:
    posts = (
        "content", "versions", "publication", "publication/end", "links", "dimensions",
        "dimensions/plan/values", "dimensions/plan/archived_values",
        "dimensions/plan/restored_values", "dimensions/plan/removal",
        f"links/{link}/revocation", f"links/{link}/survey",
    )  # fmt: skip
    return [
        ("GET", f"{base}/edit"),
        ("GET", f"{base}/versions/new"),
        *(("POST", f"{base}/{path}") for path in posts),
    ]


COMPLETE = {"name": "Taken", "subject": "Taken", "languages": "en", "key": "x", "values": "x",
            "value": "pro", "target": "00000000-0000-4000-8000-000000000000"}  # fmt: skip


async def test_who_may_see_and_who_may_write(
    as_bob: httpx.AsyncClient,
    as_charlie: httpx.AsyncClient,
    client: httpx.AsyncClient,
    cast: Cast,
    database: Database,
) -> None:
    survey_id = await make(database, cast.acme, dimensions=[PLAN])
    link = await own_link(database, cast.acme, survey_id)
    base = home(cast, survey_id)
    for path in [home(cast), *reads(base, link)]:
        assert (await as_bob.get(path)).status_code == 200, path
        assert (await as_charlie.get(path)).status_code == 404, path
        assert (await client.get(path)).status_code == 303, path
    for method, path in [("GET", f"{home(cast)}/new"), ("POST", home(cast)), *writes(base, link)]:
        assert (await as_bob.request(method, path, data=COMPLETE)).status_code == 403, path
        assert (await as_charlie.request(method, path, data=COMPLETE)).status_code == 404, path
        assert (await client.request(method, path, data=COMPLETE)).status_code == 303, path


async def test_another_workspaces_survey_is_not_found_through_ones_own(
    as_charlie: httpx.AsyncClient, cast: Cast, database: Database, owner: psycopg.Connection
) -> None:
    survey_id = await make(database, cast.acme, dimensions=[PLAN])
    link = await own_link(database, cast.acme, survey_id)
    base = f"/w/{cast.globex}/surveys/{survey_id}"
    for path in reads(base, link):
        assert (await as_charlie.get(path)).status_code == 404, path
    for method, path in writes(base, link):
        assert (await as_charlie.request(method, path, data=COMPLETE)).status_code == 404, path
    theirs = await make(database, cast.globex)
    stolen = await as_charlie.post(
        f"/w/{cast.globex}/surveys/{theirs}/links/{link}/survey", data={"target": str(theirs)}
    )
    assert stolen.status_code == 404
    row = owner.execute("SELECT survey_id FROM links WHERE workspace_id = %s", [cast.acme])
    assert row.fetchall() == [(survey_id,)]


async def test_a_link_is_not_led_into_another_workspace(
    as_alice: httpx.AsyncClient, cast: Cast, database: Database
) -> None:
    survey_id = await make(database, cast.acme)
    theirs = await make(database, cast.globex)
    link = await own_link(database, cast.acme, survey_id)
    answer = await as_alice.post(
        f"{home(cast, survey_id)}/links/{link}/survey", data={"target": str(theirs)}
    )
    assert answer.status_code == 404


async def test_states_are_told_apart(
    as_alice: httpx.AsyncClient, cast: Cast, database: Database
) -> None:
    survey_id = await make(database, cast.acme, opens_on="2999-01-01")
    assert "Draft" in (await as_alice.get(home(cast))).text
    async with database.transaction(cast.acme) as session:
        await publish_survey(session, cast.acme, SYSTEM, survey_id)
    assert "Opens on Jan 1, 2999" in (await as_alice.get(home(cast))).text
    assert (await as_alice.post(f"{home(cast, survey_id)}/publication/end")).status_code == 303
    assert "Closed" in (await as_alice.get(home(cast))).text


async def test_publishing_a_question_without_choices_says_what_to_add(
    as_alice: httpx.AsyncClient, cast: Cast, database: Database
) -> None:
    role = {"key": "role", "source": "question"}
    survey_id = await make(database, cast.acme, dimensions=[role])
    page = await as_alice.post(f"{home(cast, survey_id)}/publication")
    assert page.status_code == 409
    assert "needs values to choose from" in page.text
    assert "<h1>" in page.text


async def test_another_language_gets_fields_of_its_own(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    fields = {"name": "Spring", "subject": "Acme", "languages": "en", "other_languages": "it"}
    asked = await as_alice.post(home(cast), data=fields)
    assert asked.status_code == 422
    assert 'id="f-wording.it.question"' in asked.text
    assert 'href="#f-wording.it.thanks"' in asked.text
    texts = ("question", "low_label", "high_label", "reason_question", "thanks", "purpose")
    complete = {f"wording.it.{name}": f"{name} {{X}}" for name in texts}
    made = await as_alice.post(home(cast), data={**fields, **complete})
    assert made.status_code == 303
    assert owner.execute("SELECT languages FROM surveys").fetchone() == (["en", "it"],)


async def test_a_language_with_our_words_is_ticked_and_needs_no_typing(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    page = await as_alice.get(f"{home(cast)}/new")
    offered = re.findall(r'name="languages" value="([^"]+)"', page.text)
    assert offered == [*INTERFACE_LANGUAGES, *sorted(set(form_languages()) - {"en", "ja"})]
    assert "<span>Chinese (Traditional)</span>" in page.text
    fields = {"name": "Spring", "subject": "Acme", "languages": ["en", "ar"]}
    made = await as_alice.post(home(cast), data={**fields, "default_language": "ar"})
    assert made.status_code == 303, made.text
    wording, main = owner.execute(
        "SELECT wording, default_language FROM survey_versions JOIN surveys s ON s.id = survey_id"
    ).fetchone() or ({}, "")
    assert main == "ar"
    assert wording["ar"]["low_label"] == default_texts("ar")["low_label"] != "Not at all likely"
    survey_id = made.headers["location"].split("/")[4]
    edit = (await as_alice.get(f"{home(cast)}/{survey_id}/edit")).text
    assert re.search(r'name="wording.ar.low_label"[^>]* lang="ar" dir="rtl" placeholder="غير', edit)
    preview = (await as_alice.get(f"{home(cast)}/{survey_id}/preview")).text
    assert '<div class="stack" lang="ar" dir="rtl">' in preview


async def test_a_viewer_sees_the_link_and_no_buttons(
    as_bob: httpx.AsyncClient, cast: Cast, database: Database
) -> None:
    survey_id = await make(database, cast.acme, dimensions=[PLAN])
    async with database.transaction(cast.acme) as session:
        await create_link(session, cast.acme, SYSTEM, survey_id, LinkInput(name="Booth"))
    page = (await as_bob.get(f"{home(cast, survey_id)}/share")).text
    assert "Booth" in page
    assert re.findall(r'method="post" action="([^"]*)"', page) == ["/sessions/current/end"]
    assert "/edit" not in page
