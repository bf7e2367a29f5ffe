"""Sealed secrets open in their own place, with their own key, or not at all."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from skeldir.security.keys import KeyRing, new_ring_document, parse_ring
from skeldir.security.sealing import Place, Sealed, UnsealError, seal, unseal


@pytest.fixture
def place() -> Place:
    return Place(tenant_id=uuid4(), purpose="webhook-secret", row_id=uuid4())


def test_a_secret_comes_back(ring: KeyRing, place: Place) -> None:
    assert unseal(seal(b"whsec", place, ring=ring), place, ring=ring) == b"whsec"


def test_the_sealed_value_does_not_show_the_secret(ring: KeyRing, place: Place) -> None:
    sealed = seal(b"whsec", place, ring=ring)

    assert b"whsec" not in sealed.value
    assert sealed.value != seal(b"whsec", place, ring=ring).value


@pytest.mark.parametrize("part", ["tenant_id", "purpose", "row_id"])
def test_a_secret_moved_elsewhere_does_not_open(ring: KeyRing, place: Place, part: str) -> None:
    other: Any = "other" if part == "purpose" else uuid4()
    elsewhere = replace(place, **{part: other})

    with pytest.raises(UnsealError):
        unseal(seal(b"whsec", place, ring=ring), elsewhere, ring=ring)


@pytest.mark.parametrize("kept", [slice(0), slice(11), slice(12), slice(-1), slice(1, None)])
def test_a_cut_secret_does_not_open(ring: KeyRing, place: Place, kept: slice) -> None:
    sealed = seal(b"whsec", place, ring=ring)

    with pytest.raises(UnsealError):
        unseal(Sealed(sealed.key_id, sealed.value[kept]), place, ring=ring)


def test_a_changed_secret_does_not_open(ring: KeyRing, place: Place) -> None:
    sealed = seal(b"whsec", place, ring=ring)
    changed = sealed.value[:-1] + bytes([sealed.value[-1] ^ 1])

    with pytest.raises(UnsealError):
        unseal(Sealed(sealed.key_id, changed), place, ring=ring)


def test_after_a_key_rotation_old_secrets_still_open(place: Place) -> None:
    document = json.loads(new_ring_document())
    before = seal(b"whsec", place, ring=parse_ring(json.dumps(document)))
    document["sealing"]["keys"]["seal-2"] = json.loads(new_ring_document())["pepper"]
    document["sealing"]["current"] = "seal-2"
    rotated = parse_ring(json.dumps(document))

    assert unseal(before, place, ring=rotated) == b"whsec"
    assert seal(b"whsec", place, ring=rotated).key_id == "seal-2"


def test_an_unknown_key_is_named(ring: KeyRing, place: Place) -> None:
    with pytest.raises(UnsealError, match="seal-9"):
        unseal(Sealed("seal-9", b"\x00" * 40), place, ring=ring)
