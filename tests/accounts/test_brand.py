"""Choosing a brand, on its page and by the API, and who may."""

import io

import httpx
import psycopg
import pytest
from PIL import Image

from tests.accounts.test_logos import saved, sign
from tests.conftest import BASE_URL
from tests.factories import Cast

PNG = saved(sign())
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
BRAND, LOGO = "/api/v1/brand", "/api/v1/brand/logo"


def acts(owner: psycopg.Connection) -> list[str]:
    rows = owner.execute("SELECT action FROM audit_events ORDER BY number").fetchall()
    return [action for (action,) in rows if action.startswith("brand.")]


async def test_a_workspace_without_a_brand_has_its_name_and_our_colour(
    acme_api: httpx.AsyncClient,
) -> None:
    answer = (await acme_api.get(BRAND)).json()
    assert (answer["name"], answer["accent"], answer["logo"]) == ("Acme", None, None)
    assert answer["colours"]["light"]["accent"] == "#264a83"
    assert (await acme_api.get(LOGO)).status_code == 404


async def test_name_and_colour_by_the_api(
    acme_api: httpx.AsyncClient, globex_api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    given = {"name": " Acme Cloud ", "accent": "#FFD400"}
    answer = await acme_api.put(BRAND, json=given)
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["accent"]) == ("Acme Cloud", "#ffd400")
    light = answer.json()["colours"]["light"]
    assert light["accent"] != "#ffd400"
    assert light["fill"] == "#ffd400"
    assert (await acme_api.get(BRAND)).json() == answer.json()
    assert (await globex_api.get(BRAND)).json()["name"] == "Globex"
    assert (await acme_api.put(BRAND, json={})).json()["accent"] is None
    rows = owner.execute("SELECT name, accent FROM brands").fetchall()
    assert rows == [(None, None)]
    assert acts(owner) == ["brand.changed", "brand.changed"]


@pytest.mark.parametrize(
    "given",
    [
        {"accent": "red"}, {"accent": "#12345"}, {"accent": "#1234567"}, {"accent": 7},
        {"name": "x" * 101}, {"name": "a\nb"}, {"name": "a\u0000b"}, {"logo": "x"},
    ],
)  # fmt: skip
async def test_refused_by_the_api(
    acme_api: httpx.AsyncClient, owner: psycopg.Connection, given: dict[str, object]
) -> None:
    answer = await acme_api.put(BRAND, json=given)
    assert answer.status_code == 422
    [param] = answer.json()["invalid_params"]
    assert param["name"].endswith(next(iter(given)))
    assert owner.execute("SELECT count(*) FROM brands").fetchone() == (0,)


async def test_a_logo_comes_and_goes_by_the_api(
    acme_api: httpx.AsyncClient, globex_api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    answer = await acme_api.put(LOGO, content=PNG)
    assert answer.status_code == 200, answer.text
    logo = answer.json()["logo"]
    assert (logo["width"], logo["height"], logo["ground"]) == (480, 120, "light")
    shown = await acme_api.get(LOGO)
    assert shown.headers["content-type"] == logo["type"]
    assert Image.open(io.BytesIO(shown.content)).size == (480, 120)
    assert (await globex_api.get(LOGO)).status_code == 404
    # Another name keeps the logo, another logo the name.
    await acme_api.put(BRAND, json={"name": "Acme Cloud"})
    again = await acme_api.put(LOGO, content=saved(sign("#c2255c")))
    assert again.json()["name"] == "Acme Cloud"
    assert again.json()["logo"]["hash"] != logo["hash"]
    for _ in range(2):
        assert (await acme_api.delete(LOGO)).status_code == 204
    assert (await acme_api.get(BRAND)).json()["logo"] is None
    assert acts(owner).count("brand.logo_removed") == 1


@pytest.mark.parametrize("content", [SVG, b"", b"GIF89a", PNG[:-40]])
async def test_a_file_that_is_refused_changes_nothing(
    acme_api: httpx.AsyncClient, content: bytes
) -> None:
    kept = (await acme_api.put(LOGO, content=PNG)).json()
    answer = await acme_api.put(LOGO, content=content)
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == ["logo"]
    assert (await acme_api.get(BRAND)).json() == kept


async def test_more_than_two_megabytes_are_not_even_read(acme_api: httpx.AsyncClient) -> None:
    largest = 2 * 1024 * 1024
    assert (await acme_api.put(LOGO, content=bytes(largest + 1))).status_code == 422
    assert (await acme_api.put(LOGO, content=bytes(largest + 8 * 1024 + 1))).status_code == 413
    # The wider cap is for pictures alone.
    assert (await acme_api.put(BRAND, content=bytes(largest))).status_code == 413


async def test_only_writing_keys_change_it(acme_reader: httpx.AsyncClient) -> None:
    assert (await acme_reader.get(BRAND)).status_code == 200
    assert (await acme_reader.put(BRAND, json={})).status_code == 403
    assert (await acme_reader.put(LOGO, content=PNG)).status_code == 403
    assert (await acme_reader.delete(LOGO)).status_code == 403


async def test_a_manager_chooses_on_the_page(
    as_mona: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = f"/w/{cast.acme}/brand"
    page = await as_mona.get(path)
    assert 'value="Acme"' in page.text
    assert "as it is" in page.text
    sent = await as_mona.post(path, data={"name": "Acme Cloud", "accent": "#ffd400"})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=saved")
    page = await as_mona.get(path)
    assert 'value="#ffd400"' in page.text
    assert "would be hard to read here" in page.text
    sent = await as_mona.post(f"{path}/logo", files={"logo": ("logo.png", PNG, "image/png")})
    assert sent.status_code == 303
    page = await as_mona.get(path)
    assert 'alt="Acme Cloud"' in page.text
    logo = await as_mona.get(f"{path}/logo")
    assert logo.headers["content-type"] in ("image/webp", "image/png")
    assert (await as_mona.post(f"{path}/logo/removal")).status_code == 303
    assert "<img" not in (await as_mona.get(path)).text
    assert acts(owner) == ["brand.changed", "brand.logo_changed", "brand.logo_removed"]


async def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(
    as_mona: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = f"/w/{cast.acme}/brand"
    page = await as_mona.post(path, data={"name": "Acme & Co", "accent": "javascript:"})
    assert page.status_code == 422
    assert 'id="f-accent-error"' in page.text
    assert 'value="Acme &amp; Co"' in page.text
    for files in ({"logo": ("a.svg", SVG, "image/svg+xml")}, {"logo": ("", b"", "")}):
        page = await as_mona.post(f"{path}/logo", files=files)
        assert page.status_code == 422
        assert 'id="f-logo-error"' in page.text
    assert (await as_mona.post(f"{path}/logo", data={"logo": "text"})).status_code == 422
    assert owner.execute("SELECT count(*) FROM brands").fetchone() == (0,)


async def test_another_site_sends_no_logo(as_mona: httpx.AsyncClient, cast: Cast) -> None:
    answer = await as_mona.post(
        f"{BASE_URL}/w/{cast.acme}/brand/logo",
        files={"logo": ("logo.png", PNG, "image/png")},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


async def test_the_database_takes_half_a_logo_from_nobody(
    owner: psycopg.Connection, cast: Cast
) -> None:
    for columns, values in (("logo", "'x'"), ("accent", "'red'"), ("logo_hash", "'a'")):
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute(
                f"INSERT INTO brands (workspace_id, {columns}) VALUES (%s, {values})".encode(),  # noqa: S608
                [cast.acme],
            )
