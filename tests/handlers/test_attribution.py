"""The attribution contract on the wire: touches in, channels, allocations, ledger and jobs out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.db.session import tenant_session
from skeldir.repository import attribution
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import count, log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, Booking, Sale, Visit, World
from workers.recomputing import recompute_window

NOON = worlds.START.replace(hour=12)
SMALL = World(
    [
        Visit(UUID(int=n), "j", NOON, channel)
        for n, channel in enumerate(("email", "google_search_paid", "email"))
    ],
    [Sale("o-1", "j", NOON), Sale("o-2", "nobody", NOON)],
    [
        Booking(UUID(int=11), "o-1", "captured", 10_000, NOON),
        Booking(UUID(int=12), "o-1", "refunded", -1_000, NOON + timedelta(days=1)),
        Booking(UUID(int=13), "o-2", "captured", 500, NOON, "USD"),
        Booking(UUID(int=14), "o-2", "authorised", 0, NOON, "USD"),
    ],
)


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def viewer(tenant: UUID) -> str:
    return log_in(make_user(tenant, "viewer")).tokens.access.token


@pytest.fixture
def manager(tenant: UUID) -> str:
    return log_in(make_user(tenant, "manager")).tokens.access.token


def store(database: Database, tenant: UUID, world: World, *, attributed: bool = True) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        if attributed:
            attribution.attribute_journeys(session, world.journeys, SETTINGS)


def get(api: Api, path: str, token: str, **query: Any) -> dict[str, Any]:
    reply = api.send("GET", f"/api/attribution/{path}", token=token, params=query)
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


def post(api: Api, path: str, token: str, body: object, status: int = 200) -> dict[str, Any]:
    reply = api.send("POST", f"/api/attribution/{path}", token=token, json=body)
    assert reply.status_code == status, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def touch(**changes: Any) -> dict[str, Any]:
    told = {"touchpoint_id": str(uuid4()), "journey_id": "j-1", "occurred_at": "2026-11-20T09:30:00Z"}
    return told | {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "sale"} | changes


def test_touches_are_recorded_once_and_mark_their_journeys(api: Api, tenant: UUID, manager: str) -> None:
    """The channel comes from the taxonomy; the same touches again change nothing and mark nothing."""
    batch = {"touchpoints": [touch(), touch(journey_id="j-2", utm_source="newsletter", utm_medium="email")]}
    first = post(api, "touchpoints", manager, batch)
    assert first == {"recorded_count": 2, "duplicate_count": 0, "conflicts": []}
    assert count(tenant, "touchpoints", "channel_code = 'google_search_paid' AND campaign_id = 'sale'") == 1
    assert count(tenant, "touchpoints", "channel_code = 'email'") == 1
    assert count(tenant, "dirty_marks") == 2
    again = post(api, "touchpoints", manager, batch)
    assert again == {"recorded_count": 0, "duplicate_count": 2, "conflicts": []}
    assert count(tenant, "dirty_marks") == 2


def test_another_touch_under_a_known_id_is_reported_and_not_kept(
    api: Api, tenant: UUID, manager: str
) -> None:
    """Within one batch as well as later; what was there first stays."""
    known = touch()
    batch = {"touchpoints": [known, known, known | {"utm_medium": "email"}]}
    first = post(api, "touchpoints", manager, batch)
    assert first == {"recorded_count": 1, "duplicate_count": 0, "conflicts": [known["touchpoint_id"]]}
    later = post(api, "touchpoints", manager, {"touchpoints": [known | {"journey_id": "j-9"}, touch()]})
    assert later == {"recorded_count": 1, "duplicate_count": 0, "conflicts": [known["touchpoint_id"]]}
    assert count(tenant, "touchpoints", "journey_id = 'j-9'") == 0


def test_the_same_touch_told_in_another_time_zone_is_the_same(api: Api, manager: str) -> None:
    """An instant is an instant."""
    told = touch(occurred_at="2026-11-20T09:30:00.123456Z")
    post(api, "touchpoints", manager, {"touchpoints": [told]})
    again = post(
        api,
        "touchpoints",
        manager,
        {"touchpoints": [told | {"occurred_at": "2026-11-20T10:30:00.123456+01:00"}]},
    )
    assert again["duplicate_count"] == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"journey_id": "jane@example.org"}, ("journey_id", "personal_data")),
        ({"journey_id": "+49 170 1234567"}, ("journey_id", "personal_data")),
        ({"session_id": "jane%40example.org"}, ("session_id", "personal_data")),
        ({"utm_campaign": "for jane@example.org"}, ("utm_campaign", "personal_data")),
        ({"utm_campaign": "4111 1111 1111 1111"}, ("utm_campaign", "personal_data")),
        ({"utm_source": "203.0.113.77"}, ("utm_source", "personal_data")),
        ({"occurred_at": "0001-01-01T00:00:00+05:00"}, ("occurred_at", "time_out_of_range")),
    ],
)
def test_a_batch_with_an_implausible_touch_is_refused_whole(
    api: Api, tenant: UUID, manager: str, changes: dict[str, str], fault: tuple[str, str]
) -> None:
    """The problem names the field, and nothing of the batch is kept."""
    problem = post(api, "touchpoints", manager, {"touchpoints": [touch(), touch(**changes)]}, status=422)
    field, code = fault
    faults = [(error["field"], error["code"]) for error in problem["errors"]]
    assert faults == [(f"body.touchpoints.1.{field}", code)]
    assert "jane" not in str(problem)
    assert count(tenant, "touchpoints") == 0


def test_a_shop_records_touches_with_its_tenant_key(api: Api, tenant: UUID) -> None:
    """A thousand touches in one request, by a system rather than a user."""
    key = provisioning.rotate_key(tenant, timedelta())
    batch = {"touchpoints": [touch(journey_id=f"j-{number}") for number in range(1_000)]}
    headers = {"X-Skeldir-Tenant-Key": key}
    reply = api.send("POST", "/api/attribution/touchpoints", json=batch, headers=headers)
    assert reply.status_code == 200, reply.text
    assert reply.json()["recorded_count"] == 1_000
    assert count(tenant, "dirty_marks") == 1_000


def test_channels_add_up_to_the_ledger(api: Api, database: Database, tenant: UUID, viewer: str) -> None:
    """Per currency: signed revenue, what reversals took, orders, shares; and the ledger beside it."""
    store(database, tenant, SMALL)
    report = get(api, "channels", viewer, model="linear")
    euro, dollar = report["currencies"]
    assert (report["model_version"], report["lookback_days"]) == ("linear.1+30d", 30)
    assert (euro["ledger_net_cents"], euro["allocated_cents"], euro["pending_cents"]) == (9_000, 9_000, 0)
    assert euro["channels"][0] == {
        "channel_code": "email",
        "channel_name": "Email",
        "family": "email",
        "is_paid": False,
        "revenue_cents": 6_000,
        "reversed_cents": -667,
        "order_count": 1,
        "share_ppm": 666_666,
        "credible_interval": None,
        "confidence_ppm": None,
        "interval_as_of": None,
        "interval_missing": "not_computed",
    }
    assert [channel["channel_code"] for channel in dollar["channels"]] == ["direct"]
    assert "start_date" not in report


def test_days_and_currency_narrow_the_report(api: Api, database: Database, tenant: UUID, viewer: str) -> None:
    """An entry counts on its own day: the refund of the day after is another day's."""
    store(database, tenant, SMALL)
    day = worlds.START.date()
    first = get(api, "channels", viewer, model="last_touch", start_date=day, end_date=day, currency="EUR")
    assert [(each["currency"], each["allocated_cents"]) for each in first["currencies"]] == [("EUR", 10_000)]
    second = get(api, "channels", viewer, start_date=day + timedelta(days=1))
    assert [(each["currency"], each["allocated_cents"]) for each in second["currencies"]] == [("EUR", -1_000)]
    reply = api.send("GET", f"/api/attribution/channels?start_date={day}&end_date=2000-01-01", token=viewer)
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "query.end_date")


