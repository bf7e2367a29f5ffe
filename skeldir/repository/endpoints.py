"""Webhook endpoints: the key in their address, and whose deliveries come to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal, get_args
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from skeldir.db.statements import SENT, send_document
from skeldir.domain.ids import uuid7
from skeldir.repository import endpoint_changes, tenants
from skeldir.repository.webhook_secrets import SecretSummary, place
from skeldir.security.hashing import key_hash, new_key
from skeldir.security.sealing import Sealed, unseal

Vendor = Literal["shopify", "stripe", "woocommerce", "paypal", "custom"]
VENDORS: tuple[Vendor, ...] = get_args(Vendor)
ENDPOINTS_MAX: Final = 100
"""How many a tenant may have that are not revoked: a list that shows them all stays short."""

ADD_ENDPOINT = text("""
    INSERT INTO webhook_endpoints (endpoint_id, vendor, key_hash, key_hint)
    VALUES (:endpoint_id, :vendor, :key_hash, :key_hint)
""")

LOCK_COUNT = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('webhook endpoints of ' || current_tenant_id(), 0))
""")

COUNT = text("""
    SELECT count(*) FROM webhook_endpoints WHERE revoked_at IS NULL OR revoked_at > clock_timestamp()
""")

NEWEST_OF_VENDOR = text("""
    SELECT endpoint_id FROM webhook_endpoints
     WHERE vendor = :vendor AND (revoked_at IS NULL OR revoked_at > clock_timestamp())
     ORDER BY created_at DESC, endpoint_id DESC LIMIT 1
       FOR UPDATE
""")

LOCK = text("""
    SELECT vendor, coalesce(revoked_at <= clock_timestamp(), false) AS is_revoked FROM webhook_endpoints
     WHERE endpoint_id = :endpoint_id
       FOR UPDATE
""")

# Never later than it would have ended anyway.
REVOKE = text("""
    UPDATE webhook_endpoints SET revoked_at = clock_timestamp() + :grace
     WHERE endpoint_id = :endpoint_id AND (revoked_at IS NULL OR revoked_at > clock_timestamp() + :grace)
    RETURNING endpoint_id
""")

BY_KEY = text("""
    SELECT tenant_id, tenant_status, endpoint_id, secret_id, sealed, sealing_key_id
      FROM skeldir_lookup.endpoint_by_key(CAST(:key_hash AS bytea), :vendor)
""")

BY_TENANT_KEY = text("""
    SELECT tenant_id, tenant_status, endpoint_id, secret_id, sealed, sealing_key_id
      FROM skeldir_lookup.endpoint_by_tenant_key(CAST(:key_hash AS bytea), :vendor)
""")

# Of the endpoints that a document names, those that are as it says: they accept deliveries, they have these
# secrets and no others, and their tenant is served.
SAME: Final = """
    SELECT told.endpoint_id
      FROM sent, jsonb_to_recordset(sent.document -> 'endpoints')
           AS told (endpoint_id uuid, secret_ids uuid[])
     WHERE EXISTS (SELECT FROM webhook_endpoints AS e
                    WHERE e.endpoint_id = told.endpoint_id AND (e.revoked_at IS NULL OR e.revoked_at > now()))
       AND EXISTS (SELECT FROM tenants AS t WHERE t.status = 'active')
       AND told.secret_ids = ARRAY(
               SELECT s.secret_id FROM webhook_secrets AS s
                WHERE s.endpoint_id = told.endpoint_id AND (s.retired_at IS NULL OR s.retired_at > now())
                ORDER BY s.secret_id)
"""

LIST = text("""
    SELECT e.endpoint_id, e.vendor, e.key_hint, e.created_at, e.revoked_at,
           s.secret_id, s.created_at AS secret_created_at, s.retired_at, s.sealing_key_id
      FROM webhook_endpoints e
      LEFT JOIN webhook_secrets s ON s.tenant_id = e.tenant_id AND s.endpoint_id = e.endpoint_id
                                 AND (s.retired_at IS NULL OR s.retired_at > clock_timestamp())
     WHERE CASE WHEN CAST(:endpoint_id AS uuid) IS NULL
                THEN e.revoked_at IS NULL OR e.revoked_at > clock_timestamp()
                ELSE e.endpoint_id = :endpoint_id END
     ORDER BY e.vendor, e.created_at, e.endpoint_id, s.created_at DESC, s.secret_id DESC
""")


class EndpointChanged(Exception):
    """The endpoint is no longer what it was when it was looked up."""


@dataclass(frozen=True, slots=True)
class IssuedEndpoint:
    """A new endpoint; its key is shown this once."""

    endpoint_id: UUID
    vendor: Vendor
    key: str = field(repr=False)

    def path(self) -> str:
        """Return the path that the vendor is to call."""
        return f"/api/webhooks/{self.vendor}/in/{self.key}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint that a webhook came to, with the secrets that may have signed it, newest first."""

    tenant_id: UUID
    endpoint_id: UUID
    secrets: tuple[bytes, ...] = field(repr=False)
    secret_ids: tuple[UUID, ...] = ()
    is_suspended: bool = False

    def row(self) -> dict[str, object]:
        """Return the endpoint as SAME reads it."""
        return {"endpoint_id": self.endpoint_id, "secret_ids": sorted(self.secret_ids)}


