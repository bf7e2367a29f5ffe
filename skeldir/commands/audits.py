"""`skeldir audits`: what the nightly audits of a tenant's attribution found."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from skeldir.commands.output import AsJson, show
from skeldir.db.session import tenant_session
from skeldir.repository import audit_findings

app = typer.Typer(no_args_is_help=True, help="What the nightly audits of a tenant's attribution found.")

LISTED_MAX = 200


@app.command("list")
def list_audits(
    *, tenant: Annotated[UUID, typer.Option("--tenant", help="The tenant's id.")], json: AsJson = False
) -> None:
    """List a tenant's audits, the latest first, with how much each looked at and how much was wrong."""
    with tenant_session(tenant, read_only=True) as session:
        found = audit_findings.latest(session, LISTED_MAX)
    show({"audits": [asdict(finding) for finding in found]}, as_json=json)
