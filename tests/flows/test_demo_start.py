"""`honne demo` from the first start to the last: four lines, one load, a clean end, a recovery."""

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.processes import STOP_WITHIN_S, demo, demo_process, free_port

ADDRESS = r"http://127\.0\.0\.1:\d+"
LINES = {
    "form": rf"{ADDRESS}/s/\w+",
    "dashboard": rf"{ADDRESS}/sign-in/links/\w+",
    "api docs": rf"{ADDRESS}/api/docs",
    "api key": r"hn_live_\w{46}",
}


def _metrics(lines: dict[str, str], api_key: str) -> httpx.Response:
    base = lines["api docs"].removesuffix("/docs")
    headers = {"Authorization": f"Bearer {api_key}"}
    surveys = httpx.get(f"{base}/v1/surveys", headers=headers)
    if surveys.status_code != 200:
        return surveys
    survey_id = surveys.json()["data"][0]["id"]
    return httpx.get(f"{base}/v1/metrics", headers=headers, params={"survey_id": survey_id})


def _is_running(folder: Path) -> bool:
    return (folder / "postgres" / "cluster" / "postmaster.pid").exists()


def test_the_demo_starts_again_and_again(tmp_path: Path) -> None:
    with demo(tmp_path, free_port()) as (process, first):
        assert list(first) == list(LINES)
        for name, pattern in LINES.items():
            assert re.fullmatch(pattern, first[name]), (name, first[name])
        assert httpx.get(first["form"]).status_code == 200
        assert httpx.get(first["api docs"]).status_code == 200
        figures = _metrics(dict(first), first["api key"]).json()
        assert figures["response_count"] == 3851
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=STOP_WITHIN_S) == 0
    assert not _is_running(tmp_path)
    with demo(tmp_path, free_port()) as (process, second):
        assert second["form"].split("/s/")[1] == first["form"].split("/s/")[1]
        assert second["api key"] != first["api key"]
        assert _metrics(dict(second), first["api key"]).status_code == 401
        again = _metrics(dict(second), second["api key"]).json()
        assert again["response_count"] == figures["response_count"]
        old_link = second["dashboard"].rsplit("/", 1)[0] + "/" + first["dashboard"].rsplit("/")[-1]
        assert httpx.get(old_link).status_code == 410
        process.kill()
        process.wait()
    assert _is_running(tmp_path)
    with demo(tmp_path, free_port()) as (_process, third):
        assert _metrics(dict(third), third["api key"]).json()["nps"] == figures["nps"]
    assert not _is_running(tmp_path)


def test_two_that_start_side_by_side_share_one_demo(tmp_path: Path) -> None:
    def look(folder: Path) -> tuple[str, int]:
        with demo(folder, free_port()) as (process, lines):
            slug = lines["form"].split("/s/")[1]
            process.send_signal(signal.SIGINT)
            return slug, process.wait(timeout=STOP_WITHIN_S)

    with ThreadPoolExecutor(2) as starting:
        first, second = starting.map(look, [tmp_path] * 2)
    assert first == second
    assert first[1] == 0
    assert not _is_running(tmp_path)


def test_interrupting_the_start_is_no_failure(tmp_path: Path) -> None:
    with demo_process(tmp_path, free_port()) as process:
        while not _is_running(tmp_path):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=STOP_WITHIN_S) == 0
    assert not _is_running(tmp_path)


def test_the_sign_in_link_works_once_by_its_button(tmp_path: Path) -> None:
    with demo(tmp_path, free_port()) as (_process, lines), httpx.Client() as browser:
        page = browser.get(lines["dashboard"])
        assert page.status_code == 200
        assert page.text.count("<button") == 1 + page.text.count('action="/sessions')
        assert browser.get(lines["dashboard"]).status_code == 200, "GET uses nothing up"
        origin = {"Sec-Fetch-Site": "same-origin"}
        signed_in = browser.post(lines["dashboard"], headers=origin)
        assert signed_in.status_code == 303
        dashboard = browser.get(
            lines["api docs"].removesuffix("/api/docs") + signed_in.headers["location"]
        )
        assert dashboard.status_code == 200
        everything = browser.get(str(dashboard.url), params={"period": "all"})
        assert "3,851" in everything.text
        assert browser.post(lines["dashboard"], headers=origin).status_code == 410
