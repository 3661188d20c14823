"""A short walk through everything that can happen to answers; `make torture` takes long ones."""

from pathlib import Path

import psycopg
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from app.foundation.settings import Settings
from tests.responses.intake_machine import IntakeMachine


def test_answers_are_kept_once_and_counts_follow(
    settings: Settings, owner: psycopg.Connection, tmp_path: Path
) -> None:
    class Machine(IntakeMachine):
        pass

    Machine.settings, Machine.owner, Machine.folder = settings, owner, tmp_path
    walk = hypothesis_settings(max_examples=8, stateful_step_count=20, derandomize=True)
    run_state_machine_as_test(Machine, settings=walk)
