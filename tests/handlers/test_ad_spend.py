"""The import of ad spend on the wire: exact, all or nothing, restated with an audit."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import text

from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.repository import channels
from skeldir.repository.channels import Channel
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import TestUser, count, log_in, make_user

PATH = "/api/attribution/ad-spend"
HEADER = "day,channel_code,campaign_id,currency,cost_cents,cost,impressions,clicks"


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


class Desk:
    """A tenant's manager, who tells what advertising cost."""

    def __init__(self, api: Api, tenant: UUID) -> None:
        self.api = api
        self.tenant = tenant
        self.user: TestUser = make_user(tenant, "manager")
        self.token = log_in(self.user).tokens.access.token

    def send(self, rows: list[dict[str, Any]], **headers: str) -> httpx.Response:
        return self._post(json={"rows": rows}, headers=headers)

    def send_csv(self, *lines: str, newline: str = "\r\n") -> httpx.Response:
        body = newline.join([HEADER, *lines]).encode()
        return self._post(content=body, headers={"Content-Type": "text/csv"})

    def _post(self, **options: Any) -> httpx.Response:
        return self.api.send("POST", f"{PATH}/imports", token=self.token, **options)

    def get(self, path: str = "", **query: Any) -> dict[str, Any]:
        reply = self.api.send("GET", PATH + path, token=self.token, params=query)
        assert reply.status_code == 200, reply.text
        told: dict[str, Any] = reply.json()
        return told

    def walk(self, path: str, items: str, **query: Any) -> list[dict[str, Any]]:
        """Return every item of a list, two to a page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=2, **query, **cursor)
            assert len(page[items]) <= 2
            found += page[items]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def kept(self) -> dict[tuple[str, ...], tuple[int | None, ...]]:
        """Return the figures that stand, as the database has them."""
        with tenant_session(self.tenant) as session:
            rows = session.execute(text("SELECT * FROM ad_spend")).all()
        return {
            (str(row.day), row.channel_code, row.campaign_id, row.currency): (
                row.cost_cents, row.impressions, row.clicks,
            )
            for row in rows
        }  # fmt: skip


@pytest.fixture
def desk(api: Api, tenant: UUID) -> Desk:
    return Desk(api, tenant)


def row(**changes: Any) -> dict[str, Any]:
    told = {"channel_code": "google_search_paid", "campaign_id": "sale", "day": "2026-11-20"}
    return told | {"currency": "EUR", "cost_cents": 12_990} | changes


def good(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def faults(reply: httpx.Response) -> tuple[int, set[tuple[str, str]]]:
    return reply.status_code, {(error["field"], error["code"]) for error in reply.json()["errors"]}


def counts(told: dict[str, Any]) -> tuple[Any, ...]:
    return told["outcome"], told["added_count"], told["replaced_count"], told["unchanged_count"]


def test_what_is_told_stands(desk: Desk) -> None:
    """JSON and CSV tell the same figures; what was not told stays unknown, and campaigns may be absent."""
    told = good(desk.send([row(impressions=40_000, clicks=610), row(channel_code="facebook_paid")]))
    assert counts(told) == ("changed", 2, 0, 0)
    assert (told["imported_by"], told["media_type"]) == (str(desk.user.user_id), "application/json")
    told = good(desk.send_csv("2026-11-21,google_search_paid,,EUR,5,,0,0", "2026-11-21,email,,USD,,7.5,,"))
    assert told["media_type"] == "text/csv"
    assert desk.kept() == {
        ("2026-11-20", "google_search_paid", "sale", "EUR"): (12_990, 40_000, 610),
        ("2026-11-20", "facebook_paid", "sale", "EUR"): (12_990, None, None),
        ("2026-11-21", "google_search_paid", "", "EUR"): (5, 0, 0),
        ("2026-11-21", "email", "", "USD"): (750, None, None),
    }


@pytest.mark.parametrize(
    ("currency", "cost", "cents"),
    [
        ("EUR", "129.90", 12_990), ("EUR", "129.9", 12_990), ("EUR", "0.1", 10), ("EUR", "129.9000", 12_990),
        ("JPY", "4300", 4_300), ("JPY", "4300.0", 4_300), ("KWD", "1.005", 1_005), ("KWD", "1", 1_000),
        ("EUR", "0.29", 29), ("EUR", "1.15", 115), ("EUR", "100000000000.00", 10**13),
    ],
)  # fmt: skip
def test_decimals_are_read_exactly(desk: Desk, currency: str, cost: str, cents: int) -> None:
    """Each in its currency's own minor unit; no binary fraction comes near them."""
    line = f"2026-11-20,email,c,{currency},,{cost},,"
    good(desk.send_csv(line))
    assert list(desk.kept().values()) == [(cents, None, None)]
    assert counts(good(desk.send([row(channel_code="email", campaign_id="c", currency=currency,
                                      cost_cents=cents)]))) == ("unchanged", 0, 0, 1)  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "cost", "code"),
    [
        ("EUR", "1.005", "malformed_value"), ("JPY", "0.5", "malformed_value"),
        ("KWD", "1.0005", "malformed_value"), ("EUR", "1e3", "malformed_value"),
        ("EUR", "1.234,50", "malformed_value"), ("EUR", "€5", "malformed_value"),
        ("EUR", "-5.00", "amount_out_of_range"), ("EUR", "100000000000.01", "amount_out_of_range"),
        ("EUR", "=1+1", "malformed_value"), ("EUR", "NaN", "malformed_value"),
        ("EUR", "5 ", "malformed_value"),
    ],
)  # fmt: skip
def test_what_would_need_rounding_or_guessing_is_refused(
    desk: Desk, currency: str, cost: str, code: str
) -> None:
    """More decimals than the currency has, separators, signs and formulas are named, never mended."""
    told = row(currency=currency, cost=cost)
    del told["cost_cents"]
    assert faults(desk.send([row(day="2026-11-19"), told])) == (422, {("body.rows.1.cost", code)})
    assert desk.kept() == {}


