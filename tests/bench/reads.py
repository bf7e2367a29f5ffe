"""Reads over HTTP at a million events, beside a hand-written endpoint that adds up the rows themselves.

One tenant, attributed under every model, with orders of today: some attributed since the days of
performance were counted, and some that no job has attributed yet.
Both servers answer one caller at a time, in turns, and agree to the cent.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg

from skeldir import janitor
from skeldir.commands import provisioning
from skeldir.db import migrate
from skeldir.db.engine import bootstrap_url, dispose_engines, get_url
from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS, Model
from skeldir.http import sessions
from skeldir.repository import attribution_settings
from skeldir.settings import adopt
from tests.bench import attribution_data as data
from tests.bench.ingestion import free_port, wait_for
from tests.bench.ingestion_load import Sent, send_all
from tests.bench.rows import Row
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, World
from workers.attribution import attribute_marked
from workers.ledger import close_ledger
from workers.performance import count_days
from workers.summaries import refresh_summaries

TREE = Path(__file__).parents[2]
HOST = "127.0.0.1"
MODEL: Model = "linear"
TODAY_ORDERS, CHANGED_ORDERS, PENDING_ORDERS = 1_500, 50, 50
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Question:
    """What is asked of both: our path, the peer's, the p95 that we must keep; of slow ones less often."""

    name: str
    path: str
    peer_path: str | None
    mark_ms: float | None = None
    one_in: int = 1


@dataclass(frozen=True)
class Contest:
    """Who answers at which port, and how often each is asked."""

    ours: int
    peer: int
    token: str
    rounds: int
    asked: int


def run(*, quick: bool) -> list[Row]:
    """Ask everything in turns; quick: 100,000 events and fewer questions."""
    events, rounds, asked = (100_000, 2, 100) if quick else (1_000_000, 3, 400)
    with ExitStack() as stack:
        tenant_id = stack.enter_context(_tenant(events))
        ours = stack.enter_context(_ours())
        peer = stack.enter_context(_peer(tenant_id))
        token = _token(tenant_id)
        questions = _questions(ours, token)
        _agree(ours, peer, token, questions)
        contest = Contest(ours, peer, token, rounds, asked)
        return [
            row
            for question in questions
            for row in _measure(contest, question, f"{question.name}, {events:,} events")
        ]


def _questions(ours: int, token: str) -> list[Question]:
    last = datetime.now(UTC).date()
    days = f"?start_date={last - timedelta(days=89)}&end_date={last}"
    page = httpx.get(
        f"http://{HOST}:{ours}/api/attribution/allocations", headers=_bearer(token), timeout=60
    ).json()
    deep = f"?cursor={page['next_cursor']}"
    channels, performance = "/api/attribution/channels", f"/api/attribution/performance{days}"
    return [
        Question("channels over 90 days", f"{channels}{days}", f"/channels{days}", 10),
        Question("the same by accrual", f"{channels}{days}&mode=accrual", None, 10),
        Question("realtime", "/api/v1/revenue/realtime", "/realtime", 10),
        Question("performance over 90 days", f"{performance}&model={MODEL}", None),
        Question("the same under another model", f"{performance}&model=markov", None, 100, 4),
        Question("the ledger's totals", "/api/attribution/ledger", None, 10),
        Question("a page of allocations", "/api/attribution/allocations", "/allocations", 5),
        Question("an order's journey", "/api/attribution/conversion-journey?order_id=o-7", None),
        Question("a later page", f"/api/attribution/allocations{deep}", "/allocations?offset=50000", 5),
    ]


