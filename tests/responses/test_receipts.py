"""A receipt is read however it was written down, and by nobody who lacks the key."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation import clock
from app.foundation.tokens import new_id
from app.responses.receipts import (
    LENGTH,
    SHOWN_FOR,
    NoReceipt,
    Showing,
    read_receipt,
    read_showing,
    sign_showing,
    write_receipt,
)
from app.scoring import Category

KEY = "a secret key of this installation"
ids = st.uuids(version=4)


@given(ids)
def test_a_receipt_names_its_answer(response_id: uuid.UUID) -> None:
    receipt = write_receipt(KEY, response_id)
    assert read_receipt(KEY, receipt) == response_id
    assert len(receipt.replace(" ", "")) == LENGTH
    assert set(receipt) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ ")
    assert {len(group) for group in receipt.split(" ")} == {5}


@given(ids)
def test_a_receipt_does_not_show_the_id(response_id: uuid.UUID) -> None:
    """Only the key leads from one to the other: neighbours of an id look nothing like it."""
    plain = write_receipt(KEY, response_id).replace(" ", "")
    neighbour = write_receipt(KEY, uuid.UUID(int=response_id.int ^ 1)).replace(" ", "")
    assert sum(one != other for one, other in zip(plain, neighbour, strict=True)) > LENGTH // 2
    assert write_receipt("another key", response_id) != write_receipt(KEY, response_id)


@pytest.mark.parametrize(
    "write",
    [
        str.lower,
        lambda text: text.replace(" ", ""),
        lambda text: text.replace(" ", "-"),
        lambda text: text.replace(" ", "\r\n"),
        lambda text: f"  {text}\n",
        lambda text: text.replace(" ", "　"),
        lambda text: "".join("　" if sign == " " else chr(ord(sign) + 0xFEE0) for sign in text),
        lambda text: text.replace(" ", "−"),
        lambda text: text.replace("0", "O").replace("1", "l"),
        lambda text: text.replace("0", "o").replace("1", "I"),
    ],
)
def test_how_it_is_written_down_does_not_matter(write: Callable[[str], str]) -> None:
    for _ in range(20):
        response_id = new_id()
        assert read_receipt(KEY, write(write_receipt(KEY, response_id))) == response_id


@given(ids, st.integers(0, LENGTH - 1), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_letter_is_noticed(response_id: uuid.UUID, place: int, letter: str) -> None:
    plain = write_receipt(KEY, response_id).replace(" ", "")
    if plain[place] != letter:
        with pytest.raises(NoReceipt):
            read_receipt(KEY, plain[:place] + letter + plain[place + 1 :])


@given(st.text(max_size=300))
def test_anything_else_is_no_receipt(typed: str) -> None:
    with pytest.raises(NoReceipt):
        read_receipt(KEY, typed)


def test_another_installations_receipt_is_none_of_ours() -> None:
    with pytest.raises(NoReceipt) as refused:
        read_receipt(KEY, write_receipt("another key", new_id()))
    assert refused.value.length == LENGTH


@pytest.mark.parametrize("missing", range(1, LENGTH, 7))
def test_it_is_said_how_much_was_typed(missing: int) -> None:
    plain = write_receipt(KEY, new_id()).replace(" ", "")
    with pytest.raises(NoReceipt) as refused:
        read_receipt(KEY, plain[missing:])
    assert refused.value.length == LENGTH - missing


@given(ids, st.sampled_from(Category))
def test_the_address_shows_it_for_ten_minutes(response_id: uuid.UUID, group: Category) -> None:
    with clock.fixed(clock.now()):
        signed = sign_showing(KEY, response_id, group)
        sent_at = clock.now()
    shown = Showing(response_id, group)
    for age, expected in (
        (timedelta(), shown),
        (SHOWN_FOR - timedelta(seconds=2), shown),
        (SHOWN_FOR + timedelta(seconds=1), None),
        (timedelta(days=400), None),
    ):
        with clock.fixed(sent_at + age):
            assert read_showing(KEY, signed) == expected
    assert read_showing("another key", signed) is None
    assert response_id.hex[:8] not in signed


@given(ids, st.sampled_from(Category), st.sampled_from(Category))
def test_the_address_does_not_show_the_group(
    response_id: uuid.UUID, group: Category, other: Category
) -> None:
    """Two groups of one answer differ all over, as two answers do."""
    with clock.fixed(clock.now()):
        one, two = (sign_showing(KEY, response_id, named) for named in (group, other))
    assert (one == two) == (group == other)
    if group != other:
        assert sum(left != right for left, right in zip(one, two, strict=True)) > len(one) // 2


@given(st.text(max_size=80))
def test_another_address_shows_nothing(signed: str) -> None:
    assert read_showing(KEY, signed) is None