def test_every_fault_is_named_by_row_and_field_and_nothing_is_kept(desk: Desk) -> None:
    """All or nothing: one bad row keeps the good ones out."""
    draft = Channel("podcasts", "Podcasts", "audio", is_paid=True, state="draft", is_own=True)
    with tenant_session(desk.tenant) as session:
        assert channels.add(session, draft, None, "A test.")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    rows = [
        row(),
        row(channel_code="bing"),
        row(channel_code="podcasts"),
        row(day=str(tomorrow + timedelta(days=1))),
        row(day="1969-12-31"),
        row(currency="XXX"),
        row(day="2026-11-19", cost="1.00"),
        row(day="2026-11-18", campaign_id="jane.doe@example.com"),
        row(cost_cents=1),
        row(day=str(tomorrow)),
    ]
    status, found = faults(desk.send(rows))
    assert status == 422
    assert found == {
        ("body.rows.1.channel_code", "unknown_channel"),
        ("body.rows.2.channel_code", "channel_not_active"),
        ("body.rows.3.day", "day_out_of_range"),
        ("body.rows.4.day", "day_out_of_range"),
        ("body.rows.5.currency", "currency_unknown"),
        ("body.rows.6.cost_cents", "cost_ambiguous"),
        ("body.rows.7.campaign_id", "personal_data"),
        ("body.rows.8", "duplicate_row"),
    }
    assert desk.kept() == {}
    assert count(desk.tenant, "ad_spend_imports") == 0


def test_shapes_are_refused_by_row_and_field(desk: Desk) -> None:
    """Negative amounts, fractions, unknown and missing fields are what the contract's schema says."""
    rows = [row(cost_cents=-1), row(cost_cents=1.5), row(clicks=-1), row(colour="red"), {"day": "2026-02-30"}]
    status, found = faults(desk.send(rows))
    assert status == 400
    assert found == {
        ("body.rows.0.cost_cents", "minimum"),
        ("body.rows.1.cost_cents", "type"),
        ("body.rows.2.clicks", "minimum"),
        ("body.rows.3.colour", "additional_properties"),
        ("body.rows.4.day", "format"),
        ("body.rows.4.channel_code", "required"),
        ("body.rows.4.currency", "required"),
    }


def test_errors_come_in_bounded_number(desk: Desk) -> None:
    """A file that is wrong throughout is a hundred errors, not thousands."""
    reply = desk.send([row(channel_code="bing", campaign_id=f"c-{number}") for number in range(500)])
    assert len(reply.json()["errors"]) == 100
    reply = desk.send_csv(*(f"2026-11-20,email,c-{number},EUR,1,,," for number in range(5_001)))
    assert faults(reply) == (400, {("body.rows", "max_items")})


def test_a_restatement_replaces_and_its_trail_tells_what(desk: Desk) -> None:
    """Platforms restate days: the last import stands as a whole, and each change shows what it replaced."""
    first = good(desk.send([row(clicks=10), row(day="2026-11-21"), row(day="2026-11-22")]))
    second = good(desk.send([row(cost_cents=13_500), row(day="2026-11-21"), row(currency="USD")]))
    assert counts(second) == ("changed", 1, 1, 1)
    assert desk.kept()["2026-11-20", "google_search_paid", "sale", "EUR"] == (13_500, None, None)
    changes = desk.walk(f"/imports/{second['import_id']}/changes", "changes")
    shared = {"day": "2026-11-20", "channel_code": "google_search_paid", "campaign_id": "sale"}
    assert changes == [
        shared | {
            "currency": "EUR", "cost_cents": 13_500, "previous_cost_cents": 12_990, "previous_clicks": 10,
            "previous_import_id": first["import_id"],
        },
        shared | {"currency": "USD", "cost_cents": 12_990},
    ]  # fmt: skip
    assert [one["import_id"] for one in desk.walk("/imports", "imports")] == [
        second["import_id"],
        first["import_id"],
    ]


