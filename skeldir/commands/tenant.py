"""`skeldir tenant`: tenants, their keys and their vendors' secrets."""

import sys
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from skeldir.commands import provisioning
from skeldir.commands.output import AsJson, show
from skeldir.repository import endpoints, tenants, users
from skeldir.repository.endpoints import VENDORS, IssuedEndpoint, Vendor
from skeldir.settings import get_settings
from skeldir.vendors.secrets import new_secret

app = typer.Typer(no_args_is_help=True, help="Tenants, their keys and their vendors' secrets.")

TenantId = Annotated[UUID, typer.Argument(help="The tenant's id, as `skeldir tenant list` shows it.")]
OfTenant = Annotated[UUID, typer.Option("--tenant", help="The tenant's id.")]
GraceHours = Annotated[
    int, typer.Option(min=0, max=168, help="How long the former one still works beside the new one.")
]
SHOWN_ONCE = "Keys and secrets are shown this once; only hashes and sealed copies are kept."


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What people call the tenant.")],
    *,
    vendor: Annotated[
        list[str] | None,  # typer takes no list of literals
        typer.Option(metavar="|".join(VENDORS), help="Create an endpoint with a made-up secret; repeatable."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Create a tenant, and print its key and its vendors' webhook addresses and secrets, once."""
    made = provisioning.create_tenant(name, [_vendor(given) for given in vendor or ()])
    facts = {
        "tenant_id": made.tenant_id,
        "name": made.name,
        "tenant_key": made.key,
        "endpoints": [{**_address(new.endpoint), "secret": new.secret} for new in made.endpoints],
    }
    show(facts, as_json=json, note=SHOWN_ONCE)


@app.command("rotate-key")
def rotate_key(tenant_id: TenantId, *, grace_hours: GraceHours = 0, json: AsJson = False) -> None:
    """Give a tenant a new key and end the former ones, at once unless told otherwise."""
    key = provisioning.rotate_key(tenant_id, timedelta(hours=grace_hours))
    show({"tenant_id": tenant_id, "tenant_key": key}, as_json=json, note=SHOWN_ONCE)


@app.command("set-secret")
def set_secret(
    vendor: Annotated[Vendor, typer.Argument(help="Whose webhooks the secret signs.")],
    *,
    tenant: OfTenant,
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")
    ] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make a secret and print it.")] = False,
    retire_old: Annotated[bool, typer.Option("--retire-old", help="End the former secret at once.")] = False,
    grace_hours: GraceHours = 24,
    json: AsJson = False,
) -> None:
    """Store a vendor's webhook secret (asked for, unless told otherwise), creating its endpoint if missing.

    The former secret stays valid for the grace period, so that webhooks signed with either are
    accepted while the vendor changes over; secrets older than that one end at once.
    """
    secret = new_secret(vendor) if generate else _given_secret(from_stdin=secret_stdin)
    grace = timedelta(hours=0 if retire_old else grace_hours)
    created = provisioning.set_secret(tenant, vendor, secret, grace)
    facts: dict[str, object] = {"tenant_id": tenant, "vendor": vendor}
    facts |= _address(created) if created else {}
    facts |= {"secret": secret} if generate else {}
    show(facts, as_json=json, note=SHOWN_ONCE if created or generate else None)


@app.command()
def suspend(tenant_id: TenantId, *, json: AsJson = False) -> None:
    """Refuse a tenant's tokens and keys and hold its webhooks until it is resumed; nothing is deleted."""
    provisioning.set_status(tenant_id, "suspended")
    show({"tenant_id": tenant_id, "status": "suspended"}, as_json=json)


@app.command()
def resume(tenant_id: TenantId, *, json: AsJson = False) -> None:
    """Serve a suspended tenant again, and book the webhooks that were held; repeat it if it breaks off."""
    from handlers.webhooks import quarantine  # noqa: PLC0415 - no other command needs the handlers

    provisioning.set_status(tenant_id, "active")
    released = quarantine.release(tenant_id)
    facts = {
        "tenant_id": tenant_id,
        "status": "active",
        "booked": released.booked_count,
        "dead_letters": released.dead_letter_count,
    }
    show(facts, as_json=json)


@app.command("list")
def list_all(*, json: AsJson = False) -> None:
    """List all tenants."""
    found = [_summary(tenant) for tenant in provisioning.list_tenants()]
    show({"tenants": found}, as_json=json)


@app.command("show")
def show_one(tenant_id: TenantId, *, json: AsJson = False) -> None:
    """Show a tenant with its users and webhook endpoints."""
    with provisioning.provisioning(tenant_id) as session:
        tenant = tenants.find(session)
        members, found = users.list_members(session), endpoints.list_endpoints(session)
    facts = _summary(tenant) if tenant else {}
    rows = [{"user_id": m.user_id, "name": m.username, "role": m.role, "status": m.status} for m in members]
    hooks = [
        {"vendor": e.vendor, "endpoint_id": e.endpoint_id, "key": f"…{e.key_hint}", "secrets": len(e.secrets)}
        for e in found
    ]
    show({**facts, "users": rows, "endpoints": hooks}, as_json=json)


def _vendor(given: str) -> Vendor:
    for vendor in VENDORS:
        if vendor == given:
            return vendor
    raise typer.BadParameter(f"{given!r} is not one of {', '.join(VENDORS)}", param_hint="--vendor")


def _summary(tenant: tenants.Tenant) -> dict[str, object]:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "status": tenant.status,
        "created_at": tenant.created_at.isoformat(timespec="seconds"),
    }


def _address(endpoint: IssuedEndpoint) -> dict[str, object]:
    url = get_settings().public_url.rstrip("/") + endpoint.path()
    return {"vendor": endpoint.vendor, "endpoint_id": endpoint.endpoint_id, "url": url}


def _given_secret(*, from_stdin: bool) -> str:
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    else:
        given = typer.prompt("The vendor's secret", hide_input=True, err=True)
    if not given:
        raise typer.BadParameter("the secret is empty")
    return str(given)
