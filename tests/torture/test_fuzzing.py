"""Several thousand cases for every part of the API's contract."""

import os
from pathlib import Path

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from app.foundation.settings import Settings
from tests.factories import Cast
from tests.flows.hostile import Forms, Sent, acme, forms, requests, send  # noqa: F401  # fixtures
from tests.fuzzing import LONG, fuzz, things_to_name
from tests.responses.conftest import scene  # noqa: F401  # a fixture
from tests.responses.intake_machine import IntakeMachine
from tests.responses.scene import Scene, recount, stored_counts
from tests.responses.test_many_posts import send_form_often, send_key_often
from tests.torture.conftest import Say

pytestmark = pytest.mark.torture
EXAMPLES = int(os.environ.get("EXAMPLES", "60"))


async def test_the_whole_api_keeps_its_contract(
    settings: Settings,
    cast: Cast,
    scene: Scene,  # noqa: F811
    acme_api: httpx.AsyncClient,
    owner: psycopg.Connection,
    tmp_path: Path,
    say: Say,
) -> None:
    things = await things_to_name(acme_api, owner, scene)
    found = fuzz(settings, cast, things, EXAMPLES, tmp_path, LONG)
    say("api_cases", found.cases, "requests made from the OpenAPI document, all checks")
    assert found.is_clean, found.report
    assert found.cases > 3_000


@hypothesis_settings(max_examples=3_000)
@given(sent=requests())
async def test_a_form_answers_with_a_page_whatever_it_is_sent(
    forms: Forms,  # noqa: F811
    as_alice: httpx.AsyncClient,
    owner: psycopg.Connection,
    sent: Sent,
) -> None:
    await send(as_alice, forms, sent)
    assert stored_counts(owner) == recount(owner)


def test_answers_are_kept_once_and_counts_follow(
    settings: Settings, owner: psycopg.Connection, tmp_path: Path, say: Say
) -> None:
    class Machine(IntakeMachine):
        pass

    Machine.settings, Machine.owner, Machine.folder = settings, owner, tmp_path
    walks, steps = 100, 50
    walk = hypothesis_settings(max_examples=walks, stateful_step_count=steps)
    run_state_machine_as_test(Machine, settings=walk)
    say("intake_steps", walks * steps, f"{walks} random walks over the intake, at most")


async def test_a_thousand_posts_with_one_key_are_one_answer(
    settings: Settings,
    cast: Cast,
    scene: Scene,  # noqa: F811
    owner: psycopg.Connection,
    say: Say,
) -> None:
    await send_form_often(settings, scene, owner, 1_000)
    owner.execute("TRUNCATE responses, submission_keys, daily_counts CASCADE")
    await send_key_often(settings, cast, scene, owner, 1_000)
    say(
        "posts_with_one_key",
        1_000,
        "connections at once by the form, and as many by the API: one answer each",
    )
