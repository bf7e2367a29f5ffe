"""The secrets that vendors sign with, sealed: which of them count, and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import uuid7
from skeldir.repository import endpoint_changes
from skeldir.security.sealing import Place, Sealed, UnsealError, current_key_id, seal, unseal

ACTIVE_MAX: Final = 2
"""The newest secret, and the one before it while its grace period lasts."""

# By the clock and not by the transaction's beginning: whoever waited for the endpoint comes later.
_ADD: Final = text("""
    INSERT INTO webhook_secrets (secret_id, endpoint_id, sealed, sealing_key_id, created_at)
    VALUES (:secret_id, :endpoint_id, :sealed, :sealing_key_id, clock_timestamp())
""")

# The newest of the former ones stays for the grace period, any older one ends at once.
_END_OTHERS: Final = text("""
    UPDATE webhook_secrets s
       SET retired_at = least(s.retired_at, clock_timestamp() + CASE WHEN o.age = 1 THEN :grace
                                                                     ELSE interval '0' END)
      FROM (SELECT tenant_id, secret_id, row_number() OVER (ORDER BY created_at DESC, secret_id DESC) AS age
              FROM webhook_secrets
             WHERE endpoint_id = :endpoint_id AND secret_id <> :secret_id
               AND (retired_at IS NULL OR retired_at > clock_timestamp())) o
     WHERE s.tenant_id = o.tenant_id AND s.secret_id = o.secret_id
""")

_RETIRE: Final = text("""
    UPDATE webhook_secrets SET retired_at = clock_timestamp()
     WHERE endpoint_id = :endpoint_id AND secret_id = :secret_id
       AND (retired_at IS NULL OR retired_at > clock_timestamp())
    RETURNING secret_id
""")

_EXISTS: Final = text("""
    SELECT EXISTS (SELECT FROM webhook_secrets WHERE endpoint_id = :endpoint_id AND secret_id = :secret_id)
""")


_SEALED_BY_OTHERS: Final = text("""
    SELECT secret_id, sealed, sealing_key_id FROM webhook_secrets
     WHERE sealing_key_id <> :current AND (CAST(:after AS uuid) IS NULL OR secret_id > :after)
     ORDER BY secret_id LIMIT :limit
       FOR UPDATE
""")

_RESEAL: Final = text("""
    UPDATE webhook_secrets SET sealed = :sealed, sealing_key_id = :sealing_key_id WHERE secret_id = :secret_id
""")

_SEALED_WITH: Final = text("SELECT count(*) FROM webhook_secrets WHERE sealing_key_id = :key_id")


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of some secrets; `last` is the id of the last one, None when there were none."""

    resealed_count: int
    unopened: tuple[UUID, ...]
    """Those that no key of the ring opens, or that were altered."""
    last: UUID | None


@dataclass(frozen=True, slots=True)
class SecretSummary:
    """A secret as its administrators see it: never what it is."""

    secret_id: UUID
    created_at: datetime
    retired_at: datetime | None
    sealing_key_id: str


def add(
    session: Session,
    tenant_id: UUID,
    endpoint_id: UUID,
    secret: bytes,
    *,
    grace: timedelta = timedelta(),
    by: UUID | None = None,
) -> UUID:
    """Seal and store a secret; the one before it stays valid for the grace period, older ones end."""
    secret_id = uuid7()
    sealed = seal(secret, place(tenant_id, secret_id))
    parameters = {
        "secret_id": secret_id,
        "endpoint_id": endpoint_id,
        "sealed": sealed.value,
        "sealing_key_id": sealed.key_id,
    }
    session.execute(_ADD, parameters)
    ended = {"endpoint_id": endpoint_id, "secret_id": secret_id, "grace": grace}
    session.execute(_END_OTHERS, ended)
    endpoint_changes.add(session, endpoint_id, "secret_added", by, secret_id)
    return secret_id


def retire(session: Session, endpoint_id: UUID, secret_id: UUID, by: UUID | None = None) -> bool:
    """End a secret at once, if it has not ended yet; False when the endpoint never had it."""
    named = {"endpoint_id": endpoint_id, "secret_id": secret_id}
    if session.execute(_RETIRE, named).one_or_none() is None:
        return bool(session.execute(_EXISTS, named).scalar_one())
    endpoint_changes.add(session, endpoint_id, "secret_retired", by, secret_id)
    return True


def reseal(session: Session, tenant_id: UUID, after: UUID | None, limit: int) -> Resealed:
    """Seal with the current key, in the order of their ids, some of the secrets that another one seals.

    They are sealed anew and stay what they are; retired ones too, or their key could never go.
    """
    chosen = {"current": current_key_id(), "after": after, "limit": limit}
    rows = session.execute(_SEALED_BY_OTHERS, chosen).all()
    unopened: list[UUID] = []
    for row in rows:
        at = place(tenant_id, row.secret_id)
        try:
            secret = unseal(Sealed(row.sealing_key_id, bytes(row.sealed)), at)
        except UnsealError:
            unopened.append(row.secret_id)
            continue
        sealed = seal(secret, at)
        changes = {"secret_id": row.secret_id, "sealed": sealed.value, "sealing_key_id": sealed.key_id}
        session.execute(_RESEAL, changes)
    last = rows[-1].secret_id if rows else None
    return Resealed(len(rows) - len(unopened), tuple(unopened), last)


def sealed_with(session: Session, key_id: str) -> int:
    """Count the tenant's secrets that a key seals."""
    count: int = session.execute(_SEALED_WITH, {"key_id": key_id}).scalar_one()
    return count


def place(tenant_id: UUID, secret_id: UUID) -> Place:
    """Return where a secret is sealed to."""
    return Place(tenant_id=tenant_id, purpose="webhook-secret", row_id=secret_id)
