"""The key ring is made once, kept private, and never quoted."""

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from skeldir.security.keys import KeyRingError, load_key_ring, new_ring_document, parse_ring
from skeldir.settings import load_settings


def _pepper(directory: str) -> bytes:
    return load_key_ring(load_settings({"SKELDIR_DATA_DIR": directory})).pepper


def test_the_ring_is_made_once_and_found_again(tmp_path: Path) -> None:
    assert _pepper(str(tmp_path / "new")) == _pepper(str(tmp_path / "new"))


def test_the_key_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    _pepper(str(tmp_path))

    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_one_ring(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        peppers = pool.map(_pepper, [str(tmp_path)] * 8, chunksize=1)

    assert len(set(peppers)) == 1


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    _pepper(str(tmp_path))
    (tmp_path / "keys.json").chmod(0o644)

    with pytest.raises(KeyRingError, match="chmod 600"):
        _pepper(str(tmp_path))


def test_a_ring_in_the_settings_leaves_no_file(tmp_path: Path) -> None:
    document = new_ring_document()
    environ = {"SKELDIR_KEYS": document, "SKELDIR_DATA_DIR": str(tmp_path)}

    assert load_key_ring(load_settings(environ)).pepper == parse_ring(document).pepper
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"pepper": "c2hvcnQ="},
        {"pepper": None},
        {"signing": {"current": "gone", "keys": {}}},
        {"sealing": {"current": "gone", "keys": {}}},
        {"signing": "x"},
    ],
)
def test_a_damaged_ring_is_refused_without_being_quoted(change: dict[str, object]) -> None:
    document = json.loads(new_ring_document()) | change

    with pytest.raises(KeyRingError) as caught:
        parse_ring(json.dumps(document))

    assert document["cursor"] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_printing_a_ring_shows_no_key() -> None:
    document = new_ring_document()
    ring = parse_ring(document)

    assert repr(ring.pepper) not in repr(ring)
    assert repr(ring.sealing.keys["seal-1"]) not in repr(ring)
