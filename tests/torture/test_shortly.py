"""A little of each torture, on one installation: what `make test` can afford."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.torture.blows import SHORT
from tests.torture.conftest import Say
from tests.torture.installation import Installation, serving
from tests.torture.ledger import Ledger
from tests.torture.shortage import away, stopped
from tests.torture.test_ending import end_under_load
from tests.torture.test_killing import torture
from tests.torture.test_shortage import starve

SEED = 20261122
SECONDS = 1.5


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One for all tests of this file; each leaves its server running and its own answers there."""
    with serving(tmp_path_factory.mktemp("torture")) as found:
        yield found
        assert found.stop() == 0


def _forget_answers(found: Installation) -> None:
    """Of the tests before: each has a ledger of its own, and ledgers number their answers alike."""
    with found.owner() as owner:
        owner.execute("UPDATE responses SET comment = NULL WHERE comment LIKE 't-%'")


@pytest.fixture
def ledger(found: Installation) -> Ledger:
    _forget_answers(found)
    return Ledger()


def test_a_few_kills(found: Installation, ledger: Ledger, say: Say) -> None:
    torture(found, ledger, SHORT, SEED, say)


def test_a_short_stop_and_a_short_absence(found: Installation, ledger: Ledger, say: Say) -> None:
    for name, shortage in (("stopped", stopped), ("away", away)):
        asyncio.run(starve(found, ledger, shortage, SECONDS, say, name))
    assert found.find_faults(ledger) == []


def test_what_was_accepted_before_the_end_is_finished(
    found: Installation, ledger: Ledger, say: Say
) -> None:
    end_under_load(found, ledger, say)