@dataclass(frozen=True, slots=True)
class EndpointSummary:
    """An endpoint as its administrators see it: never its key or a secret."""

    endpoint_id: UUID
    vendor: Vendor
    key_hint: str
    created_at: datetime
    revoked_at: datetime | None
    secrets: tuple[SecretSummary, ...]
    """Those that are valid, newest first."""


@dataclass(frozen=True, slots=True)
class LockedEndpoint:
    """An endpoint that nobody else changes until the transaction ends."""

    vendor: Vendor
    is_revoked: bool


def has_room(session: Session) -> bool:
    """Tell whether the tenant may have another endpoint; whoever else asks waits for this transaction."""
    session.execute(LOCK_COUNT)
    count: int = session.execute(COUNT).scalar_one()
    return count < ENDPOINTS_MAX


def create(session: Session, vendor: Vendor, by: UUID | None = None) -> IssuedEndpoint:
    """Create an endpoint for a vendor; it accepts nothing until it has a secret."""
    issued = IssuedEndpoint(endpoint_id=uuid7(), vendor=vendor, key=new_key("ske"))
    parameters = {
        "endpoint_id": issued.endpoint_id,
        "vendor": vendor,
        "key_hash": key_hash("endpoint-key", issued.key),
        "key_hint": issued.key[-4:],
    }
    session.execute(ADD_ENDPOINT, parameters)
    endpoint_changes.add(session, issued.endpoint_id, "endpoint_created", by)
    return issued


def lock_newest(session: Session, vendor: Vendor) -> UUID | None:
    """Return the tenant's newest endpoint for a vendor, locked against other changes of its secrets."""
    found: UUID | None = session.execute(NEWEST_OF_VENDOR, {"vendor": vendor}).scalar_one_or_none()
    return found


def lock(session: Session, endpoint_id: UUID) -> LockedEndpoint | None:
    """Lock an endpoint against other changes of its secrets, if there is such a one."""
    row = session.execute(LOCK, {"endpoint_id": endpoint_id}).mappings().one_or_none()
    return None if row is None else LockedEndpoint(**row)


def revoke(session: Session, endpoint_id: UUID, grace: timedelta, by: UUID | None = None) -> None:
    """End an endpoint after the grace period, unless it ends before that anyway."""
    if session.execute(REVOKE, {"endpoint_id": endpoint_id, "grace": grace}).one_or_none():
        endpoint_changes.add(session, endpoint_id, "endpoint_revoked", by)


def get(session: Session, endpoint_id: UUID) -> EndpointSummary | None:
    """Return an endpoint, also a revoked one."""
    return next(iter(_summaries(session, endpoint_id)), None)


def list_endpoints(session: Session) -> list[EndpointSummary]:
    """Return the tenant's endpoints that still accept deliveries, by vendor."""
    return _summaries(session, None)


def by_key(session: Session, key: str, vendor: Vendor) -> Endpoint | None:
    """Return a tenant's endpoint by the key in its URL; for a transaction without a tenant."""
    return _endpoint(session, BY_KEY, key_hash("endpoint-key", key), vendor)


def by_tenant_key(session: Session, key: str, vendor: Vendor) -> Endpoint | None:
    """Return a tenant's endpoint by the tenant's key; for a transaction without a tenant."""
    return _endpoint(session, BY_TENANT_KEY, key_hash("tenant-key", key), vendor)


def confirm(session: Session, endpoint: Endpoint) -> None:
    """Make sure that an endpoint is what it was when it was looked up; raises EndpointChanged.

    What is put into quarantine must be there when the tenant is resumed, or nobody would release it: a
    suspended tenant stays suspended until the transaction ends.
    """
    if endpoint.is_suspended:
        tenants.hold_status(session)
    same = send_document(session, f"WITH {SENT} {SAME}", {"endpoints": [endpoint.row()]})
    if (same is None) != endpoint.is_suspended:
        raise EndpointChanged


def _summaries(session: Session, endpoint_id: UUID | None) -> list[EndpointSummary]:
    rows = session.execute(LIST, {"endpoint_id": endpoint_id}).all()
    return [_summary(list(of_one)) for _, of_one in groupby(rows, key=attrgetter("endpoint_id"))]


def _summary(rows: Sequence[Row[Any]]) -> EndpointSummary:
    """Make one endpoint of the rows that a join with its secrets gave."""
    first = rows[0]
    secrets = (
        SecretSummary(row.secret_id, row.secret_created_at, row.retired_at, row.sealing_key_id)
        for row in rows
        if row.secret_id is not None
    )
    return EndpointSummary(
        first.endpoint_id, first.vendor, first.key_hint, first.created_at, first.revoked_at, tuple(secrets)
    )


def _endpoint(session: Session, statement: TextClause, hashed: bytes, vendor: Vendor) -> Endpoint | None:
    rows = session.execute(statement, {"key_hash": hashed, "vendor": vendor}).all()
    if not rows:
        return None
    first = rows[0]
    own = [row for row in rows if row.endpoint_id == first.endpoint_id and row.secret_id is not None]
    return Endpoint(
        first.tenant_id,
        first.endpoint_id,
        tuple(_unsealed(row) for row in own),
        tuple(row.secret_id for row in own),
        is_suspended=first.tenant_status != "active",
    )


def _unsealed(row: Row[Any]) -> bytes:
    return unseal(Sealed(row.sealing_key_id, bytes(row.sealed)), place(row.tenant_id, row.secret_id))
