"""Tenants and their keys."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ids import uuid7
from skeldir.security.hashing import key_hash, new_key

Status = Literal["active", "suspended"]

CREATE = text("INSERT INTO tenants (tenant_id, name) VALUES (public.current_tenant_id(), :name)")

FIND = text("SELECT tenant_id, name, status, created_at FROM tenants")

# Who relies on a tenant's suspension shares this lock, and who changes its status has it alone.
LOCK_STATUS = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('status of ' || current_tenant_id(), 0))
""")

SHARE_STATUS = text("""
    SELECT pg_advisory_xact_lock_shared(hashtextextended('status of ' || current_tenant_id(), 0))
""")

SET_STATUS = text("UPDATE tenants SET status = :status RETURNING tenant_id")

ADD_KEY = text("INSERT INTO tenant_keys (key_id, key_hash) VALUES (:key_id, :key_hash)")

# Never later than it would have ended anyway: rotating twice must not prolong a leaked key's life.
END_OTHER_KEYS = text("""
    UPDATE tenant_keys SET revoked_at = clock_timestamp() + :grace
     WHERE key_id <> :key_id AND (revoked_at IS NULL OR revoked_at > clock_timestamp() + :grace)
""")

BY_KEY = text("""
    SELECT tenant_id, status FROM skeldir_lookup.tenant_by_key(CAST(:key_hash AS bytea))
""")

LIST_IDS = text("SELECT tenant_id FROM skeldir_lookup.list_tenants()")

WITH_WORK = text("SELECT tenant_id FROM skeldir_lookup.tenants_with_work(:now)")

WITH_BACKFILLS = text("SELECT tenant_id FROM skeldir_lookup.tenants_with_backfills(:lookback_days)")

WITH_PRIVACY_REQUESTS = text("SELECT tenant_id FROM skeldir_lookup.tenants_with_privacy_requests()")

TO_RECLASSIFY = text("SELECT tenant_id FROM skeldir_lookup.tenants_to_reclassify(:taxonomy_version)")

LIST_ALL = text("SELECT tenant_id, name, status, created_at FROM skeldir_lookup.all_tenants()")


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, as operators see it."""

    tenant_id: UUID
    name: str
    status: Status
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A tenant's key, shown this once: only its keyed hash is stored."""

    key_id: UUID
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The tenant that a key belongs to."""

    tenant_id: UUID
    is_suspended: bool


def create(session: Session, name: str) -> None:
    """Create the tenant that the transaction was opened for."""
    session.execute(CREATE, {"name": name})


def find(session: Session) -> Tenant | None:
    """Return the transaction's tenant, or None when there is no such tenant."""
    row = session.execute(FIND).mappings().one_or_none()
    return None if row is None else Tenant(**row)


def set_status(session: Session, status: Status) -> bool:
    """Suspend or resume the tenant: a suspended one's tokens, keys and webhooks are refused."""
    session.execute(LOCK_STATUS)
    return session.execute(SET_STATUS, {"status": status}).one_or_none() is not None


def hold_status(session: Session) -> None:
    """Have whoever suspends or resumes the tenant wait until the transaction ends."""
    session.execute(SHARE_STATUS)


def issue_key(session: Session, grace: timedelta = timedelta()) -> IssuedKey:
    """Give the tenant a new key; the former ones work for the grace period and no longer."""
    issued = IssuedKey(key_id=uuid7(), key=new_key("skt"))
    hashed = key_hash("tenant-key", issued.key)
    session.execute(ADD_KEY, {"key_id": issued.key_id, "key_hash": hashed})
    session.execute(END_OTHER_KEYS, {"key_id": issued.key_id, "grace": grace})
    return issued


def by_key(session: Session, key: str) -> KeyOwner | None:
    """Return the tenant that a key belongs to, or None; for a transaction without a tenant."""
    row = session.execute(BY_KEY, {"key_hash": key_hash("tenant-key", key)}).one_or_none()
    return None if row is None else KeyOwner(row.tenant_id, is_suspended=row.status != "active")


def with_work(session: Session, rested: datetime) -> list[UUID]:
    """Return the tenants with marks made before an instant or with jobs to run; without a tenant."""
    return list(session.execute(WITH_WORK, {"now": rested}).scalars())


def with_backfills(session: Session, lookback_days: int) -> list[UUID]:
    """Return the tenants whose orders some current version of a model does not cover; without a tenant.

    `lookback_days` is what is current for those who never chose.
    """
    return list(session.execute(WITH_BACKFILLS, {"lookback_days": lookback_days}).scalars())


def with_privacy_requests(session: Session) -> list[UUID]:
    """Return the tenants of whom somebody waits for an answer or an erasure; without a tenant."""
    return list(session.execute(WITH_PRIVACY_REQUESTS).scalars())


def to_reclassify(session: Session, taxonomy_version: int) -> list[UUID]:
    """Return the tenants whose channel mapping is not applied to all they stored; without a tenant."""
    return list(session.execute(TO_RECLASSIFY, {"taxonomy_version": taxonomy_version}).scalars())


def list_ids(session: Session) -> list[UUID]:
    """Return the ids of the active tenants; for a worker's transaction without a tenant."""
    return list(session.execute(LIST_IDS).scalars())


def list_all(session: Session) -> list[Tenant]:
    """Return every tenant, the oldest first; for an operator's transaction without a tenant."""
    return [Tenant(**row) for row in session.execute(LIST_ALL).mappings()]
