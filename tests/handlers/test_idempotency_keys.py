"""The operations that take an Idempotency-Key, on the wire: sent twice, they act once."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.desk import PATH, Desk
from tests.vendors.payloads import shopify_order


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


def twice(desk: Desk, path: str, body: dict[str, Any]) -> httpx.Response:
    """Send a request twice under one key; return the answer, which both times was the same."""
    headers = {"Idempotency-Key": f'"{uuid4()}"'}
    first, again = (
        desk.shop.api.send("POST", path, token=desk.token, json=body, headers=headers) for _ in range(2)
    )
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    return first


def test_a_batch_of_replays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer that got lost says what the batch did, where a new batch would find nothing to do."""
    for order_id in range(1, 4):
        desk.break_one(monkeypatch, order_id)

    assert twice(desk, f"{PATH}/replay", {"dry_run": False}).json()["resolved_count"] == 3
    assert desk.post("/replay", dry_run=False).json()["resolved_count"] == 0
    assert len(desk.trail()) == 3


def test_a_single_replay_and_a_refused_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = desk.break_one(monkeypatch)

    assert twice(desk, f"{PATH}/{letter}/replay", {"dry_run": False}).json()["outcome"] == "resolved"
    assert twice(desk, f"{PATH}/{letter}/replay", {"dry_run": False}).json()["code"] == "dead_letter_resolved"
    assert len(desk.trail()) == 1


def test_leaving_a_dead_letter(desk: Desk) -> None:
    told = desk.shop.shopify("orders/paid", shopify_order(1, currency=None)).json()

    left = twice(desk, f"{PATH}/{told['dead_letter_id']}/abandon", {"reason": "A test order."})

    assert left.json()["status"] == "abandoned"
    assert len(desk.trail()) == 1


def test_recording_touches(desk: Desk) -> None:
    touch = {"touchpoint_id": str(uuid4()), "journey_id": "j-1", "occurred_at": "2026-11-20T09:30:00Z"}

    told = twice(desk, "/api/attribution/touchpoints", {"touchpoints": [touch]})

    assert told.json() == {"recorded_count": 1, "duplicate_count": 0, "conflicts": []}


def test_asking_for_a_window(desk: Desk) -> None:
    window = {"window_start": "2026-11-01T00:00:00Z", "window_end": "2026-12-01T00:00:00Z"}

    job = twice(desk, "/api/attribution/recompute-jobs", {"model": "linear", **window})

    assert (job.status_code, job.json()["run_count"]) == (202, 1)
    assert job.headers["Location"].endswith(job.json()["job_id"])
