"""What a form's ticket is worth: of our own making, and of a release before."""

import base64
import hmac
import json
from datetime import timedelta

import pytest

from app.foundation import clock
from app.foundation.tokens import derive, new_id
from app.responses.tickets import Ticket, read_ticket, sign_ticket

KEY = "k" * 40
TICKET = Ticket("cafe", new_id(), new_id(), {"plan": "プロ"})


def read(signed: str) -> Ticket | None:
    return read_ticket(KEY, signed, TICKET.slug, TICKET.survey_id)


def test_it_comes_back_as_it_was() -> None:
    found = read(sign_ticket(KEY, TICKET))
    assert found is not None
    assert abs(found.opened_at - TICKET.opened_at) <= timedelta(milliseconds=1)
    assert (found.labels, found.version_id) == (TICKET.labels, TICKET.version_id)
    assert found.submission_key == TICKET.submission_key


@pytest.mark.parametrize("place", [0, 40, -1])
def test_who_changes_a_letter_has_no_ticket(place: int) -> None:
    signed = list(sign_ticket(KEY, TICKET))
    signed[place] = "B" if signed[place] != "B" else "C"
    assert read("".join(signed)) is None
    assert read_ticket("x" * 40, sign_ticket(KEY, TICKET), "cafe", TICKET.survey_id) is None


def test_a_page_that_was_open_during_an_upgrade_can_still_be_sent() -> None:
    """It was signed by HMAC-SHA256."""
    moment = int(clock.now().timestamp())
    ids = (TICKET.survey_id, TICKET.version_id, TICKET.submission_key)
    content = ["cafe", {"plan": "pro"}, moment, moment * 1_000, *(found.hex for found in ids)]
    body = base64.urlsafe_b64encode(json.dumps(content).encode())
    mac = hmac.digest(derive(KEY, "form-ticket 4").encode(), body, "sha256")
    signed = body.decode() + "." + base64.urlsafe_b64encode(mac).decode().rstrip("=")
    found = read(signed)
    assert found is not None
    assert found.submission_key == TICKET.submission_key
    assert read("A" + signed[1:]) is None
