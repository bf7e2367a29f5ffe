"""Passwords, and that asking for nobody costs what asking for somebody costs."""

import argon2
import pytest

from skeldir.security import passwords
from skeldir.security.passwords import NOBODY, hash_password, needs_rehash, verify_or_dummy


def test_the_right_password_is_accepted_and_a_wrong_one_is_not() -> None:
    stored = hash_password("correct horse")

    assert verify_or_dummy(stored, "correct horse")
    assert not verify_or_dummy(stored, "correct hors")


@pytest.mark.parametrize("password", ["", "correct horse", "\x00" * 32])
def test_nobody_has_no_password(password: str) -> None:
    assert not verify_or_dummy(None, password)


def test_a_damaged_hash_matches_nothing() -> None:
    assert not verify_or_dummy("$argon2id$nonsense", "correct horse")


def test_an_unknown_user_costs_one_hash_with_the_parameters_of_a_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verified: list[argon2.Parameters] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        verified.append(argon2.extract_parameters(stored))
        return real(self, stored, password)

    stored = hash_password("correct horse")
    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    verify_or_dummy(stored, "wrong horse")
    verify_or_dummy(None, "wrong horse")

    assert verified[0] == verified[1]
    assert len(verified) == 2


def test_hashes_follow_the_owasp_baseline() -> None:
    parameters = argon2.extract_parameters(hash_password("correct horse"))

    assert parameters.type is argon2.Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)


def test_a_hash_with_older_parameters_asks_to_be_renewed() -> None:
    older = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("secret")

    assert needs_rehash(older)
    assert not needs_rehash(hash_password("secret"))
    assert not needs_rehash(NOBODY)
    assert passwords.verify_or_dummy(older, "secret")
