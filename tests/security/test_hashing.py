"""What rows are looked up by."""

import pytest

from skeldir.security.hashing import key_hash, login_hash, new_key
from skeldir.security.keys import KeyRing, new_ring_document, parse_ring


@pytest.mark.parametrize("written", ["Ada@Example.test", "  ada@example.test ", "\uff41da@example.test"])
def test_a_login_hashes_alike_however_it_is_written(ring: KeyRing, written: str) -> None:
    assert login_hash(written, ring=ring) == login_hash("ada@example.test", ring=ring)


def test_the_same_text_hashes_differently_for_another_purpose(ring: KeyRing) -> None:
    key = new_key("skt")

    assert key_hash("tenant-key", key, ring=ring) != key_hash("endpoint-key", key, ring=ring)


def test_another_installation_hashes_differently(ring: KeyRing) -> None:
    other = parse_ring(new_ring_document())

    assert login_hash("ada@example.test", ring=ring) != login_hash("ada@example.test", ring=other)


def test_keys_are_recognisable_and_never_the_same() -> None:
    first, second = new_key("ske"), new_key("ske")

    assert first.startswith("ske_")
    assert len(first) >= len("ske_") + 43
    assert first != second