def test_the_same_again_changes_nothing_and_says_so(desk: Desk) -> None:
    """In another order and another media type, too; the import is listed, the figures keep their origin."""
    first = good(desk.send([row(), row(day="2026-11-21", cost_cents=500)]))
    before = desk.get()
    again = good(desk.send_csv(
        "2026-11-21,google_search_paid,sale,EUR,,5.00,,", "2026-11-20,google_search_paid,sale,EUR,12990,,,"
    ))  # fmt: skip
    assert counts(again) == ("unchanged", 0, 0, 2)
    assert again["content_digest"] == first["content_digest"]
    assert desk.get() == before
    assert desk.get(f"/imports/{again['import_id']}/changes") == {"changes": [], "next_cursor": None}
    assert count(desk.tenant, "ad_spend_changes") == 2


def test_restating_back_is_a_change_too(desk: Desk) -> None:
    """What was told before something else is told again: the trail has all three."""
    digests = [good(desk.send([row(cost_cents=cents)]))["content_digest"] for cents in (1, 2, 1)]
    assert digests[0] == digests[2] != digests[1]
    assert count(desk.tenant, "ad_spend_changes") == 3
    assert list(desk.kept().values()) == [(1, None, None)]


def test_what_was_changed_stays_written_down(desk: Desk, database: Database) -> None:
    """The trail and the imports take no change, not even from the owner of the tables."""
    good(desk.send([row()]))
    with database.connect() as connection:
        for table in ("ad_spend_changes", "ad_spend_imports"):
            for statement in (f"UPDATE {table} SET import_id = import_id", f"DELETE FROM {table}"):
                with pytest.raises(psycopg.errors.RestrictViolation):
                    connection.execute(statement)


def test_text_that_looks_like_a_formula_is_a_text(desk: Desk) -> None:
    """A campaign's name is kept as it is spelled, for only so does it meet its touches."""
    names = ["=HYPERLINK(1)", "-brand", "+promo", "@home", 'a "b", c', "line\u2028break"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    good(desk.send_csv(*(f"2026-11-20,email,{name},EUR,1,,," for name in quoted)))
    assert {campaign for _, _, campaign, _ in desk.kept()} == set(names)
    assert {figure["campaign_id"] for figure in desk.walk("", "figures")} == set(names)
    broken = desk.send_csv('2026-11-20,email,"two\r\nlines",EUR,1,,,')
    assert faults(broken) == (400, {("body.rows.0.campaign_id", "pattern")})


def test_lists_are_filtered_and_walked(desk: Desk) -> None:
    """Every filter narrows, pages neither repeat nor leave out, the latest day comes first."""
    days = [f"2026-11-{day}" for day in range(10, 15)]
    told = [
        row(day=day, channel_code=channel, campaign_id=campaign, currency=currency, cost_cents=1)
        for day in days for channel in ("email", "facebook_paid") for campaign in ("a", "b")
        for currency in ("EUR", "USD")
    ]  # fmt: skip
    good(desk.send(told))
    found = desk.walk("", "figures")
    keys = [(one["day"], one["channel_code"], one["campaign_id"], one["currency"]) for one in found]
    assert len(set(keys)) == len(told)
    assert keys == sorted(sorted(keys), key=lambda key: key[0], reverse=True)
    query = {
        "start_date": "2026-11-11",
        "end_date": "2026-11-13",
        "channel_code": "email",
        "campaign_id": "b",
    }
    narrowed = desk.walk("", "figures", currency="USD", **query)
    assert [one["day"] for one in narrowed] == ["2026-11-13", "2026-11-12", "2026-11-11"]
    reply = api_get(desk, start_date="2026-11-13", end_date="2026-11-12")
    assert faults(reply) == (422, {("query.end_date", "range_backwards")})


def api_get(desk: Desk, **query: str) -> httpx.Response:
    return desk.api.send("GET", PATH, token=desk.token, params=query)


def test_an_idempotency_key_answers_as_the_first_time(desk: Desk) -> None:
    """The key covers CSV and JSON alike; one import is listed."""
    key = {"Idempotency-Key": uuid4().hex}
    first, again = desk.send([row()], **key), desk.send([row()], **key)
    assert (first.json(), again.headers["Idempotency-Replayed"]) == (again.json(), "true")
    assert count(desk.tenant, "ad_spend_imports") == 1


def test_only_managers_import(desk: Desk) -> None:
    """A viewer may read what was spent, and not say it."""
    viewer = log_in(make_user(desk.tenant, "viewer")).tokens.access.token
    sent = desk.api.send("POST", f"{PATH}/imports", token=viewer, json={"rows": [row()]})
    assert sent.status_code == 403
    assert desk.api.send("GET", PATH, token=viewer).status_code == 200
    unknown = desk.api.send("GET", f"{PATH}/imports/{uuid4()}/changes", token=viewer)
    assert unknown.status_code == 404
