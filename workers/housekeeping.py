"""Tasks of the housekeeping queue. They belong to no tenant: they find out whose turn it is and send."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from celery.utils.log import get_task_logger
from sqlalchemy.orm import Session

from skeldir.db.engine import get_engine
from skeldir.db.session import lookup_session
from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.queue import messages
from skeldir.queue.broker import WorkerApplication
from skeldir.queue.messages import Message
from skeldir.queue.sending import send
from skeldir.repository import broker, parked_messages, tenants
from skeldir.settings import get_settings
from workers.base import SystemTask, task
from workers.retention import BATCHES_MAX, ROWS_AT_ONCE
from workers.schedule import SWEEP_SECONDS

BEHIND_SECONDS: Final = SWEEP_SECONDS / 2
"""A message of the sweep before has waited for longer than this when it was not taken."""

WAITING_MAX: Final = 1_000
"""More messages than this are a queue that nobody keeps up with, whoever they are for."""

log = get_task_logger(__name__)


def _is_behind(app: WorkerApplication) -> bool:
    """Tell whether the workers cannot keep up: of RabbitMQ's messages nobody knows how long they wait."""
    if app.is_elsewhere:
        with app.connection_for_write() as connection:
            waiting = connection.default_channel.queue_declare("attribution", passive=True).message_count
        return bool(waiting > WAITING_MAX)
    with get_engine("app_worker").connect() as connection:
        return broker.has_waiting(connection, "attribution", longer_than_seconds=BEHIND_SECONDS)


def _fan_out(
    self: SystemTask, whose_turn: Callable[[Session], Sequence[UUID]], *producers: Callable[..., Message]
) -> int:
    """Send every tenant whose turn it is a message of each kind; return for how many tenants."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        found = whose_turn(session)
    for tenant_id in found:
        for message in producers:
            send(message(tenant_id=tenant_id), app=self.app)
    return len(found)


@task("housekeeping.sweep", SystemTask)
def sweep(self: SystemTask) -> int:
    """Wake up whatever waits in the database, in case its message was lost; return for how many tenants.

    Nothing is sent while workers cannot keep up: they would only be given the same work again and again,
    and what they have not been sent for is found by the first sweep after. Messages that pass through
    stop no sweep, or a busy tenant's would keep a lost one of another from ever being made up for.
    """
    if _is_behind(self.app):
        return 0
    rested = datetime.now(UTC) - timedelta(seconds=get_settings().attribution_debounce_seconds)
    waiting = partial(tenants.with_work, rested=rested)
    return _fan_out(self, waiting, messages.attribute_marked, messages.resume_windows)


@task("housekeeping.fill_back", SystemTask)
def fill_back(self: SystemTask) -> int:
    """Go on with what versions of models do not cover, in case a message was lost; return for whom.

    As with the sweep, nothing is sent while workers cannot keep up.
    """
    if _is_behind(self.app):
        return 0
    uncovered = partial(tenants.with_backfills, lookback_days=get_settings().lookback_days)
    return _fan_out(self, uncovered, messages.backfill)


@task("housekeeping.refit_tenants", SystemTask)
def refit_tenants(self: SystemTask) -> int:
    """Have every tenant's models fitted anew; return for how many."""
    return _fan_out(self, tenants.list_ids, messages.refit_models)


@task("housekeeping.prune_tenants", SystemTask)
def prune_tenants(self: SystemTask) -> int:
    """Have what has expired deleted, tenant by tenant; return for how many."""
    return _fan_out(self, tenants.list_ids, messages.prune_tenant)


@task("housekeeping.enforce_retention", SystemTask)
def enforce_retention(self: SystemTask) -> int:
    """Have every tenant's old rows let go, and parked messages of none; return for how many tenants.

    What was nobody's is noted in no tenant's `retention_runs`, but in the log.
    """
    days = get_settings().parked_message_days
    if gone := _prune_ownerless(days):
        log.info(
            "parked messages of no tenant went by age", extra={"row_count": gone, "older_than_days": days}
        )
    return _fan_out(self, tenants.list_ids, messages.enforce_retention)


def _prune_ownerless(days: int) -> int:
    """Delete parked messages of no tenant, in as many batches as a tenant's policy gets; return how many.

    There are few, so the rest is tomorrow's, and the log says how far it came.
    """
    gone = 0
    with get_engine("app_worker").connect() as connection:
        for _ in range(BATCHES_MAX):
            count = parked_messages.prune_ownerless(connection, days, ROWS_AT_ONCE)
            gone += count
            if count < ROWS_AT_ONCE:
                break
    return gone


@task("housekeeping.refresh_summaries", SystemTask)
def refresh_summaries(self: SystemTask) -> int:
    """Have every tenant's summaries completed, and one of each checked; return for how many tenants."""
    return _fan_out(self, tenants.list_ids, messages.refresh_summaries)


@task("housekeeping.refresh_intervals", SystemTask)
def refresh_intervals(self: SystemTask) -> int:
    """Have every tenant's intervals brought up to date; return for how many."""
    return _fan_out(self, tenants.list_ids, messages.refresh_intervals)


@task("housekeeping.fulfil_privacy_requests", SystemTask)
def fulfil_privacy_requests(self: SystemTask) -> int:
    """Have the privacy requests done whose message was lost; return for how many tenants."""
    return _fan_out(self, tenants.with_privacy_requests, messages.fulfil_privacy_requests)


@task("housekeeping.audit_tenants", SystemTask)
def audit_tenants(self: SystemTask) -> int:
    """Have every tenant's attribution audited; return for how many."""
    return _fan_out(self, tenants.list_ids, messages.audit_attribution)


@task("housekeeping.scan_tenants", SystemTask)
def scan_tenants(self: SystemTask) -> int:
    """Have every tenant's tables looked through for personal data; return for how many."""
    return _fan_out(self, tenants.list_ids, messages.scan_personal_data)


@task("housekeeping.reclassify_tenants", SystemTask)
def reclassify_tenants(self: SystemTask) -> int:
    """Have mappings applied that are newer than what was stored; return for how many tenants.

    Of rules whose message was lost, and of a built-in table that came with a new version of the service.
    """
    behind = partial(tenants.to_reclassify, taxonomy_version=TAXONOMY_VERSION)
    return _fan_out(self, behind, messages.reclassify_touches)


@task("housekeeping.measure_unknown_shares", SystemTask)
def measure_unknown_shares(self: SystemTask) -> int:
    """Have it measured how much no rule can tell apart, tenant by tenant; return for how many."""
    return _fan_out(self, tenants.list_ids, messages.measure_unknown_share)
