"""The brand on respondents' pages: where it stands, what it allows, and whose logo is served."""

import re
import zlib
from html import unescape

import httpx
import psycopg
import pytest

from app.surveys.layouts import CURRENT_LAYOUT, LAYOUTS
from app.surveys.models import SurveyState
from tests.accounts.test_logos import saved, sign
from tests.responses.scene import Scene
from tests.responses.test_form import fill_in
from tests.responses.test_languages import BUDGET

PNG = saved(sign())
PAGES = ("", "/thanks", "/privacy", "/erasure", "/erasure/done")


async def _brand(
    api: httpx.AsyncClient, *, name: str = "Acme Cloud", accent: str | None = "#ffd400"
) -> str:
    """Give Acme a brand; the path of its logo under the link `cafe`."""
    assert (await api.put("/api/v1/brand", json={"name": name, "accent": accent})).is_success
    answer = await api.put("/api/v1/brand/logo", content=PNG)
    return f"/s/cafe/logo/{answer.json()['logo']['hash']}"


async def test_every_page_bears_the_brand(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    path = await _brand(acme_api)
    pages = [await client.get(f"/s/{scene.slug}{page}") for page in PAGES]
    pages.append(await fill_in(client, score=""))
    pages.append(await client.post("/s/cafe/erasure", data={"receipt": "no"}))
    assert [page.status_code for page in pages] == [200] * len(PAGES) + [422, 422]
    for page in pages:
        assert f'src="{path}" alt="Acme Cloud" width="480" height="120"' in page.text
        assert "--fill:#ffd400" in page.text
        assert "img-src 'self'; " in page.headers["content-security-policy"]
        assert page.text.index("<header") < page.text.index("<main")


@pytest.mark.parametrize(("state", "status"), [(SurveyState.CLOSED, 410), (SurveyState.DRAFT, 403)])
async def test_closed_doors_bear_it_too(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient,
    owner: psycopg.Connection, state: SurveyState, status: int,
) -> None:  # fmt: skip
    path = await _brand(acme_api)
    owner.execute("UPDATE surveys SET state = %s", [state])
    page = await client.get(f"/s/{scene.slug}")
    assert page.status_code == status
    assert path in page.text
    assert (await client.get(path)).status_code == 200


async def test_a_brand_fits_into_the_budget(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    await _brand(acme_api)
    for language in ("en", "ja"):
        page = await client.get(f"/s/{scene.slug}?lang={language}")
        assert len(zlib.compress(page.content, 9)) <= BUDGET


async def test_a_form_with_everything_on_fits_as_well(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    assert scene.slug
    await _brand(acme_api)
    asked = [
        {
            "key": key,
            "label": {"ja": label},
            "source": source,
            "values": [
                {"key": f"v{at}", "label": {"ja": value}}
                for at, value in enumerate(values.split("、"))
            ],
        }
        for key, label, source, values in (
            ("role", "あなたの役割を教えてください。", "question", "管理者、利用者、購買"),
            ("size", "会社の規模", "question", "50人以下、51人以上"),
            ("plan", "プラン", "link", "無料、有料"),
        )
    ]
    given = {
        "name": "All", "subject": "Acme Cloud", "languages": ["ja"], "default_language": "ja",
        "dimensions": asked, "asks_contact": True, "support": "help@acme.example",
        "contact": "privacy@acme.example", "privacy_url": "https://acme.example/privacy",
    }  # fmt: skip
    made = (await acme_api.post("/api/v1/surveys", json=given)).json()
    await acme_api.put(f"/api/v1/surveys/{made['id']}/publication")
    page = await client.get(f"/s/{made['url'].rpartition('/')[2]}?plan=v1")
    assert page.text.count('type="radio"') == 11 + 4 + 3
    assert 'name="email"' in page.text
    assert len(zlib.compress(page.content, 9)) <= BUDGET


async def test_without_a_brand_the_workspace_is_named_and_no_picture_is_allowed(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    page = await client.get(f"/s/{scene.slug}")
    assert re.search(r'<header class="brand">\W*Acme\W*</header>', page.text)
    assert "img-src" not in page.headers["content-security-policy"]
    assert "<img" not in page.text


async def test_a_hostile_name_is_text(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    name = '"><script>alert(1)</script>'
    await _brand(acme_api, name=name)
    page = await client.get(f"/s/{scene.slug}")
    assert "<script>alert" not in page.text
    [alt] = re.findall(r'<img [^>]*alt="([^"]*)"', page.text)
    assert unescape(alt) == name


async def test_an_unknown_address_has_nobodys_brand(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    assert scene.slug
    await _brand(acme_api)
    page = await client.get("/s/nowhere")
    assert page.status_code == 404
    assert "<header" not in page.text


async def test_a_frame_has_the_colours_and_leaves_the_name_to_the_page_around_it(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    await _brand(acme_api)
    page = await client.get(f"/s/{scene.slug}?embed=1")
    assert "--fill:#ffd400" in page.text
    assert "<header" not in page.text
    assert "img-src" not in page.headers["content-security-policy"]


async def test_the_logo_is_served_for_good(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    assert scene.slug
    path = await _brand(acme_api)
    for method in ("GET", "HEAD"):
        answer = await client.request(method, path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] in ("image/webp", "image/png")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "set-cookie" not in answer.headers
        assert int(answer.headers["content-length"]) <= 20_000
    assert (await client.post(path)).status_code == 405


async def test_only_the_logo_that_is_in_use_is_served(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient,
    globex_api: httpx.AsyncClient,
) -> None:  # fmt: skip
    assert scene.slug
    path = await _brand(acme_api)
    other = await globex_api.put("/api/v1/brand/logo", content=saved(sign("#c2255c")))
    for wrong in (
        f"/s/cafe/logo/{other.json()['logo']['hash']}",
        "/s/cafe/logo/none",
        path.replace("cafe", "nowhere"),
        f"{path}0",
    ):
        answer = await client.get(wrong)
        assert (answer.status_code, answer.content) == (404, b"")
    assert (await client.get(path)).status_code == 200
    await acme_api.delete("/api/v1/brand/logo")
    assert (await client.get(path)).status_code == 404


async def test_the_scale_is_drawn_as_the_survey_was_created_with(
    client: httpx.AsyncClient, scene: Scene, acme_api: httpx.AsyncClient,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    created = await acme_api.post("/api/v1/surveys", json={"name": "New", "subject": "New"})
    assert created.json()["layout_version"] == CURRENT_LAYOUT
    assert owner.execute("SELECT DISTINCT layout_version FROM surveys").fetchall() == [
        (CURRENT_LAYOUT,)
    ]
    assert set(LAYOUTS) == set(range(1, CURRENT_LAYOUT + 1)), "running surveys keep theirs"
    page = await client.get(f"/s/{scene.slug}")
    shown = re.findall(r'<input type="radio" name="score" value="(\d+)"', page.text)
    assert shown == [str(score) for score in range(11)]
