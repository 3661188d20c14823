"""`honne archive` and `honne unarchive`, as an operator types them."""

import re
import subprocess
from pathlib import Path

import httpx
from fastapi import FastAPI

from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.archiving.conftest import NEW_OWNER
from tests.conftest import browser
from tests.factories import Cast
from tests.processes import run_honne
from tests.reporting.data import TODAY, Answer, make_survey


def _honne(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_honne(*arguments, DATABASE_URL=settings.database_url, SECRET_KEY=settings.secret_key)


def _refusal(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 2, result.stdout
    assert result.stderr.count("\n") == 1, "one line, no traceback"
    return result.stderr


async def test_a_workspace_goes_from_one_server_to_another(
    database: Database, cast: Cast, settings: Settings,
    app_elsewhere: FastAPI, settings_elsewhere: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    scene = await make_survey(database, cast.acme, [Answer(TODAY, 9)])
    path = str(tmp_path / "acme.zip")
    archived = _honne(settings, "archive", path, "--workspace", "Acme")
    assert archived.returncode == 0, archived.stderr
    assert re.match(rf"{path}: \d+ rows\.", archived.stdout)
    assert "exists already" in _refusal(_honne(settings, "archive", path, "--workspace", "Acme"))

    moving = ("unarchive", path, "--owner", NEW_OWNER)
    restored = _honne(settings_elsewhere, *moving)
    assert restored.returncode == 0, restored.stderr
    _rows, address, link = restored.stdout.splitlines()
    assert address.endswith(f"/w/{cast.acme}")
    assert "is here already: 'Acme'" in _refusal(_honne(settings_elsewhere, *moving))
    async with browser(app_elsewhere) as visitor:
        assert (await visitor.get(f"/s/{scene.slug}")).status_code == 200
        await _set_password(visitor, link)
        assert (await visitor.get(f"/w/{cast.acme}/surveys/{scene.survey_id}")).status_code == 200


async def _set_password(visitor: httpx.AsyncClient, link: str) -> None:
    path = link[link.index("/sign-in/") :] + "/password"
    answer = await visitor.post(path, data={"password": "seventeen green herons"})
    assert answer.status_code == 303, answer.text


def test_what_is_wrong_is_one_line(settings: Settings, tmp_path: Path) -> None:
    path = str(tmp_path / "acme.zip")
    nobody = _honne(settings, "archive", path, "--workspace", "Nobody")
    assert "There is no workspace 'Nobody'." in _refusal(nobody)
    absent = _honne(settings, "unarchive", path, "--owner", NEW_OWNER)
    assert "cannot be read (No such file or directory)" in _refusal(absent)
    mistyped = _honne(settings, "unarchive", path, "--owner", "nora")
    assert "Enter an e-mail address" in _refusal(mistyped)
