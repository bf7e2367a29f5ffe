"""A file is the whole of one snapshot, in every format the same, and its manifest proves it."""

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import openpyxl
import pyarrow.parquet as pq
import pytest

from generated.models.common_exports import AllocationExport, RevenueExport
from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.domain.ids import uuid7
from skeldir.formats.delimited import neutral
from skeldir.repository import summaries
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.export_world import ENTRIES, FALLBACKS, VERSION, Bookkeeper, Cell, Credit
from tests.handlers.webhooks import open_shop
from tests.identity import log_in, make_user

FORMATS = ("csv", "json", "ndjson", "parquet", "xlsx")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
AMOUNTS = {"revenue_cents", "reversed_cents", "order_count", "allocated_cents"}
Record = dict[str, Any]


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture(scope="module")
def books(api: Api, database: Database) -> Bookkeeper:
    return Bookkeeper(api, database, open_shop(api).tenant_id)


def read(reply: httpx.Response, form: str) -> list[Record]:
    """Read a file with a reader that shares nothing with its writer; dates and instants as ISO texts."""
    if form == "json":
        return list(reply.json()["data"])
    if form == "ndjson":
        return [json.loads(line) for line in reply.text.splitlines()]
    if form == "csv":
        return [
            {name: int(value) if name in AMOUNTS else value for name, value in record.items()}
            for record in csv.DictReader(io.StringIO(reply.content.decode(), newline=""), strict=True)
        ]
    if form == "parquet":
        return list(pq.read_table(io.BytesIO(reply.content)).to_pylist())
    sheet = openpyxl.load_workbook(io.BytesIO(reply.content), read_only=True).worksheets[0]
    head, *lines = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, head), line, strict=True)) for line in lines]


def cell(record: Record) -> Cell:
    """Return whose amount a record of revenue is."""
    day = record["day"]
    day = day.date() if isinstance(day, datetime) else day
    return (day.isoformat() if isinstance(day, date) else day, record["currency"], record["channel_code"])


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_the_same_revenue(books: Bookkeeper, form: str) -> None:
    """Day by day, as added up by hand, in the contract's order."""
    reply = books.get("revenue", format=form)
    assert (reply.status_code, reply.headers["content-type"]) == (200, MEDIA_TYPES[form])
    records = read(reply, form)
    assert {cell(record): record["revenue_cents"] for record in records} == books.days()
    assert [cell(record) for record in records] == sorted(books.days())
    refunds = books.days(lambda credit: credit.booking.kind == "refunded")
    assert {cell(r): r["reversed_cents"] for r in records if r["reversed_cents"]} == {
        key: cents for key, cents in refunds.items() if cents
    }


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_every_allocation(books: Bookkeeper, form: str) -> None:
    """With entry, order, campaign, amount and fallback, the oldest first; in CSV no text is a formula."""
    records = read(books.get("allocations", format=form), form)
    shown = neutral if form == "csv" else str
    assert [
        (r["entry_id"], shown_text(r["order_id"]), r["kind"], instant(r["effective_at"]), r["channel_code"],
         shown_text(r["campaign_id"]), r["allocated_cents"], r["currency"], r["fallback"] or None)
        for r in records
    ] == [
        (str(c.booking.entry_id), shown(c.booking.order_id), c.booking.kind,
         to_millisecond(c.booking.effective_at), c.channel, shown(c.campaign), c.cents, c.booking.currency,
         c.fallback)
        for c in sorted(books.credits, key=_place)
    ]  # fmt: skip


def test_json_is_what_the_contract_says(books: Bookkeeper) -> None:
    """Streams are not checked on their way; the texts that no delivery could bring are left out here."""
    RevenueExport.model_validate(books.get("revenue", format="json").json())
    told = books.get("allocations", format="json").json()
    told["data"] = [row for row in told["data"] if (row["order_id"] + row["campaign_id"]).isprintable()]
    assert {row.fallback for row in AllocationExport.model_validate(told).data} == {"", *FALLBACKS} - {None}


def shown_text(value: str | None) -> str:
    """Return a text as it was written: openpyxl gives empty cells back as None, and CR as it is escaped."""
    return (value or "").replace("_x000D_", "\r")


