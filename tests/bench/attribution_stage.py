"""A server, a real worker and tenants full of events: where attribution is measured."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psutil
import psycopg

from skeldir import janitor
from skeldir.db import migrate
from skeldir.db.engine import bootstrap_url, dispose_engines, get_engine
from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters
from skeldir.domain.ids import fact_id, uuid7
from skeldir.domain.windows import Window
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import attribution_settings, recompute_jobs, tenants
from skeldir.settings import adopt
from tests.bench import attribution_data as data
from tests.bench import attribution_peers as peers
from tests.bench.attribution_data import Size
from tests.bench.worker import Diary, child_megabytes, running
from tests.repository.attribution_world import LOOKBACK_DAYS

DEADLINE_SECONDS = 900.0
SETTINGS = AttributionSettings(lookback_days=LOOKBACK_DAYS, custom_weights={"email": 2, "organic": 1})
# All of the events; it ends within a day, so that nobody estimates how certain its figures are.
WINDOW = Window(datetime(2026, 7, 31, 12, tzinfo=UTC), datetime(2027, 7, 31, 12, tzinfo=UTC))


@dataclass(frozen=True)
class Job:
    """What the worker says of a run: from the task's start to its commit."""

    seconds: float
    outcome: str
    written: int


@dataclass
class Stage:
    """A server with one worker, whose child the jobs run in."""

    superuser: psycopg.Connection
    worker: psutil.Process
    diary: Diary

    def tenant(self, events: int) -> tuple[UUID, Size]:
        """Provision a tenant with so many events, none of them marked, of whom no statistics are known.

        The tables are vacuumed, as they are by themselves a minute after so many rows have come in.
        """
        tenant_id = uuid7()
        with tenant_session(tenant_id, engine=get_engine("app_admin")) as session:
            tenants.create(session, "Bench")
        with tenant_session(tenant_id) as session:
            attribution_settings.choose(session, SETTINGS, None)
        size = data.store(self.superuser, tenant_id, events)
        self.superuser.execute("VACUUM touchpoints, orders, ledger_entries")
        return tenant_id, size

    def compute(self, tenant_id: UUID, parameters: ModelParameters) -> Job:
        """Have the window of all events attributed under one model."""
        job_id = fact_id(tenant_id, "bench", parameters.version)
        with tenant_session(tenant_id) as session:
            recompute_jobs.request(session, job_id, WINDOW, parameters)
        before = self.diary.told("recomputed")
        send(messages.recompute_window(tenant_id=tenant_id, job_id=job_id))
        return self._next("recomputed", len(before))

    def attribute_marked(self, tenant_id: UUID) -> Job:
        """Have the marked journeys attributed under all models, in as many runs as that takes."""
        known = len(self.diary.told("attributed"))
        send(messages.attribute_marked(tenant_id=tenant_id))
        runs = [self._next("attributed", known)]
        while self._is_marked(tenant_id):
            runs.append(self._next("attributed", known + len(runs)))
        seconds = sum(run.seconds for run in runs)
        return Job(seconds, runs[-1].outcome, sum(run.written for run in runs))

    def _is_marked(self, tenant_id: UUID) -> bool:
        query = "SELECT EXISTS (SELECT FROM dirty_marks WHERE tenant_id = %s)"
        row = self.superuser.execute(query, (tenant_id,)).fetchone()
        return row is not None and bool(row[0])

    def megabytes(self) -> float:
        """Return the highest peak of resident memory that the worker's child had."""
        return child_megabytes(self.worker)

    def _next(self, what: str, known: int) -> Job:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(said := self.diary.told(what)) == known:
            assert time.monotonic() < deadline, self.diary.log.read_text()[-5_000:]
            time.sleep(0.02)
        run = said[known]
        return Job(run["milliseconds"] / 1000, run["outcome"], run.get("written", 0))


@contextmanager
def stage() -> Iterator[Stage]:
    """Set up a server and a worker, warm, and take both down afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="skeldir-bench-"))
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder)})
    with janitor.tidying_behind(folder, remove=True):
        migrate.upgrade()
        url = bootstrap_url().set(drivername="postgresql").render_as_string(hide_password=False)
        log = folder / "worker.log"
        with psycopg.connect(url, autocommit=True) as superuser, running(log, "attribution") as worker:
            peers.prepare(superuser)
            ready = Stage(superuser, worker, Diary(log))
            warm_up, _ = ready.tenant(500)  # after it the child has imported everything and made its plans
            for lookback_days in range(1, 8):
                ready.compute(warm_up, linear(lookback_days))
            yield ready
        dispose_engines()


def change(superuser: psycopg.Connection, tenant_id: UUID, one_in: int, nth: int) -> int:
    """Add a touch to one in so many journeys, the nth of these, a minute ago; return how many."""
    superuser.execute(
        """INSERT INTO touchpoints (tenant_id, touchpoint_id, journey_id, occurred_at, channel_code)
           SELECT %s, gen_random_uuid(), journey_id, began + interval '30 minutes', 'referral'
             FROM (SELECT journey_id, min(occurred_at) AS began FROM touchpoints WHERE tenant_id = %s
                    GROUP BY journey_id) AS known
            WHERE abs(hashtext(journey_id) %% %s) = %s""",
        (tenant_id, tenant_id, one_in, nth),
    )
    return data.mark(superuser, tenant_id, one_in, nth)


def linear(lookback_days: int) -> ModelParameters:
    """Return linear attribution; where its look-back is not in force marked journeys leave it alone."""
    return replace(SETTINGS, lookback_days=lookback_days).parameters("linear")
