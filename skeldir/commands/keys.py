"""`skeldir keys`: from one sealing key to the next, while webhooks go on being verified."""

import json as json_text
from functools import partial
from typing import Annotated
from uuid import UUID

import typer

from skeldir.commands import provisioning
from skeldir.commands.output import AsJson, show
from skeldir.domain.errors import Conflict
from skeldir.repository import webhook_secrets
from skeldir.security.keys import change_ring, with_new_sealing_key, without_sealing_key
from skeldir.security.sealing import current_key_id
from skeldir.settings import get_settings

app = typer.Typer(no_args_is_help=True, help="The keys that seal webhook secrets.")

BATCH = 100
ADDED = "A new sealing key is current. Restart every process, then run `skeldir keys reseal`."
DROPPED = "The key is gone from the key file. Restart every process when it suits."


@app.command()
def rotate() -> None:
    """Add a sealing key and make it the current one; what the others sealed still opens.

    The key file is changed in its place. Where SKELDIR_KEYS holds the ring, the new ring is printed on one
    line, for whoever keeps that variable.
    """
    _change(change_ring(get_settings(), with_new_sealing_key), ADDED)


@app.command()
def reseal(*, json: AsJson = False) -> None:
    """Seal every tenant's webhook secrets with the current key, a few in each transaction.

    Broken off and begun anew it does the rest. It ends with 1 where no key of the ring opens a secret.
    """
    resealed, unopened = 0, list[UUID]()
    for tenant in provisioning.list_tenants():
        done, failed = _reseal(tenant.tenant_id)
        resealed += done
        unopened += failed
    facts = {
        "sealing_key_id": current_key_id(),
        "resealed": resealed,
        "unopened": [{"secret_id": secret_id} for secret_id in unopened],
    }
    show(facts, as_json=json)
    if unopened:
        raise typer.Exit(1)


@app.command()
def drop(key_id: Annotated[str, typer.Argument(help="The sealing key that is no longer needed.")]) -> None:
    """Take a sealing key out of the ring, if nothing is sealed with it any more."""
    left = 0
    for tenant in provisioning.list_tenants():
        with provisioning.provisioning(tenant.tenant_id) as session:
            left += webhook_secrets.sealed_with(session, key_id)
    if left:
        raise Conflict(f"{key_id} still seals {left} secrets: run `skeldir keys reseal` first.")
    _change(change_ring(get_settings(), partial(without_sealing_key, key_id=key_id)), DROPPED)


def _reseal(tenant_id: UUID) -> tuple[int, list[UUID]]:
    resealed, unopened = 0, list[UUID]()
    after: UUID | None = None
    while True:
        with provisioning.provisioning(tenant_id) as session:
            done = webhook_secrets.reseal(session, tenant_id, after, BATCH)
        resealed += done.resealed_count
        unopened += done.unopened
        if done.last is None:
            return resealed, unopened
        after = done.last


def _change(ring: str | None, note: str) -> None:
    """Print a ring that somebody else keeps, and nothing else on standard output."""
    if ring is not None:
        typer.echo(json_text.dumps(json_text.loads(ring)))
    typer.secho(note if ring is None else "Put this ring into SKELDIR_KEYS.", fg="yellow", err=True)
