"""Tasks that end in each way a task can end, in a worker that reports at once."""

import os
import time
from pathlib import Path

from billiard.exceptions import SoftTimeLimitExceeded

import workers.base
import workers.reporting
from skeldir.queue.messages import Message
from skeldir.queue.sending import enqueue
from workers.app import app
from workers.base import Busy, TenantTask, task

app.loader.import_default_modules()
workers.base.BACKOFF_SECONDS = 0.01  # type: ignore[misc]
workers.reporting.INTERVAL_SECONDS = 0.2  # type: ignore[misc]


@task("maintenance.succeed", TenantTask)
def succeed(self: TenantTask, *, tenant_id: str) -> None:
    with self.effect(tenant_id):
        pass


@task("maintenance.fail", TenantTask)
def fail(_: TenantTask, *, tenant_id: str) -> None:
    raise LookupError(f"ada.lovelace@example.com of {tenant_id} is not there")


@task("maintenance.retry_once", TenantTask)
def retry_once(self: TenantTask, *, tenant_id: str) -> None:
    if not self.request.retries:
        raise Busy("grace.hopper@example.com is at it")
    with self.effect(tenant_id):
        pass


@task("maintenance.wait_in_vain", TenantTask)
def wait_in_vain(_: TenantTask, *, tenant_id: str) -> None:
    raise Busy(tenant_id)


@task("maintenance.pass_on", TenantTask)
def pass_on(self: TenantTask, *, tenant_id: str) -> None:
    """Send another task, which is tried again."""
    with self.effect(tenant_id) as session:
        enqueue(session, Message("maintenance.retry_once", "maintenance", {"tenant_id": tenant_id}))


@task("maintenance.die_once", TenantTask)
def die_once(self: TenantTask, *, tenant_id: str, marker: str) -> None:
    """End its process the first time, as the kernel does when memory runs out."""
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(9)
    with self.effect(tenant_id):
        pass


@task("maintenance.never_end", TenantTask)
def never_end(_: TenantTask, *, tenant_id: str) -> None:
    assert tenant_id
    while True:
        try:
            time.sleep(60)
        except SoftTimeLimitExceeded:
            continue


@task("maintenance.take_a_while", TenantTask)
def take_a_while(_: TenantTask, *, tenant_id: str, marker: str) -> None:
    assert tenant_id
    Path(marker).touch()
    time.sleep(1)


never_end.soft_time_limit, never_end.time_limit = 0.2, 0.5
