"""`skeldir user`: who may log in to a tenant, and as what."""

import json as json_text
import sys
from importlib.resources import files
from typing import Annotated
from uuid import UUID

import typer
from jsonschema_rs import Draft202012Validator

from skeldir.commands import provisioning
from skeldir.commands.output import AsJson, show
from skeldir.http import sessions
from skeldir.repository import users
from skeldir.security.principal import Role

app = typer.Typer(no_args_is_help=True, help="Who may log in to a tenant, and as what.")

PASSWORD_LENGTHS = range(8, 257)  # as the contract's LoginRequest says

Tenant = Annotated[UUID, typer.Option("--tenant", help="The tenant's id.")]
TheirRole = Annotated[Role, typer.Option("--role", help="What they may do.")]
Who = Annotated[str, typer.Argument(help="Their e-mail address, or their user id.")]


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="Their e-mail address; only a keyed hash of it is kept.")],
    *,
    tenant: Tenant,
    role: TheirRole,
    name: Annotated[str | None, typer.Option(help="What they are called; made up when absent.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Add a user to a tenant. A user of another tenant keeps the password they have."""
    _refuse_unusable(email)
    known = provisioning.user_exists(email)
    password = None if known else _given_password(from_stdin=password_stdin)
    user_id = provisioning.add_user(tenant, email, role, password, name)
    note = "The user was known already: their password is unchanged." if known else None
    show({"tenant_id": tenant, "user_id": user_id, "role": role}, as_json=json, note=note)


@app.command("set-role")
def set_role(who: Who, *, tenant: Tenant, role: TheirRole, json: AsJson = False) -> None:
    """Give a user another role; this ends their sessions."""
    with provisioning.provisioning(tenant) as session:
        user_id = provisioning.find_member(session, who)
        changed = sessions.change_role(session, user_id, role) is not None
    facts = {"tenant_id": tenant, "user_id": user_id, "role": role, "changed": changed}
    show(facts, as_json=json)


@app.command()
def deactivate(who: Who, *, tenant: Tenant, json: AsJson = False) -> None:
    """End a user's membership and all sessions of theirs; `user add` brings them back."""
    with provisioning.provisioning(tenant) as session:
        user_id = provisioning.find_member(session, who)
        sessions.remove_member(session, user_id)
    show({"tenant_id": tenant, "user_id": user_id, "status": "revoked"}, as_json=json)


@app.command("list")
def list_all(*, tenant: Tenant, json: AsJson = False) -> None:
    """List a tenant's users."""
    with provisioning.provisioning(tenant) as session:
        members = users.list_members(session)
    rows = [{"user_id": m.user_id, "name": m.username, "role": m.role, "status": m.status} for m in members]
    show({"users": rows}, as_json=json)


def _refuse_unusable(email: str) -> None:
    """Refuse what the contract's login would not take: who is added must be able to log in."""
    contract = json_text.loads((files("generated") / "bundles" / "auth.json").read_bytes())
    address = contract["components"]["schemas"]["Email"]
    if not Draft202012Validator(address, validate_formats=True).is_valid(email):
        raise typer.BadParameter("this is not an e-mail address that the login takes")


def _given_password(*, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if len(password) not in PASSWORD_LENGTHS:
        raise typer.BadParameter("a password has 8 to 256 characters")
    return password
