"""Passwords: argon2id, and the same work whether or not the account exists."""

from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's argon2id baseline: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16)


def _nobodys_hash() -> str:
    """Build a well-formed hash that no password matches, without spending a hash on it."""
    salt, digest = (b64encode(b"\x00" * size).decode().rstrip("=") for size in (16, 32))
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


NOBODY = _nobodys_hash()


def hash_password(password: str) -> str:
    """Hash a password with today's parameters and a fresh salt."""
    return _HASHER.hash(password)


def verify_or_dummy(stored: str | None, password: str) -> bool:
    """Check a password; for an unknown user (None) do the same work and say no."""
    try:
        return _HASHER.verify(stored or NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)
