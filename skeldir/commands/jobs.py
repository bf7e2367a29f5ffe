"""`skeldir jobs`: tasks that failed for good, and messages that were put aside."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from skeldir.commands.output import AsJson, show
from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session, transaction_over
from skeldir.queue import messages
from skeldir.queue.sending import enqueue
from skeldir.repository import failed_jobs, parked_messages

app = typer.Typer(
    no_args_is_help=True,
    help="Tasks that failed for good: list, retry or discard them; and those that kept ending their workers.",
)
parked = typer.Typer(
    no_args_is_help=True,
    help="Messages of tasks that kept ending their workers, everybody's and the system's.",
)
app.add_typer(parked, name="parked")

OfTenant = Annotated[UUID, typer.Option("--tenant", help="The tenant's id.")]
JobId = Annotated[UUID, typer.Argument(help="The failed job's id, as `skeldir jobs list` shows it.")]
MessageId = Annotated[int, typer.Argument(help="The message's id, as `skeldir jobs parked list` shows it.")]
LISTED_MAX = 200


@app.command("list")
def list_jobs(
    *,
    tenant: OfTenant,
    settled: Annotated[bool, typer.Option("--all", help="Also those that were dealt with.")] = False,
    json: AsJson = False,
) -> None:
    """List a tenant's failed jobs, the latest first."""
    with tenant_session(tenant, read_only=True) as session:
        found = failed_jobs.page(session, LISTED_MAX, status=None if settled else "pending")
    show({"failed_jobs": [asdict(job) for job in found]}, as_json=json)


@app.command()
def retry(failed_job_id: JobId, *, tenant: OfTenant, json: AsJson = False) -> None:
    """Send a failed job's task again."""
    with tenant_session(tenant) as session:
        job = failed_jobs.retry(session, failed_job_id, None)
        enqueue(session, messages.sent_again(job.task_name, job.queue, job.arguments_to_send()))
        show(asdict(job), as_json=json)


@app.command()
def discard(failed_job_id: JobId, *, tenant: OfTenant, json: AsJson = False) -> None:
    """Put a failed job aside."""
    with tenant_session(tenant) as session:
        failed_jobs.pending(session, failed_job_id)
        show(asdict(failed_jobs.settle(session, failed_job_id, "discarded", None)), as_json=json)


@parked.command("list")
def list_parked(*, json: AsJson = False) -> None:
    """List parked messages, the latest first."""
    with get_engine("app_admin").connect() as connection, transaction_over(connection) as session:
        found = parked_messages.list_all(session, LISTED_MAX)
    show({"parked_messages": [asdict(message) for message in found]}, as_json=json)


@parked.command()
def requeue(message_id: MessageId, *, json: AsJson = False) -> None:
    """Put a message back into its queue, with all its attempts."""
    _settle_parked(message_id, is_wanted=True, as_json=json)


@parked.command("discard")
def discard_parked(message_id: MessageId, *, json: AsJson = False) -> None:
    """Throw a message away."""
    _settle_parked(message_id, is_wanted=False, as_json=json)


def _settle_parked(message_id: int, *, is_wanted: bool, as_json: bool) -> None:
    with get_engine("app_admin").connect() as connection, transaction_over(connection) as session:
        message = parked_messages.settle_any(session, message_id, is_wanted=is_wanted)
    show(asdict(message), as_json=as_json)
