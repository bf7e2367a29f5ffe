"""Tasks of the housekeeping queue. They belong to no tenant: they find out whose turn it is and send."""

from datetime import UTC, datetime, timedelta
from typing import Final

from skeldir.db.engine import get_engine
from skeldir.db.session import lookup_session
from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.queue import messages
from skeldir.queue.broker import WorkerApplication
from skeldir.queue.sending import send
from skeldir.repository import broker, tenants
from skeldir.settings import get_settings
from workers.base import SystemTask, task
from workers.schedule import SWEEP_SECONDS

BEHIND_SECONDS: Final = SWEEP_SECONDS / 2
"""A message of the sweep before has waited for longer than this when it was not taken."""

WAITING_MAX: Final = 1_000
"""More messages than this are a queue that nobody keeps up with, whoever they are for."""


def _is_behind(app: WorkerApplication) -> bool:
    """Tell whether the workers cannot keep up: of RabbitMQ's messages nobody knows how long they wait."""
    if app.is_elsewhere:
        with app.connection_for_write() as connection:
            waiting = connection.default_channel.queue_declare("attribution", passive=True).message_count
        return bool(waiting > WAITING_MAX)
    with get_engine("app_worker").connect() as connection:
        return broker.has_waiting(connection, "attribution", longer_than_seconds=BEHIND_SECONDS)


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
    with lookup_session(engine=get_engine("app_worker")) as session:
        waiting = tenants.with_work(session, rested)
    for tenant_id in waiting:
        send(messages.attribute_marked(tenant_id=tenant_id), app=self.app)
        send(messages.resume_windows(tenant_id=tenant_id), app=self.app)
    return len(waiting)


@task("housekeeping.fill_back", SystemTask)
def fill_back(self: SystemTask) -> int:
    """Go on with what versions of models do not cover, in case a message was lost; return for whom.

    As with the sweep, nothing is sent while workers cannot keep up.
    """
    if _is_behind(self.app):
        return 0
    with lookup_session(engine=get_engine("app_worker")) as session:
        uncovered = tenants.with_backfills(session, get_settings().lookback_days)
    for tenant_id in uncovered:
        send(messages.backfill(tenant_id=tenant_id), app=self.app)
    return len(uncovered)


@task("housekeeping.refit_tenants", SystemTask)
def refit_tenants(self: SystemTask) -> int:
    """Have every tenant's models fitted anew; return for how many."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        everybody = tenants.list_ids(session)
    for tenant_id in everybody:
        send(messages.refit_models(tenant_id=tenant_id), app=self.app)
    return len(everybody)


@task("housekeeping.prune_tenants", SystemTask)
def prune_tenants(self: SystemTask) -> int:
    """Have what has expired deleted, tenant by tenant; return for how many."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        everybody = tenants.list_ids(session)
    for tenant_id in everybody:
        send(messages.prune_tenant(tenant_id=tenant_id), app=self.app)
    return len(everybody)


@task("housekeeping.enforce_retention", SystemTask)
def enforce_retention(self: SystemTask) -> int:
    """Have every tenant's old rows let go; return for how many tenants."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        everybody = tenants.list_ids(session)
    for tenant_id in everybody:
        send(messages.enforce_retention(tenant_id=tenant_id), app=self.app)
    return len(everybody)


@task("housekeeping.refresh_summaries", SystemTask)
def refresh_summaries(self: SystemTask) -> int:
    """Have every tenant's summaries completed, and one of each checked; return for how many tenants."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        everybody = tenants.list_ids(session)
    for tenant_id in everybody:
        send(messages.refresh_summaries(tenant_id=tenant_id), app=self.app)
    return len(everybody)


@task("housekeeping.fulfil_privacy_requests", SystemTask)
def fulfil_privacy_requests(self: SystemTask) -> int:
    """Have the privacy requests done whose message was lost; return for how many tenants."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        asked = tenants.with_privacy_requests(session)
    for tenant_id in asked:
        send(messages.fulfil_privacy_requests(tenant_id=tenant_id), app=self.app)
    return len(asked)


@task("housekeeping.audit_tenants", SystemTask)
def audit_tenants(self: SystemTask) -> int:
    """Have every tenant's attribution audited; return for how many."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        everybody = tenants.list_ids(session)
    for tenant_id in everybody:
        send(messages.audit_attribution(tenant_id=tenant_id), app=self.app)
    return len(everybody)


@task("housekeeping.scan_tenants", SystemTask)
def scan_tenants(self: SystemTask) -> int:
    """Have every tenant's tables looked through for personal data; return for how many."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        everybody = tenants.list_ids(session)
    for tenant_id in everybody:
        send(messages.scan_personal_data(tenant_id=tenant_id), app=self.app)
    return len(everybody)


@task("housekeeping.reclassify_tenants", SystemTask)
def reclassify_tenants(self: SystemTask) -> int:
    """Have mappings applied that are newer than what was stored; return for how many tenants.

    Of rules whose message was lost, and of a built-in table that came with a new version of the service.
    """
    with lookup_session(engine=get_engine("app_worker")) as session:
        behind = tenants.to_reclassify(session, TAXONOMY_VERSION)
    for tenant_id in behind:
        send(messages.reclassify_touches(tenant_id=tenant_id), app=self.app)
    return len(behind)


@task("housekeeping.measure_unknown_shares", SystemTask)
def measure_unknown_shares(self: SystemTask) -> int:
    """Have it measured how much no rule can tell apart, tenant by tenant; return for how many."""
    with lookup_session(engine=get_engine("app_worker")) as session:
        everybody = tenants.list_ids(session)
    for tenant_id in everybody:
        send(messages.measure_unknown_share(tenant_id=tenant_id), app=self.app)
    return len(everybody)
