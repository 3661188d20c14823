"""Which passwords are refused, and how they are kept."""

import pytest

from app.accounts.passwords import (
    ESTIMATED_LENGTH,
    HASHER,
    NOBODYS_HASH,
    find_password_fault,
    hash_password,
    password_matches,
)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "password1234",
        "aaaaaaaaaaaaaaaa",
        "qwertyuiop12",
        "abcdefghijklm",
        "alice@acme.example",
        "x" * 201,
    ],
)
async def test_weak_passwords_are_refused(password: str) -> None:
    assert find_password_fault(password, ("Alice", "alice@acme.example"))


@pytest.mark.parametrize(
    "password",
    [
        "violet tram crosses quietly",
        "むらさきの電車がしずかに渡る",
        "Xk2!vv0-qPz9",
        "é" * 3 + "nW7#kd92;Lq",
    ],
)
async def test_good_passwords_pass(password: str) -> None:
    assert find_password_fault(password) is None


async def test_only_the_beginning_is_judged_since_the_estimate_slows_with_length() -> None:
    strong = "violet tram crosses quietly"
    assert find_password_fault(strong) is None
    assert find_password_fault("a" * ESTIMATED_LENGTH + strong) is not None


async def test_hash_is_argon2id_with_enough_memory() -> None:
    kept = await hash_password("violet tram crosses quietly")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await password_matches(kept, "violet tram crosses quietly")
    assert not await password_matches(kept, "violet tram crosses quietly ")


async def test_unknown_people_cost_a_hash_of_the_same_strength() -> None:
    assert not HASHER.check_needs_rehash(NOBODYS_HASH)
    assert not await password_matches(None, "anything at all")


async def test_nobody_can_match_the_stand_in_hash() -> None:
    assert not await password_matches(None, "abc")


async def test_the_same_characters_typed_differently_match() -> None:
    kept = await hash_password("Ｆｕｌｌ－ｗｉｄｔｈ１２３")
    assert await password_matches(kept, "Full-width123")


async def test_a_long_password_is_not_cut() -> None:
    kept = await hash_password("y" * 200)
    assert not await password_matches(kept, "y" * 201)
    assert not await password_matches(kept, "y" * 199)


async def test_a_broken_stored_hash_matches_nothing() -> None:
    assert not await password_matches("not a hash", "violet tram crosses quietly")