def _measure(contest: Contest, question: Question, name: str) -> list[Row]:
    said: dict[str, list[Sent]] = {"ours": [], "peer": []}
    for _ in range(contest.rounds):
        request = _request(question.path, contest.token)
        said["ours"].append(send_all(HOST, contest.ours, [request] * (contest.asked // question.one_in), 1))
        if question.peer_path:
            requests = [_request(question.peer_path)] * (contest.asked // 4)
            said["peer"].append(send_all(HOST, contest.peer, requests, 1))
    best = {who: min(sent, key=lambda one: one.p95_ms) for who, sent in said.items() if sent}
    theirs = best.get("peer")
    return [
        Row(f"{name}, p95", best["ours"].p95_ms, theirs.p95_ms if theirs else None, "ms", question.mark_ms),
        Row(f"{name}, p50", best["ours"].p50_ms, theirs.p50_ms if theirs else None, "ms"),
    ]


def _agree(ours: int, peer: int, token: str, questions: list[Question]) -> None:
    """Refuse to compare with a peer that says something else."""
    report = httpx.get(f"http://{HOST}:{ours}{questions[0].path}", headers=_bearer(token), timeout=60).json()
    told = httpx.get(f"http://{HOST}:{peer}{questions[0].peer_path}", timeout=60).json()
    for currency in report["currencies"]:
        code = currency["currency"]
        assert {row["channel_code"]: row["revenue_cents"] for row in currency["channels"]} == {
            row["channel_code"]: row["revenue_cents"] for row in told["channels"] if row["currency"] == code
        }
        assert currency["pending_cents"] > 0
        assert [currency["ledger_net_cents"]] == [
            row["net_cents"] for row in told["ledger"] if row["currency"] == code
        ]
    [ours_now], [theirs_now] = (
        httpx.get(f"http://{HOST}:{port}{path}", headers=_bearer(token), timeout=60).json()["currencies"]
        for port, path in ((ours, "/api/v1/revenue/realtime"), (peer, "/realtime"))
    )
    day = ours_now["last_24_hours"]
    said = (theirs_now["last_24_hours_net"], theirs_now["last_24_hours_orders"])
    assert (day["net_cents"], day["order_count"]) == said


@contextmanager
def _tenant(events: int) -> Iterator[UUID]:
    """Start a server with one tenant, whose events are attributed but for the last orders."""
    folder = Path(tempfile.mkdtemp(prefix="skeldir-bench-"))
    folder.chmod(0o711)  # root's database server, another user, must pass through it
    adopt({"SKELDIR_DATA_DIR": str(folder), "SKELDIR_LOG_LEVEL": "warning"})
    with janitor.tidying_behind(folder, remove=True):
        migrate.upgrade()
        tenant_id = provisioning.create_tenant("Bench", []).tenant_id
        url = bootstrap_url().set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as superuser:
            data.store(superuser, tenant_id, events)
            worlds.store(superuser, tenant_id, _orders_of_today(TODAY_ORDERS, "today"))
            data.mark(superuser, tenant_id)
            _attribute(tenant_id)
            _count(tenant_id)
            changed = _orders_of_today(CHANGED_ORDERS, "changed")
            worlds.store(superuser, tenant_id, changed)
            worlds.mark(superuser, tenant_id, changed.journeys)
            _attribute(tenant_id)
            late = _orders_of_today(PENDING_ORDERS, "late")
            worlds.store(superuser, tenant_id, late)
            worlds.mark(superuser, tenant_id, late.journeys, age_seconds=0)
            superuser.execute("VACUUM ANALYZE")
            listed = superuser.execute("SELECT count(*) FROM summarised_versions").fetchone()
            assert listed == (len(MODELS),), listed
        yield tenant_id
        dispose_engines()


def _attribute(tenant_id: UUID) -> None:
    while True:
        done = attribute_marked.apply(kwargs={"tenant_id": str(tenant_id)}, task_id=str(uuid4())).get()
        assert done["outcome"] == "attributed", done
        if not done["journeys"]:
            return


def _count(tenant_id: UUID) -> None:
    """Count the days of performance and close the ledger, as workers do hourly; more comes afterwards."""
    wanted = ((refresh_summaries, "outcome", "refreshed"), (count_days, "days", 0))
    for task, key, done in (*wanted, (close_ledger, "outcome", "closed")):
        while task.apply(kwargs={"tenant_id": str(tenant_id)}, task_id=str(uuid4())).get()[key] != done:
            pass


def _orders_of_today(amount: int, name: str) -> World:
    chance, now = random.Random(name), datetime.now(UTC)
    world = World()
    for number in range(amount):
        order_id = f"{name}-{number}"
        at = now - timedelta(seconds=chance.randrange(23 * 3_600))
        world.sales.append(Sale(order_id, f"order:{order_id}", at))
        world.bookings.append(
            Booking(UUID(int=chance.getrandbits(128)), order_id, "captured", chance.randrange(1, 20_000), at)
        )
    return world


def _token(tenant_id: UUID) -> str:
    provisioning.add_user(tenant_id, "bench@example.test", "viewer", PASSWORD, username="Bench")
    begun = sessions.log_in(tenant_id, "bench@example.test", PASSWORD)
    assert isinstance(begun, sessions.Login)
    return begun.tokens.access.token


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _request(path: str, token: str | None = None) -> bytes:
    head = [f"GET {path} HTTP/1.1", f"Host: {HOST}", "Accept: application/json"]
    head += [f"{name}: {value}" for name, value in (_bearer(token) if token else {}).items()]
    return "\r\n".join((*head, "", "")).encode()


@contextmanager
def _ours() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "skeldir", "api", "--port", str(port), "--workers", "1"]
    limits = {"SKELDIR_API_REQUESTS_PER_MINUTE_MAX": "1000000"}
    with _process(command, limits):
        wait_for(port, "/api/health/ready")
        yield port


@contextmanager
def _peer(tenant_id: UUID) -> Iterator[int]:
    with tenant_session(tenant_id, read_only=True) as session:
        version = attribution_settings.current(session).version(MODEL)
    told = {
        "url": get_url("app_user").set(drivername="postgresql").render_as_string(hide_password=False),
        "tenant_id": str(tenant_id),
        "model_version": version,
    }
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.reads_fastapi", str(port)]
    with _process(command, {"PEER": json.dumps(told)}):
        wait_for(port, "/docs")
        yield port


@contextmanager
def _process(command: list[str], more: dict[str, str]) -> Iterator[None]:
    environ = os.environ | {"PYTHONPATH": str(TREE)} | more
    process = subprocess.Popen(command, cwd=TREE, env=environ, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
