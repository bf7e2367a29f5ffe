"""`getChannelPerformance` on the wire: a small shop whose every figure can be worked out by hand."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.test_attribution import store
from tests.identity import log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, Visit, World

PATH = "/api/attribution/performance"
NOON = worlds.START.replace(hour=12)
DAY = NOON.date().isoformat()
# An ad and a mail led to the first order, the ad alone to the second one of the same journey.
SHOP = World(
    [
        Visit(uuid4(), "j", NOON, "facebook_paid", "sale"),
        Visit(uuid4(), "j", NOON, "email"),
        Visit(uuid4(), "k", NOON, "facebook_paid", "brand"),
    ],
    [Sale("o-1", "j", NOON), Sale("o-2", "k", NOON), Sale("o-3", "k", NOON + timedelta(minutes=1))],
    [
        Booking(uuid4(), "o-1", "captured", 10_000, NOON),
        Booking(uuid4(), "o-1", "refunded", -2_000, NOON + timedelta(days=9)),
        Booking(uuid4(), "o-2", "captured", 3_000, NOON),
        Booking(uuid4(), "o-3", "captured", 3_001, NOON),
    ],
)
SPEND = [
    {"campaign_id": "sale", "cost": "20.00", "impressions": 1_000, "clicks": 30},
    {"campaign_id": "brand", "cost_cents": 500},
    {"campaign_id": "brand", "cost_cents": 700, "currency": "USD"},
]


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def token(api: Api, database: Database, tenant: UUID) -> str:
    """Return a manager's token, of a shop with orders and spend."""
    store(database, tenant, SHOP)
    token = log_in(make_user(tenant, "manager")).tokens.access.token
    shared = {"channel_code": "facebook_paid", "day": DAY, "currency": "EUR"}
    told = {"rows": [shared | row for row in SPEND]}
    reply = api.send("POST", "/api/attribution/ad-spend/imports", token=token, json=told)
    assert reply.status_code == 200, reply.text
    return token


def ask(api: Api, token: str, **query: str) -> dict[str, Any]:
    reply = api.send("GET", PATH, token=token, params={"start_date": DAY, "end_date": DAY} | query)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def test_channels_show_cost_and_outcome(api: Api, token: str) -> None:
    """Shares add up to orders, the return is of each currency alone, and what is not known is absent."""
    told = ask(api, token)
    assert (told["model"], told["mode"], told["group_by"]) == ("linear", "cash", "channel")
    euro, dollar = told["currencies"]
    assert euro["pending_cents"] == 0
    assert euro["totals"] == {
        "spend_cents": 2_500, "revenue_cents": 16_001, "conversion_count": 3, "new_conversion_count": 2,
        "repeat_conversion_count": 1, "attributed_conversions_ppm": 3_000_000,
        "attributed_new_conversions_ppm": 2_000_000, "roas_ppm": 6_400_400, "cpa_cents": 833,
        "new_cpa_cents": 1_250, "impressions": 1_000, "clicks": 30, "cpc_cents": 67, "ctr_ppm": 30_000,
    }  # fmt: skip
    facebook, email = euro["channels"]
    assert (facebook["channel_code"], facebook["is_paid"]) == ("facebook_paid", True)
    assert facebook["figures"]["revenue_cents"] == 11_001
    assert facebook["figures"]["conversion_count"] == 3
    assert facebook["figures"]["attributed_conversions_ppm"] == 2_500_000
    assert (facebook["figures"]["roas_ppm"], facebook["figures"]["cpa_cents"]) == (4_400_400, 1_000)
    assert "campaigns" not in facebook
    assert email["figures"] == {
        "spend_cents": 0, "revenue_cents": 5_000, "conversion_count": 1, "new_conversion_count": 1,
        "repeat_conversion_count": 0, "attributed_conversions_ppm": 500_000,
        "attributed_new_conversions_ppm": 500_000, "cpa_cents": 0, "new_cpa_cents": 0,
    }  # fmt: skip
    assert (dollar["currency"], dollar["totals"]["spend_cents"], dollar["totals"]["revenue_cents"]) == (
        "USD", 700, 0,
    )  # fmt: skip


def test_campaigns_stand_within_their_channel(api: Api, token: str) -> None:
    """The most spend comes first; each has its own return."""
    facebook = ask(api, token, group_by="campaign", currency="EUR")["currencies"][0]["channels"][0]
    sale, brand = facebook["campaigns"]
    assert (sale["campaign_id"], sale["figures"]["roas_ppm"]) == ("sale", 2_500_000)
    assert (brand["campaign_id"], brand["figures"]["roas_ppm"]) == ("brand", 12_002_000)
    assert "cpc_cents" not in brand["figures"]
    assert "other_campaigns" not in facebook


def test_the_mode_decides_which_days_a_refund_lowers(api: Api, token: str) -> None:
    """In accrual mode the return of the day is what in the end became of its orders."""
    assert ask(api, token, mode="accrual")["currencies"][0]["totals"]["revenue_cents"] == 14_001
    later = {"start_date": (NOON + timedelta(days=9)).date().isoformat()}
    later["end_date"] = later["start_date"]
    cash = ask(api, token, **later)["currencies"][0]["totals"]
    assert (cash["revenue_cents"], cash["conversion_count"]) == (-2_000, 0)
    assert ask(api, token, mode="accrual", **later)["currencies"] == []


def test_more_campaigns_than_can_be_shown_are_added_up(api: Api, token: str) -> None:
    """What is shown and the rest are the channel."""
    shared = {"channel_code": "email", "day": DAY, "currency": "EUR"}
    rows = [shared | {"campaign_id": f"c-{number}", "cost_cents": number} for number in range(1, 251)]
    reply = api.send("POST", "/api/attribution/ad-spend/imports", token=token, json={"rows": rows})
    assert reply.status_code == 200
    channels = ask(api, token, group_by="campaign")["currencies"][0]["channels"]
    email = next(channel for channel in channels if channel["channel_code"] == "email")
    assert len(email["campaigns"]) == 200
    assert email["other_campaigns"] == {
        "campaign_count": 51, "spend_cents": sum(range(1, 51)), "revenue_cents": 5_000,
        "attributed_conversions_ppm": 500_000, "attributed_new_conversions_ppm": 500_000,
    }  # fmt: skip


def test_what_cannot_be_asked_is_refused(api: Api, token: str) -> None:
    """Days that end before they begin, models and groups that there are not."""
    for query, status in (
        ({"start_date": "2026-02-02", "end_date": "2026-02-01"}, 422),
        ({"model": "best"}, 400),
        ({"group_by": "ad"}, 400),
    ):
        assert api.send("GET", PATH, token=token, params=query).status_code == status


def test_the_same_report_is_not_sent_twice(api: Api, token: str) -> None:
    """Who holds the report is told so."""
    tag = api.send("GET", PATH, token=token).headers["ETag"]
    assert api.send("GET", PATH, token=token, headers={"If-None-Match": tag}).status_code == 304
