"""A log line is one JSON object, in UTC, under names of our own."""

import errno
import json
import os
import re
import subprocess
import sys

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.foundation.logs import wordless

LOGGING = """
import logging
from app.foundation.logs import configure_logging
configure_logging("INFO")
logging.getLogger("honne.jobs").info("job done", extra={"rows": 3})
"""


def test_a_line_says_when_how_grave_and_what() -> None:
    environment = os.environ | {"TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], env=environment, capture_output=True, text=True, check=True
    )
    line = json.loads(done.stderr)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.pop("time"))
    assert line == {"level": "INFO", "name": "honne.jobs", "message": "job done", "rows": 3}


def _refuse() -> None:
    raise psycopg.errors.InvalidTextRepresentation('invalid input for integer: "canary"')


def _fail() -> None:
    try:
        _refuse()
    except psycopg.Error as error:
        raise ValueError("canary") from error


def test_of_an_error_its_kind_and_places_are_told_and_no_word() -> None:
    with pytest.raises(ValueError, match="canary") as raised:
        _fail()
    told = wordless(raised.value)
    assert (told["error"], told["sqlstate"]) == ("ValueError", "")
    assert [place.split()[-1] for place in told["places"]][-1] == "_fail"
    [cause] = told["causes"]
    assert (cause["error"], cause["sqlstate"]) == ("InvalidTextRepresentation", "22P02")
    assert [place.split()[-1] for place in cause["places"]] == ["_fail", "_refuse"]
    assert re.search(r"test_logs\.py:\d+ _refuse$", cause["places"][-1])
    several = wordless(ExceptionGroup("canary", [raised.value]))
    assert several["causes"] == [told]
    assert "canary" not in json.dumps(several)


async def test_an_error_nobody_thought_of_is_logged_without_its_words(
    app: FastAPI, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_api_route("/api/fails", _fail)
    answer = await client.get("/api/fails")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    [record] = [one for one in caplog.records if one.name == "honne.errors"]
    told = record.__dict__
    assert (told["message"], told["error"]) == ("unexpected error", "ValueError")
    assert any("_refuse" in place for place in told["causes"][0]["places"])
    assert told["request_id"] == answer.json()["request_id"]
    assert "canary" not in answer.text + caplog.text + str(told)


@pytest.mark.parametrize(
    "error", [ValueError(), OSError(errno.ENOSPC, "full"), TimeoutError()], ids=repr
)
async def test_by_the_number_on_a_page_the_error_is_found(
    app: FastAPI, client: AsyncClient, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """But for respondents: a number beside a second would tell when somebody came."""

    async def fail() -> None:
        raise error

    app.add_api_route("/fails", fail)
    app.add_api_route("/s/cafe/fails", fail)
    page = await client.get("/fails")
    number = page.headers["x-request-id"]
    assert number in page.text
    assert (await client.get("/s/cafe/fails")).status_code >= 500
    found = [record.__dict__ for record in caplog.records if record.name == "honne.errors"]
    assert [told.get("request_id") for told in found] == [number, None]
