"""A key ring and settings of its own for each test."""

import pytest

from skeldir.security.keys import KeyRing, new_ring_document, parse_ring
from skeldir.settings import Settings, load_settings


@pytest.fixture
def ring() -> KeyRing:
    return parse_ring(new_ring_document())


@pytest.fixture
def settings() -> Settings:
    return load_settings({"SKELDIR_PUBLIC_URL": "https://api.example.test"})
