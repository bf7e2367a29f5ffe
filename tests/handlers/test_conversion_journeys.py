"""The answer to "why did this order go to TikTok": touches, weights, and every cent of every entry."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.domain.models import MODELS, Model
from skeldir.repository import attribution
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, Booking, Sale, Visit, World

PATH = "/api/attribution/conversion-journey"
NOON = worlds.START.replace(hour=12)
DAY = timedelta(days=1)
VISITS = [
    Visit(UUID(int=1), "j", NOON - 9 * DAY, "tiktok_paid", "spring"),
    Visit(UUID(int=2), "j", NOON - 2 * DAY, "tiktok_paid", "summer"),
    Visit(UUID(int=3), "j", NOON - DAY, "email"),
    Visit(UUID(int=4), "j", NOON - timedelta(hours=1), "direct"),
    Visit(UUID(int=8), "j", NOON - 31 * DAY, "organic"),
    Visit(UUID(int=9), "j", NOON + DAY, "referral"),
]
WORLD = World(
    VISITS,
    [Sale("o-1", "j", NOON), Sale("o-2", "order:o-2", NOON)],
    [
        Booking(UUID(int=11), "o-1", "captured", 10_000, NOON),
        Booking(UUID(int=12), "o-1", "refunded", -1_000, NOON + DAY),
        Booking(UUID(int=13), "o-2", "captured", 700, NOON, "USD"),
    ],
)


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def viewer(tenant: UUID) -> str:
    return log_in(make_user(tenant, "viewer")).tokens.access.token


def store(database: Database, tenant: UUID, world: World) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    attribute(database, tenant, world.journeys)


def attribute(database: Database, tenant: UUID, journeys: list[str]) -> None:
    engine = database.engine("app_worker")
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)


def ask(api: Api, token: str, **query: Any) -> dict[str, Any]:
    reply = api.send("GET", PATH, token=token, params=query)
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("first_touch", [1, 0, 0, 0]),
        ("last_touch", [0, 0, 0, 1]),
        ("last_non_direct", [0, 0, 1, 0]),
        ("linear", [1, 1, 1, 1]),
        ("position_based", [80, 20, 20, 80]),
    ],
)
def test_each_touch_within_the_look_back_has_the_model_s_weight(  # noqa: PLR0917 - fixtures
    api: Api, database: Database, tenant: UUID, viewer: str, model: Model, weights: list[int]
) -> None:
    """The earliest first; what is older, or came after the order, is not among them."""
    store(database, tenant, WORLD)
    journey = ask(api, viewer, order_id="o-1", model=model)
    touches = journey["touches"]
    assert [UUID(touch["touchpoint_id"]).int for touch in touches] == [1, 2, 3, 4]
    assert [touch["weight"] for touch in touches] == weights
    assert [touch["share_ppm"] for touch in touches] == [1_000_000 * w // sum(weights) for w in weights]
    assert journey["touch_count"] == 4


@pytest.mark.parametrize("model", MODELS)
def test_shares_make_the_whole_and_cents_are_those_of_the_reports(
    api: Api, database: Database, tenant: UUID, viewer: str, model: Model
) -> None:
    """Under every model: entry by entry what was allocated, and per currency what that adds up to."""
    store(database, tenant, WORLD)
    journey = ask(api, viewer, order_id="o-1", model=model)
    assert 1_000_000 - 4 <= sum(touch["share_ppm"] for touch in journey["touches"]) <= 1_000_000
    expected: dict[str, dict[tuple[str, str], int]] = {}
    for (entry, channel, campaign), cents in worlds.expected(WORLD, model).items():
        expected.setdefault(str(entry), {})[channel, campaign] = cents
    shown = {
        entry["entry_id"]: {
            (credit["channel_code"], credit["campaign_id"]): credit["allocated_cents"]
            for credit in entry["credits"]
        }
        for entry in journey["entries"]
    }
    assert shown == {entry: expected[entry] for entry in (str(UUID(int=11)), str(UUID(int=12)))}
    [euros] = journey["currencies"]
    assert (euros["ledger_net_cents"], euros["allocated_cents"], euros["pending_cents"]) == (9_000, 9_000, 0)
    assert sum(credit["allocated_cents"] for credit in euros["credits"]) == 9_000


def test_what_is_not_attributed_yet_is_pending(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """An entry that no job has seen is shown without credits, and counted as pending."""
    store(database, tenant, WORLD)
    late = Booking(UUID(int=14), "o-1", "refunded", -500, NOON + 2 * DAY)
    with database.connect() as connection:
        worlds.store(connection, tenant, World([], [], [late]))
    journey = ask(api, viewer, order_id="o-1")
    [euros] = journey["currencies"]
    assert (euros["ledger_net_cents"], euros["allocated_cents"], euros["pending_cents"]) == (
        8_500,
        9_000,
        -500,
    )
    assert journey["entries"][-1]["credits"] == []


def test_an_order_without_touches_is_direct_s(
    api: Api, database: Database, tenant: UUID, viewer: str
) -> None:
    """There is nothing to weigh, and everything is credited to `direct`."""
    store(database, tenant, WORLD)
    journey = ask(api, viewer, order_id="o-2")
    assert (journey["touches"], journey["touch_count"]) == ([], 0)
    assert journey["currencies"][0]["credits"] == [
        {"channel_code": "direct", "campaign_id": "", "allocated_cents": 700, "share_ppm": 1_000_000}
    ]


def test_a_long_journey_is_read_page_by_page(api: Api, database: Database, tenant: UUID, viewer: str) -> None:
    """Touches of one instant too; each once, with the weights of the whole journey."""
    visits = [
        Visit(UUID(int=n + 1), "long", NOON - timedelta(hours=n // 4), worlds.CHANNELS[n % 7])
        for n in range(50)
    ]
    sale = Sale("o-9", "long", NOON)
    store(database, tenant, World(visits, [sale], [Booking(UUID(int=99), "o-9", "captured", 100, NOON)]))
    whole = ask(api, viewer, order_id="o-9", model="time_decay")["touches"]
    pages, cursor = [], {}
    while True:
        page = ask(api, viewer, order_id="o-9", model="time_decay", limit=7, **cursor)
        assert page["touch_count"] == 50
        pages += page["touches"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert pages == whole
    assert len(whole) == 50


def test_an_unknown_order_is_not_found(api: Api, viewer: str) -> None:
    """Another tenant's is none either: row-level security knows no difference."""
    assert api.send("GET", PATH, token=viewer, params={"order_id": "o-1"}).status_code == 404
