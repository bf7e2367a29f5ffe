"""Opaque page cursors: signed, and good only for the tenant, operation and filters they were made for."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from uuid import UUID

import orjson

from skeldir.domain.errors import FieldError, MalformedRequest
from skeldir.security.keys import get_key_ring

_SIGNATURE_BYTES = 16


def make_cursor(tenant_id: UUID, operation: str, filters: Mapping[str, object], position: list[str]) -> str:
    """Return the cursor of the page that begins after `position`, the last row's key as texts."""
    payload = orjson.dumps(position)
    return (
        urlsafe_b64encode(_signature(tenant_id, operation, filters, payload) + payload).decode().rstrip("=")
    )


def read_cursor(tenant_id: UUID, operation: str, filters: Mapping[str, object], cursor: str) -> list[str]:
    """Return the position in a cursor; raises MalformedRequest when it was not made for this request."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise _refusal() from None
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(tenant_id, operation, filters, payload)):
        raise _refusal()
    position: list[str] = orjson.loads(payload)
    return position


def _signature(tenant_id: UUID, operation: str, filters: Mapping[str, object], payload: bytes) -> bytes:
    bound = orjson.dumps([tenant_id, operation, filters], default=str, option=orjson.OPT_SORT_KEYS)
    return hmac.digest(get_key_ring().cursor, bound + b"\0" + payload, hashlib.sha256)[:_SIGNATURE_BYTES]


def _refusal() -> MalformedRequest:
    error = FieldError("query.cursor", "invalid_cursor", "was not made for this request")
    return MalformedRequest("query.cursor was not made for this request", errors=(error,))
