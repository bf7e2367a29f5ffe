"""`skeldir retention`: what of a tenant's rows went by age."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from skeldir.commands.output import AsJson, show
from skeldir.db.session import tenant_session
from skeldir.repository import retention

app = typer.Typer(no_args_is_help=True, help="What of a tenant's rows went by age.")

LISTED_MAX = 200


@app.command("list")
def list_runs(
    *, tenant: Annotated[UUID, typer.Option("--tenant", help="The tenant's id.")], json: AsJson = False
) -> None:
    """List what went from which table by which policy, the latest first; a large number goes in batches."""
    with tenant_session(tenant, read_only=True) as session:
        found = retention.latest(session, LISTED_MAX)
    show({"retention_runs": [asdict(run) for run in found]}, as_json=json)
