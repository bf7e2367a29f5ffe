"""Whose a delivery is: the endpoint that its key names, if one of its secrets signed it.

Endpoints that received lately are remembered with their secrets open. That is a guess which saves a
look-up, and no more: the transaction that books a delivery checks that the endpoint and its secrets are
still the same, and where they are not the delivery is looked up as if nothing had been remembered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias
from uuid import UUID

from sqlalchemy.orm import Session

from skeldir.db.session import lookup_session
from skeldir.domain.errors import Unauthorized
from skeldir.http.rate_limits import charge
from skeldir.repository import endpoints
from skeldir.repository.endpoints import Endpoint, Vendor
from skeldir.repository.webhook_secrets import ACTIVE_MAX
from skeldir.security.hashing import key_hash
from skeldir.security.sealing import Place, Sealed, seal, unseal
from skeldir.vendors.secrets import new_secret

Lookup: TypeAlias = Callable[[Session, str, Vendor], Endpoint | None]
IsSignedWith: TypeAlias = Callable[[Sequence[bytes]], bool]

REMEMBERED_MAX: Final = 1_000
_NOBODY: Final = Place(UUID(int=0), "webhook-secret", UUID(int=0))
# They read as any vendor's do: a custom sender's are decoded before they are tried.
_NO_SECRETS: Final = tuple(new_secret("custom").encode() for _ in range(ACTIVE_MAX))
_remembered: Final[dict[tuple[str, bytes], Endpoint]] = {}


@dataclass(frozen=True, slots=True)
class Sender:
    """The endpoint of an authentic delivery, as it was remembered or looked up just now."""

    endpoint: Endpoint
    look_up: Callable[[], Endpoint]
    """Look the endpoint up and judge the delivery anew; raises Unauthorized."""


def authenticate(lookup: Lookup, key: str, vendor: Vendor, is_signed_with: IsSignedWith) -> Sender:
    """Return whose a delivery is.

    Raises Unauthorized, in the same words and after the same work, whatever was wrong: as many secrets are
    opened and tried for an endpoint that is not there as for one whose secret is being rotated. Raises
    TooManyRequests for a tenant whose vendors deliver too fast: nothing is stored, and they deliver it again.
    """
    name = (vendor, key_hash("endpoint-key", key))
    known = _remembered.get(name) if lookup is endpoints.by_key else None

    def look_up() -> Endpoint:
        _remembered.pop(name, None)
        with lookup_session() as session:
            endpoint = lookup(session, key, vendor)
        found = endpoint.secrets if endpoint else ()
        decoys = [unseal(_decoy(), _NOBODY) for _ in range(ACTIVE_MAX - len(found))]
        genuine = is_signed_with((*found, *decoys))
        if endpoint is None or not endpoint.secrets or not genuine:
            raise Unauthorized("The key or the signature is not right.")
        if lookup is endpoints.by_key and not endpoint.is_suspended:
            _remember(name, endpoint)
        return endpoint

    # A key that nobody remembers is tried like any other: the work does not tell which it is.
    tried = (*(known.secrets if known else ()), *_NO_SECRETS)[:ACTIVE_MAX]
    is_explained = is_signed_with(tried)
    endpoint = known if known is not None and is_explained else look_up()
    charge(endpoint.tenant_id, "webhooks")
    return Sender(endpoint, look_up)


def _remember(name: tuple[str, bytes], endpoint: Endpoint) -> None:
    if len(_remembered) >= REMEMBERED_MAX:
        _remembered.clear()
    _remembered[name] = endpoint


@cache
def _decoy() -> Sealed:
    """Return a sealed secret that signs nothing, for where there are fewer than are tried."""
    return seal(_NO_SECRETS[0], _NOBODY)
