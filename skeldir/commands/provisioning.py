"""What operators do to tenants and users, as role app_admin; the demo does it by the same functions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from skeldir.db.engine import get_engine
from skeldir.db.session import lookup_session, tenant_session
from skeldir.domain.errors import Conflict, NotFound, Unprocessable
from skeldir.domain.ids import uuid7
from skeldir.repository import endpoints, tenants, users, webhook_secrets
from skeldir.repository.endpoints import IssuedEndpoint, Vendor
from skeldir.security.hashing import login_hash
from skeldir.security.passwords import hash_password
from skeldir.security.principal import Role
from skeldir.vendors.secrets import fault_of, new_secret


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """A webhook endpoint and its secret, both shown this once."""

    endpoint: IssuedEndpoint
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant that was just created, with everything that is shown this once."""

    tenant_id: UUID
    name: str
    key: str = field(repr=False)
    endpoints: tuple[NewEndpoint, ...]


@contextmanager
def provisioning(tenant_id: UUID) -> Iterator[Session]:
    """Open a transaction on an existing tenant; raises NotFound for any other."""
    with tenant_session(tenant_id, engine=get_engine("app_admin")) as session:
        if tenants.find(session) is None:
            raise NotFound(f"There is no tenant {tenant_id}.")
        yield session


def create_tenant(name: str, vendors: Sequence[Vendor] = ()) -> NewTenant:
    """Create a tenant with a key, and for each vendor an endpoint with a generated secret."""
    tenant_id = uuid7()
    with tenant_session(tenant_id, engine=get_engine("app_admin")) as session:
        tenants.create(session, name)
        key = tenants.issue_key(session).key
        made = tuple(_new_endpoint(session, tenant_id, vendor) for vendor in dict.fromkeys(vendors))
    return NewTenant(tenant_id, name, key, made)


def rotate_key(tenant_id: UUID, grace: timedelta) -> str:
    """Return a new key of a tenant; its former keys work for the grace period and no longer."""
    with provisioning(tenant_id) as session:
        return tenants.issue_key(session, grace).key


def set_secret(tenant_id: UUID, vendor: Vendor, secret: str, grace: timedelta) -> IssuedEndpoint | None:
    """Add a vendor's secret; returns the endpoint if it had to be created, since its key is shown once.

    Raises Unprocessable for what cannot be a secret of that vendor.
    """
    fault = fault_of(vendor, secret)
    if fault is not None:
        raise Unprocessable(f"This {fault}.")
    with provisioning(tenant_id) as session:
        endpoint_id = endpoints.lock_newest(session, vendor)
        created = None if endpoint_id else endpoints.create(session, vendor)
        used = created.endpoint_id if created else endpoint_id
        if used is not None:
            webhook_secrets.add(session, tenant_id, used, secret.encode(), grace=grace)
        return created


def set_status(tenant_id: UUID, status: tenants.Status) -> None:
    """Suspend or resume a tenant."""
    with provisioning(tenant_id) as session:
        tenants.set_status(session, status)


def list_tenants() -> list[tenants.Tenant]:
    """Return every tenant, suspended ones too."""
    with lookup_session(engine=get_engine("app_admin")) as session:
        return tenants.list_all(session)


def user_exists(email: str) -> bool:
    """Tell whether somebody, of whichever tenant, logs in by this e-mail address."""
    with lookup_session(engine=get_engine("app_admin")) as session:
        return users.find_user(session, login_hash(email)) is not None


def add_user(
    tenant_id: UUID, email: str, role: Role, password: str | None, username: str | None = None
) -> UUID:
    """Make somebody a member of a tenant; a user of another tenant keeps the password they have."""
    login = login_hash(email)
    with provisioning(tenant_id) as session:
        user_id = users.find_user(session, login)
        if user_id is None:
            if password is None:
                raise Conflict("A user who is new to the service needs a password.")
            hashed = hash_password(password)
            user_id = users.add_user(session, login_hash=login, username=username, password_hash=hashed)
        if not users.add_membership(session, user_id, role):
            raise Conflict("The tenant has this user already: use `skeldir user set-role`.")
        return user_id


def find_member(session: Session, who: str) -> UUID:
    """Return the user that an e-mail address or an id names; raises NotFound."""
    try:
        return UUID(who)
    except ValueError:
        user_id = users.find_user(session, login_hash(who))
    if user_id is None:
        raise NotFound("Nobody logs in by this e-mail address.")
    return user_id


def _new_endpoint(session: Session, tenant_id: UUID, vendor: Vendor) -> NewEndpoint:
    made = NewEndpoint(endpoints.create(session, vendor), new_secret(vendor))
    webhook_secrets.add(session, tenant_id, made.endpoint.endpoint_id, made.secret.encode())
    return made
