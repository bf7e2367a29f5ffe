"""Webhook endpoints: the key in their URL, and the vendor's secrets, sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from skeldir.domain.ids import uuid7
from skeldir.security.hashing import key_hash, new_key
from skeldir.security.sealing import Place, Sealed, seal, unseal

Vendor = Literal["shopify", "stripe", "woocommerce", "paypal"]
VENDORS: tuple[Vendor, ...] = get_args(Vendor)

ADD_ENDPOINT = text("""
    INSERT INTO webhook_endpoints (endpoint_id, vendor, key_hash, key_hint)
    VALUES (:endpoint_id, :vendor, :key_hash, :key_hint)
""")

ENDPOINT_OF_VENDOR = text("""
    SELECT endpoint_id FROM webhook_endpoints
     WHERE vendor = :vendor AND (revoked_at IS NULL OR revoked_at > clock_timestamp())
     ORDER BY created_at DESC, endpoint_id DESC LIMIT 1
       FOR UPDATE
""")

ADD_SECRET = text("""
    INSERT INTO webhook_secrets (secret_id, endpoint_id, sealed, sealing_key_id)
    VALUES (:secret_id, :endpoint_id, :sealed, :sealing_key_id)
""")

# The newest of the former ones stays for the grace period, any older one ends at once.
END_OTHER_SECRETS = text("""
    UPDATE webhook_secrets s
       SET retired_at = least(s.retired_at, clock_timestamp() + CASE WHEN o.age = 1 THEN :grace
                                                                     ELSE interval '0' END)
      FROM (SELECT tenant_id, secret_id, row_number() OVER (ORDER BY created_at DESC, secret_id DESC) AS age
              FROM webhook_secrets
             WHERE endpoint_id = :endpoint_id AND secret_id <> :secret_id
               AND (retired_at IS NULL OR retired_at > clock_timestamp())) o
     WHERE s.tenant_id = o.tenant_id AND s.secret_id = o.secret_id
""")

BY_KEY = text("""
    SELECT tenant_id, tenant_status, endpoint_id, secret_id, sealed, sealing_key_id
      FROM skeldir_lookup.endpoint_by_key(CAST(:key_hash AS bytea), :vendor)
""")

BY_TENANT_KEY = text("""
    SELECT tenant_id, tenant_status, endpoint_id, secret_id, sealed, sealing_key_id
      FROM skeldir_lookup.endpoint_by_tenant_key(CAST(:key_hash AS bytea), :vendor)
""")

LIST = text("""
    SELECT e.endpoint_id, e.vendor, e.key_hint, e.created_at,
           (SELECT count(*) FROM webhook_secrets s
             WHERE s.tenant_id = e.tenant_id AND s.endpoint_id = e.endpoint_id
               AND (s.retired_at IS NULL OR s.retired_at > clock_timestamp())) AS secret_count
      FROM webhook_endpoints e
     WHERE e.revoked_at IS NULL OR e.revoked_at > clock_timestamp()
     ORDER BY e.vendor, e.created_at, e.endpoint_id
""")


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
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class EndpointSummary:
    """An endpoint as operators see it: never its key or a secret."""

    endpoint_id: UUID
    vendor: Vendor
    key_hint: str
    created_at: datetime
    secret_count: int


def create(session: Session, vendor: Vendor) -> IssuedEndpoint:
    """Create an endpoint for a vendor; it accepts nothing until it has a secret."""
    issued = IssuedEndpoint(endpoint_id=uuid7(), vendor=vendor, key=new_key("ske"))
    parameters = {
        "endpoint_id": issued.endpoint_id,
        "vendor": vendor,
        "key_hash": key_hash("endpoint-key", issued.key),
        "key_hint": issued.key[-4:],
    }
    session.execute(ADD_ENDPOINT, parameters)
    return issued


def lock_endpoint(session: Session, vendor: Vendor) -> UUID | None:
    """Return the tenant's newest endpoint for a vendor, locked against other changes of its secrets."""
    found: UUID | None = session.execute(ENDPOINT_OF_VENDOR, {"vendor": vendor}).scalar_one_or_none()
    return found


def add_secret(
    session: Session, tenant_id: UUID, endpoint_id: UUID, secret: bytes, grace: timedelta = timedelta()
) -> UUID:
    """Seal and store a secret; the one before it stays valid for the grace period, older ones end."""
    secret_id = uuid7()
    sealed = seal(secret, _place(tenant_id, secret_id))
    parameters = {
        "secret_id": secret_id,
        "endpoint_id": endpoint_id,
        "sealed": sealed.value,
        "sealing_key_id": sealed.key_id,
    }
    session.execute(ADD_SECRET, parameters)
    ended = {"endpoint_id": endpoint_id, "secret_id": secret_id, "grace": grace}
    session.execute(END_OTHER_SECRETS, ended)
    return secret_id


def by_key(session: Session, key: str, vendor: Vendor) -> Endpoint | None:
    """Return a tenant's endpoint by the key in its URL; for a transaction without a tenant."""
    return _endpoint(session, BY_KEY, key_hash("endpoint-key", key), vendor)


def by_tenant_key(session: Session, key: str, vendor: Vendor) -> Endpoint | None:
    """Return a tenant's endpoint by the tenant's key; for a transaction without a tenant."""
    return _endpoint(session, BY_TENANT_KEY, key_hash("tenant-key", key), vendor)


def list_endpoints(session: Session) -> list[EndpointSummary]:
    """Return the tenant's endpoints, by vendor."""
    return [EndpointSummary(**row) for row in session.execute(LIST).mappings()]


def _endpoint(session: Session, statement: TextClause, hashed: bytes, vendor: Vendor) -> Endpoint | None:
    rows = session.execute(statement, {"key_hash": hashed, "vendor": vendor}).all()
    if not rows:
        return None
    first = rows[0]
    secrets = _unsealed(rows, first.endpoint_id)
    return Endpoint(first.tenant_id, first.endpoint_id, secrets, is_suspended=first.tenant_status != "active")


def _unsealed(rows: Sequence[Row[Any]], endpoint_id: UUID) -> tuple[bytes, ...]:
    return tuple(
        unseal(Sealed(row.sealing_key_id, bytes(row.sealed)), _place(row.tenant_id, row.secret_id))
        for row in rows
        if row.endpoint_id == endpoint_id and row.secret_id is not None
    )


def _place(tenant_id: UUID, secret_id: UUID) -> Place:
    return Place(tenant_id=tenant_id, purpose="webhook-secret", row_id=secret_id)
