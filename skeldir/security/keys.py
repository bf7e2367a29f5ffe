"""The key ring: every secret of the service itself, none of which ever reaches PostgreSQL."""

import fcntl
import json
import os
import re
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from skeldir.settings import Settings, get_settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
PRIVATE = 0o600
_NUMBERED: Final = re.compile(r"seal-([0-9]{1,6})")


class KeyRingError(Exception):
    """The key ring is damaged, incomplete or readable by others."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Ed25519 keys by id: the current one signs, each of them verifies."""

    current: str
    private: Mapping[str, "Ed25519PrivateKey"] = field(repr=False)

    def signer(self) -> "Ed25519PrivateKey":
        """Return the key that signs new tokens."""
        return self.private[self.current]

    def verifier(self, kid: str) -> "Ed25519PublicKey | None":
        """Return the public half of a key, or None for an unknown id."""
        key = self.private.get(kid)
        return None if key is None else key.public_key()


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """AES-256 keys by id: the current one seals, each of them unseals."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of one installation.

    `pepper` keys the hashes that rows are looked up by, so it cannot be rotated; the others can.
    """

    signing: SigningKeys
    sealing: SealingKeys
    pepper: bytes = field(repr=False)
    cursor: bytes = field(repr=False)


def new_ring_document() -> str:
    """Make a fresh ring as the JSON that the setting `keys` and the key file hold."""
    document = {
        "signing": {"current": "jwt-1", "keys": {"jwt-1": _fresh()}},
        "sealing": {"current": "seal-1", "keys": {"seal-1": _fresh()}},
        "pepper": _fresh(),
        "cursor": _fresh(),
    }
    return json.dumps(document, indent=2) + "\n"


def with_new_sealing_key(document: str) -> str:
    """Return a ring with one more sealing key, which is the current one: the others still unseal."""
    parse_ring(document)
    ring = json.loads(document)
    numbers = (int(found[1]) for found in map(_NUMBERED.fullmatch, ring["sealing"]["keys"]) if found)
    key_id = f"seal-{max(numbers, default=0) + 1}"
    ring["sealing"]["keys"][key_id] = _fresh()
    ring["sealing"]["current"] = key_id
    return json.dumps(ring, indent=2) + "\n"


def without_sealing_key(document: str, key_id: str) -> str:
    """Return a ring without a sealing key; raises KeyRingError for one that must stay or is not there."""
    sealing = parse_ring(document).sealing
    if key_id == sealing.current:
        raise KeyRingError(f"{key_id} is the key that seals: add another one first")
    if key_id not in sealing.keys:
        raise KeyRingError(
            f"the ring has no sealing key {key_id!r}: it has {', '.join(sorted(sealing.keys))}"
        )
    ring = json.loads(document)
    del ring["sealing"]["keys"][key_id]
    return json.dumps(ring, indent=2) + "\n"


def change_ring(settings: Settings, change: Callable[[str], str]) -> str | None:
    """Change the key file; where the settings hold the ring, return it as it should be, for its keeper.

    Processes that run go on with the ring that they have loaded.
    """
    if settings.keys is not None:
        return change(settings.keys)
    path = settings.data_dir / "keys.json"
    with _locked(path):
        _write_private(path, change(_checked(path)))
    return None


def parse_ring(document: str) -> KeyRing:
    """Read a ring from its JSON; raises KeyRingError without repeating any of it."""
    try:
        parsed = json.loads(document)
        return KeyRing(
            signing=_signing(parsed["signing"]),
            sealing=_sealing(parsed["sealing"]),
            pepper=_key_bytes(parsed["pepper"]),
            cursor=_key_bytes(parsed["cursor"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "the key ring is not the JSON that `skeldir` writes: see SKELDIR_KEYS in the README"
        raise KeyRingError(message) from None  # the cause would quote the keys


def load_key_ring(settings: Settings) -> KeyRing:
    """Return the ring that the settings name, making the key file on the very first start."""
    if settings.keys is not None:
        return parse_ring(settings.keys)
    return parse_ring(_read_or_make(settings.data_dir / "keys.json"))


@cache
def get_key_ring() -> KeyRing:
    """Return this process's key ring, loaded once."""
    return load_key_ring(get_settings())


def _read_or_make(path: Path) -> str:
    """Read the key file; of several first starters one makes it and the others wait and read."""
    with _locked(path):
        if not path.exists():
            _write_private(path, new_ring_document())
        return _checked(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # the kernel drops it if we die
        yield
    finally:
        os.close(descriptor)


def _write_private(path: Path, content: str) -> None:
    """Write a file that is complete or absent, and never readable by others."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _checked(path: Path) -> str:
    """Read the key file; refuses one that is not there, or that others can read."""
    if not path.exists():
        raise KeyRingError(f"there is no key ring yet at {path}: the first start makes it")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        message = f"{path} can be read by others: `chmod 600` it, and think about who has read it"
        raise KeyRingError(message)
    return path.read_text(encoding="utf-8")


def _fresh() -> str:
    return urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _key_bytes(encoded: str) -> bytes:
    key = urlsafe_b64decode(encoded)
    if len(key) != KEY_BYTES:
        raise ValueError
    return key


def _signing(part: Mapping[str, Any]) -> SigningKeys:
    # Nine megabytes that a worker, which signs nothing, need not hold.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    private = {
        kid: Ed25519PrivateKey.from_private_bytes(_key_bytes(seed)) for kid, seed in part["keys"].items()
    }
    private[part["current"]]  # a current key that is not there: KeyError
    return SigningKeys(current=part["current"], private=private)


def _sealing(part: Mapping[str, Any]) -> SealingKeys:
    keys = {key_id: _key_bytes(key) for key_id, key in part["keys"].items()}
    keys[part["current"]]
    return SealingKeys(current=part["current"], keys=keys)
