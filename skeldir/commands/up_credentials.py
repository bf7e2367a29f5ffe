"""The local tenant's credentials, kept beside the data since the database holds only their hashes.

The file is a convenience of `skeldir up` on one's own machine, readable by its owner alone; a tenant
made with `skeldir tenant create` is never in it.
"""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from skeldir.commands import provisioning
from skeldir.domain.errors import NotFound
from skeldir.repository.endpoints import Vendor
from skeldir.settings import get_settings

VENDORS: Final[tuple[Vendor, ...]] = ("shopify", "stripe", "woocommerce", "custom")
EMAIL: Final = "admin@skeldir.example"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a vendor sends its webhooks, and what it signs them with."""

    path: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything that is needed to use the local tenant."""

    tenant_id: str
    tenant_key: str = field(repr=False)
    email: str
    password: str = field(repr=False)
    webhooks: dict[str, Webhook]

    def facts(self, base_url: str) -> dict[str, Any]:
        """Return them as scripts want them."""
        return {
            "tenant_id": self.tenant_id,
            "tenant_key": self.tenant_key,
            "webhook": {
                vendor: {"ingress_url": base_url + webhook.path, "secret": webhook.secret}
                for vendor, webhook in self.webhooks.items()
            },
            "login": {"email": self.email, "password": self.password, "tenant_id": self.tenant_id},
        }


def remembered_or_new(data_dir: Path | None, tenant_name: str) -> Credentials:
    """Return the credentials of an earlier start, or provision a tenant; without a folder, always anew."""
    if data_dir is None:
        return _provision(tenant_name)
    file = data_dir / _file_name()
    known = _read(file)
    if known is not None and _tenant_exists(known):
        return known
    made = _provision(tenant_name)
    _write(file, made)
    return made


def _file_name() -> str:
    """Name the file after the database, since one data directory may serve several by DATABASE_URL."""
    url = get_settings().database_url
    return f"local-{hashlib.sha256(url.encode()).hexdigest()[:12]}.json" if url else "local.json"


def _read(file: Path) -> Credentials | None:
    if not file.exists():
        return None
    held = json.loads(file.read_text(encoding="utf-8"))
    webhooks = {vendor: Webhook(**webhook) for vendor, webhook in held.pop("webhooks").items()}
    return Credentials(**held, webhooks=webhooks)


def _write(file: Path, credentials: Credentials) -> None:
    file.unlink(missing_ok=True)  # an older file may have been opened up to others
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(credentials), stream, indent=2)


def _tenant_exists(credentials: Credentials) -> bool:
    try:
        with provisioning.provisioning(UUID(credentials.tenant_id)):
            return True
    except NotFound:
        return False


def _provision(tenant_name: str) -> Credentials:
    made = provisioning.create_tenant(tenant_name, VENDORS)
    email, password = EMAIL, secrets.token_urlsafe(12)
    if provisioning.user_exists(email):  # of another database's file, lost: its password is unknown
        email = EMAIL.replace("@", f"+{made.tenant_id.hex[-8:]}@")
    provisioning.add_user(made.tenant_id, email, "admin", password, "Admin")
    webhooks: dict[str, Webhook] = {
        new.endpoint.vendor: Webhook(new.endpoint.path(), new.secret) for new in made.endpoints
    }
    return Credentials(str(made.tenant_id), made.key, email, password, webhooks)