def test_what_is_not_attributed_yet_is_pending(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """Before the worker came the whole ledger is pending, under every model."""
    store(database, tenant, SMALL, attributed=False)
    for model in ("first_touch", "last_touch", "last_non_direct", "linear"):
        euro = get(api, "channels", viewer, model=model)["currencies"][0]
        assert (euro["ledger_net_cents"], euro["allocated_cents"], euro["pending_cents"]) == (9_000, 0, 9_000)
        assert euro["channels"] == []


def test_allocations_are_paged_without_gap_or_repetition(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """Small pages in sequence give exactly what one large page gives, the newest first."""
    world = worlds.make(seed=30, journeys=25)
    store(database, tenant, world)
    whole, cursor, pages = [], None, 0
    while cursor is not None or pages == 0:
        page = get(api, "allocations", viewer, limit=7, **({"cursor": cursor} if cursor else {}))
        whole += page["allocations"]
        cursor, pages = page["next_cursor"], pages + 1
    keys = [(row["entry_id"], row["channel_code"], row["campaign_id"]) for row in whole]
    assert pages > 3
    assert len(set(keys)) == len(keys) == len(worlds.expected(world, "linear"))
    times = [row["effective_at"] for row in whole]
    assert times == sorted(times, reverse=True)


def test_allocations_of_one_order_or_channel(api: Api, database: Database, tenant: UUID, viewer: str) -> None:
    """Both filters; and a cursor made for one list is refused by another."""
    store(database, tenant, SMALL)
    of_order = get(api, "allocations", viewer, order_id="o-1", limit=1)
    assert of_order["allocations"][0] | {"effective_at": None} == {
        "entry_id": str(UUID(int=12)),
        "order_id": "o-1",
        "kind": "refunded",
        "effective_at": None,
        "channel_code": "email",
        "campaign_id": "",
        "allocated_cents": -667,
        "currency": "EUR",
    }
    assert len(get(api, "allocations", viewer, channel_code="direct")["allocations"]) == 1
    unfitted = get(api, "allocations", viewer, model="markov", order_id="o-1")["allocations"]
    assert {one["fallback"] for one in unfitted} == {"no_weights"}
    query = {"order_id": "o-2", "cursor": of_order["next_cursor"]}
    assert api.send("GET", "/api/attribution/allocations", token=viewer, params=query).status_code == 400


def test_the_ledger_by_currency_and_kind(api: Api, database: Database, tenant: UUID, viewer: str) -> None:
    """Authorisations are counted and weigh nothing."""
    store(database, tenant, SMALL)
    euro, dollar = get(api, "ledger", viewer)["currencies"]
    assert (euro["net_cents"], euro["order_count"]) == (9_000, 1)
    assert euro["kinds"] == [
        {"kind": "captured", "entry_count": 1, "effect_cents": 10_000},
        {"kind": "refunded", "entry_count": 1, "effect_cents": -1_000},
    ]
    assert dollar["kinds"][0] == {"kind": "authorised", "entry_count": 1, "effect_cents": 0}


def test_the_taxonomy_lists_every_channel(api: Api, viewer: str) -> None:
    """Sorted by code, so that the document is the same every time."""
    codes = [channel["channel_code"] for channel in get(api, "taxonomy", viewer)["channels"]]
    assert codes == sorted(codes)
    assert set(worlds.CHANNELS) <= set(codes)


def test_a_window_is_asked_for_run_and_watched(
    api: Api, database: Database, tenant: UUID, manager: str
) -> None:
    """202 with a job to watch; the same window again is the same job, and joins the run that waits."""
    store(database, tenant, SMALL, attributed=False)
    window = {"model": "linear", "window_start": "2026-08-01T00:00:00Z", "window_end": "2026-08-02T00:00:00Z"}
    reply = api.send("POST", "/api/attribution/recompute-jobs", token=manager, json=window)
    assert reply.status_code == 202, reply.text
    job = reply.json()
    assert (job["status"], job["run_count"]) == ("queued", 1)
    assert reply.headers["Location"] == f"/api/attribution/recompute-jobs/{job['job_id']}"
    same = post(
        api, "recompute-jobs", manager, window | {"window_start": "2026-08-01T02:00:00+02:00"}, status=202
    )
    assert (same["job_id"], same["run_count"]) == (job["job_id"], 1)
    recompute_window.apply(kwargs={"tenant_id": str(tenant), "job_id": job["job_id"]}, throw=True)
    done = get(api, f"recompute-jobs/{job['job_id']}", manager)
    assert (done["status"], done["last_outcome"]) == ("succeeded", "computed")
    assert get(api, "channels", manager)["currencies"][0]["pending_cents"] == 0
    assert post(api, "recompute-jobs", manager, window, status=202)["run_count"] == 2


def test_a_window_that_no_job_can_have_is_refused(api: Api, manager: str) -> None:
    """Empty, too long or out of range; and a job nobody asked for does not exist."""
    day = datetime(2026, 8, 1, tzinfo=UTC)
    for start, end in ((day, day), (day, day + timedelta(days=400))):
        body = {"model": "linear", "window_start": start.isoformat(), "window_end": end.isoformat()}
        problem = post(api, "recompute-jobs", manager, body, status=422)
        assert problem["errors"][0]["field"] == "body.window_end"
    assert api.send("GET", f"/api/attribution/recompute-jobs/{uuid4()}", token=manager).status_code == 404


def test_another_tenant_sees_and_changes_nothing(
    api: Api, database: Database, tenant: UUID, manager: str, make_tenant: Callable[[], UUID]
) -> None:
    """The same ids told by another tenant are that tenant's own, and every reading is empty for it."""
    store(database, tenant, SMALL)
    known = touch()
    post(api, "touchpoints", manager, {"touchpoints": [known]})
    window = {"model": "linear", "window_start": "2026-08-01T00:00:00Z", "window_end": "2026-08-02T00:00:00Z"}
    job = post(api, "recompute-jobs", manager, window, status=202)
    other_tenant = make_tenant()
    other = log_in(make_user(other_tenant, "manager")).tokens.access.token
    assert (
        post(api, "touchpoints", other, {"touchpoints": [known | {"journey_id": "x"}]})["recorded_count"] == 1
    )
    assert get(api, "channels", other)["currencies"] == []
    assert get(api, "allocations", other)["allocations"] == []
    assert get(api, "ledger", other)["currencies"] == []
    assert api.send("GET", f"/api/attribution/recompute-jobs/{job['job_id']}", token=other).status_code == 404
    page = get(api, "allocations", manager, limit=1)
    query = {"cursor": page["next_cursor"], "limit": 1}
    assert api.send("GET", "/api/attribution/allocations", token=other, params=query).status_code == 400
    assert (
        count(tenant, "touchpoints", f"touchpoint_id = '{known['touchpoint_id']}' AND journey_id = 'j-1'")
        == 1
    )


def test_a_viewer_reads_and_does_not_write(api: Api, viewer: str) -> None:
    """Touches and jobs take a manager."""
    assert (
        api.send(
            "POST", "/api/attribution/touchpoints", token=viewer, json={"touchpoints": [touch()]}
        ).status_code
        == 403
    )
    body = {"model": "linear", "window_start": "2026-08-01T00:00:00Z", "window_end": "2026-08-02T00:00:00Z"}
    assert api.send("POST", "/api/attribution/recompute-jobs", token=viewer, json=body).status_code == 403
    assert SETTINGS.version("linear") == get(api, "channels", viewer)["model_version"]


def test_a_placeholder_for_a_journey_is_refused_by_its_field(api: Api, tenant: UUID, manager: str) -> None:
    """A front end that sends `undefined` for everybody would make one journey of all strangers."""
    sent = {"touchpoints": [touch(), touch(journey_id="undefined")]}
    reply = post(api, "touchpoints", manager, sent, status=422)
    assert [(error["field"], error["code"]) for error in reply["errors"]] == [
        ("body.touchpoints.1.journey_id", "placeholder")
    ]
    assert count(tenant, "touchpoints") == 0