def instant(value: Any) -> datetime:
    """Return an instant to the millisecond, which is what a spreadsheet holds."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return to_millisecond(at if at.tzinfo else at.replace(tzinfo=UTC))


def to_millisecond(at: datetime) -> datetime:
    nearest = at + timedelta(microseconds=500)
    return nearest.replace(microsecond=nearest.microsecond // 1_000 * 1_000)


def _place(credit: Credit) -> tuple[datetime, UUID, str, str]:
    return (credit.booking.effective_at, credit.booking.entry_id, credit.channel, credit.campaign)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("path", ["revenue", "allocations"])
def test_the_manifest_has_the_digest_and_the_sums_of_what_was_sent(
    books: Bookkeeper, path: str, form: str
) -> None:
    """Digest, length and rows of the very bytes, and sums that are those of the API."""
    reply = books.get(path, format=form)
    manifest = books.manifest(reply)
    assert manifest["status"] == "complete"
    assert manifest["sha256"] == hashlib.sha256(reply.content).hexdigest()
    assert manifest["byte_count"] == len(reply.content)
    assert manifest["row_count"] == len(read(reply, form))
    assert (manifest["dataset"], manifest["format"], manifest["model_version"]) == (path, form, VERSION)
    assert manifest["requested_by"] == str(books.user.user_id)
    report = books.api.send("GET", "/api/attribution/channels", token=books.token).json()
    told = {one.pop("currency"): one for one in manifest["currencies"]}
    assert set(told) == {"EUR", "JPY"}
    for currency in report["currencies"]:
        certain = told[currency["currency"]].pop("channels")
        channels = [(channel["channel_code"], channel["revenue_cents"]) for channel in certain]
        credited = sum(channel["revenue_cents"] for channel in currency["channels"])
        assert told[currency["currency"]] == {
            "ledger_net_cents": currency["ledger_net_cents"],
            "allocated_cents": currency["allocated_cents"],
            "pending_cents": currency["pending_cents"],
            "exported_cents": credited,
        }
        assert channels == [
            (channel["channel_code"], channel["revenue_cents"]) for channel in currency["channels"]
        ]


def test_days_of_the_summaries_are_those_of_the_rows(api: Api, database: Database, tenant: UUID) -> None:
    """In both modes, and channel by channel what the report says."""
    books = Bookkeeper(api, database, tenant)

    def told(mode: str) -> list[Record]:
        records = books.get("revenue", format="json", mode=mode).json()["data"]
        report = api.send("GET", f"/api/attribution/channels?mode={mode}", token=books.token).json()
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for record in records:
            sums[record["currency"], record["channel_code"]] += record["revenue_cents"]
        assert sums == {
            (currency["currency"], channel["channel_code"]): channel["revenue_cents"]
            for currency in report["currencies"]
            for channel in currency["channels"]
        }
        return list(records)

    added_up = [told(mode) for mode in ("cash", "accrual")]
    with tenant_session(tenant, engine=database.engine("app_worker")) as session:
        summaries.rebuild(session, VERSION)
        assert summaries.listed(session) == [VERSION]
    assert [told(mode) for mode in ("cash", "accrual")] == added_up
    assert added_up[0] != added_up[1]


def test_what_is_pending_is_told_before_and_after_the_rows(books: Bookkeeper) -> None:
    """In a header for whoever takes CSV, and in the summary of JSON."""
    pending = {"EUR": 0, "JPY": 0}
    for booking in books.bookings[ENTRIES:]:
        pending[booking.currency] += booking.effect_cents
    reply = books.get("json")
    assert reply.headers["export-pending"] == f"EUR={pending['EUR']}, JPY={pending['JPY']}"
    summary = reply.json()["summary"]
    assert {one["currency"]: one["pending_cents"] for one in summary["currencies"]} == pending
    assert summary["row_count"] == len(reply.json()["data"])


def test_a_file_has_the_name_of_its_snapshots_day(books: Bookkeeper) -> None:
    reply = books.get("revenue", format="ndjson")
    day = books.manifest(reply)["snapshot_at"][:10]
    named = f'attachment; filename="skeldir-export-{day}.ndjson"'
    assert reply.headers["content-disposition"] == named
    assert reply.headers["link"] == f'</api/export/manifests/{reply.headers["export-id"]}>; rel="describedby"'


@pytest.mark.parametrize(("path", "form"), [("csv", "csv"), ("json", "json"), ("excel", "xlsx")])
def test_the_short_paths_are_the_same_file(books: Bookkeeper, path: str, form: str) -> None:
    short, long = books.get(path), books.get("revenue", format=form)
    assert short.headers["content-type"] == long.headers["content-type"]
    assert read(short, form) == read(long, form)


@pytest.mark.parametrize("path", ["revenue", "allocations"])
def test_filters_are_honoured_and_told(books: Bookkeeper, path: str) -> None:
    """Days include both ends in UTC; channels and currency leave the rest out of the rows only."""
    asked = {"start_date": "2026-08-05", "end_date": "2026-08-20", "currency": "JPY"}
    channels = ["tiktok_paid", "email"]
    reply = books.get(path, format="json", model="linear", channels=channels, **asked)
    first, last = date(2026, 8, 5), date(2026, 8, 20)
    expected = books.days(
        lambda credit: (
            first <= credit.booking.effective_at.date() <= last
            and credit.booking.currency == "JPY"
            and credit.channel in channels
        )
    )
    field = "revenue_cents" if path == "revenue" else "allocated_cents"
    assert sum(record[field] for record in reply.json()["data"]) == sum(expected.values())
    if path == "revenue":
        assert {cell(record): record[field] for record in reply.json()["data"]} == expected
    manifest = books.manifest(reply)
    assert manifest["filters"] == {**asked, "channels": channels}
    (total,) = manifest["currencies"]
    assert total["exported_cents"] == sum(expected.values())
    assert total["allocated_cents"] + total["pending_cents"] == total["ledger_net_cents"]
    assert total["allocated_cents"] > total["exported_cents"]
    assert {channel["channel_code"] for channel in total["channels"]} == set(channels)


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_of_nothing_is_a_file_too(books: Bookkeeper, form: str) -> None:
    reply = books.get("revenue", format=form, end_date="2000-01-01")
    assert reply.status_code == 200
    assert read(reply, form) == []
    assert books.manifest(reply)["row_count"] == 0


def test_what_cannot_be_exported_is_a_problem_and_leaves_no_manifest(
    books: Bookkeeper, database: Database
) -> None:
    """Before the first byte everything is still said as ever."""
    with database.connect() as connection:
        count = "SELECT count(*) FROM export_manifests"
        before = connection.execute(count).fetchone()
        for asked, status, field in (
            ({"channels": ["email", "fax"]}, 422, "query.channels"),
            ({"start_date": "2026-02-01", "end_date": "2026-01-01"}, 422, "query.end_date"),
            ({"format": "pdf"}, 400, "query.format"),
            ({"model": "guess"}, 400, "query.model"),
        ):
            reply = books.get("allocations", **asked)
            assert reply.status_code == status
            assert reply.headers["content-type"] == "application/problem+json"
            assert [error["field"] for error in reply.json()["errors"]] == [field]
        head = books.get("allocations", method="HEAD")
        assert (head.status_code, head.content, "export-id" in head.headers) == (200, b"", False)
        assert connection.execute(count).fetchone() == before


def test_another_tenant_sees_neither_rows_nor_manifest(
    books: Bookkeeper, api: Api, make_tenant: Callable[[], UUID]
) -> None:
    """Row-level security is in force where rows leave by a cursor, too."""
    token = log_in(make_user(make_tenant(), "admin")).tokens.access.token
    theirs = api.send("GET", "/api/export/allocations?format=json", token=token)
    assert theirs.json()["data"] == []
    mine = books.get("allocations")
    found = api.send("GET", f"/api/export/manifests/{mine.headers['export-id']}", token=token)
    assert found.status_code == 404
    assert books.get(f"manifests/{uuid7()}").status_code == 404


def test_exports_are_listed_page_by_page_the_newest_first(api: Api, tenant: UUID) -> None:
    """Who exported what can be looked up afterwards."""
    user = make_user(tenant, "viewer")
    token = log_in(user).tokens.access.token
    made = [
        api.send("GET", f"/api/export/{path}", token=token).headers["export-id"]
        for path in ("csv", "json", "excel")
    ]
    listed: list[Record] = []
    asked: Record = {"limit": 2}
    while True:
        page = api.send("GET", "/api/export/manifests", token=token, params=asked).json()
        listed += page["manifests"]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert [one["export_id"] for one in listed] == made[::-1]
    assert {one["requested_by"] for one in listed} == {str(user.user_id)}
    assert [one["format"] for one in listed] == ["xlsx", "json", "csv"]


def test_a_finished_manifest_is_never_changed(books: Bookkeeper, database: Database) -> None:
    """Not even by the service's own role: what is complete is no row that an update finds."""
    export_id = books.get("csv").headers["export-id"]
    with database.engine("app_user").connect() as connection:
        connection.exec_driver_sql(f"BEGIN; SET LOCAL app.current_tenant_id = '{books.tenant_id}'")
        changed = connection.exec_driver_sql(
            "UPDATE export_manifests SET status = 'aborted', finished_at = now(), sha256 = NULL"
            f" WHERE export_id = '{export_id}'"
        )
        assert changed.rowcount == 0
        connection.exec_driver_sql("ROLLBACK")


def test_a_manifest_whose_process_died_is_known_as_aborted(books: Bookkeeper, database: Database) -> None:
    """It is not streaming for ever."""
    export_id = uuid7()
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO export_manifests (tenant_id, export_id, dataset, format, model, model_version,"
            " mode, snapshot_at, ends_at, totals) VALUES (%s, %s, 'revenue', 'csv', 'linear', %s, 'cash',"
            " now() - interval '1 hour', now() - interval '1 minute', '[]')",
            (books.tenant_id, export_id, VERSION),
        )
    assert books.get(f"manifests/{export_id}").json()["status"] == "aborted"
