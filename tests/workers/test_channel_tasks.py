"""The tasks that apply channel mappings: resumable, never ahead of what is attributed, never behind it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from skeldir.db.session import lookup_session, tenant_session
from skeldir.domain.channel_rules import Rule
from skeldir.domain.journeys import Touch
from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.repository import (
    channel_corrections,
    channel_rules,
    dirty_marks,
    erasures,
    reclassification,
    tenants,
    touchpoints,
)
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, World
from tests.workers.attributing import request_window, run
from workers import attribution, channels, recomputing

NOON = worlds.START.replace(hour=12)
PARTNER = Rule("referral", source="partner*")
SALE = World([], [Sale("o", "j-0", NOON)], [Booking(UUID(int=1), "o", "captured", 900, NOON)])


def put(tenant: UUID, *rules: Rule) -> None:
    with tenant_session(tenant) as session:
        assert channel_rules.put(session, channel_rules.newest(session), rules, None, "because")


def record(tenant: UUID, number: int = 5, source: str = "partnerx") -> list[Touch]:
    """Record touches of as many journeys, by the built-in table, and mark them as long ago as needed."""
    told = [
        Touch(uuid4(), f"j-{n}", NOON - timedelta(hours=1), "unknown", source=source, medium="cpc")
        for n in range(number)
    ]
    with tenant_session(tenant) as session:
        touchpoints.record(session, told)
        dirty_marks.mark(session, {touch.journey_id: touch.occurred_at for touch in told})
    return told


def rest(database: Database, tenant: UUID) -> None:
    """Let the marks have rested."""
    with database.connect() as connection:
        connection.execute(
            "UPDATE dirty_marks SET marked_at = marked_at - interval '1 hour' WHERE tenant_id = %s", [tenant]
        )


def counted(database: Database, tenant: UUID, what: str) -> int:
    with database.connect() as connection:
        row = connection.execute(f"SELECT count(*) FROM {what} AND tenant_id = %s", [tenant]).fetchone()
    assert row is not None
    return int(row[0])


def referrals(database: Database, tenant: UUID) -> int:
    return counted(database, tenant, "touchpoints WHERE channel_code = 'referral'")


def forget_marks(database: Database, tenant: UUID) -> None:
    with database.connect() as connection:
        connection.execute("DELETE FROM dirty_marks WHERE tenant_id = %s", [tenant])


def test_a_walk_goes_on_from_where_it_is_and_marks_what_it_changes(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps of a row or two, by as many messages as it takes; a message more changes nothing."""
    monkeypatch.setattr(channels, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(channels, "ROWS_MAX", 2)
    record(tenant, 5)
    record(tenant, 2, "elsewhere")
    forget_marks(database, tenant)
    put(tenant, PARTNER)
    seen = []
    while (done := run(channels.reclassify_touches, tenant_id=tenant))["touches"]:
        seen.append(done)
        assert len(seen) < 20
    assert sum(done["touches"] for done in seen) == 7
    assert sum(done["changed"] for done in seen) == 5
    assert len(seen) >= 4
    assert referrals(database, tenant) == 5
    assert counted(database, tenant, "dirty_marks WHERE true") == 5
    assert run(channels.reclassify_touches, tenant_id=tenant) == {"touches": 0, "changed": 0}


def test_rules_that_change_under_way_make_another_walk(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins from the start, and what the first had changed is changed back."""
    monkeypatch.setattr(channels, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(channels, "ROWS_MAX", 2)
    record(tenant, 5)
    put(tenant, PARTNER)
    run(channels.reclassify_touches, tenant_id=tenant)
    assert 0 < referrals(database, tenant) < 5
    put(tenant)
    while run(channels.reclassify_touches, tenant_id=tenant)["touches"]:
        pass
    assert referrals(database, tenant) == 0


def test_no_journey_is_attributed_by_rules_of_the_past(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A touch that came after the marked journeys were classified keeps its journey marked."""
    with database.connect() as connection:
        worlds.store(connection, tenant, SALE)
    put(tenant, PARTNER)
    record(tenant, 1)
    rest(database, tenant)
    with monkeypatch.context() as late:
        late.setattr(attribution, "classify_marked", lambda *_: None)
        run(attribution.attribute_marked, tenant_id=tenant)
    assert counted(database, tenant, "allocations WHERE true") == 0
    assert counted(database, tenant, "dirty_marks WHERE journey_id = 'j-0'") == 1
    rest(database, tenant)
    run(attribution.attribute_marked, tenant_id=tenant)
    assert counted(database, tenant, "dirty_marks WHERE true") == 0
    assert counted(database, tenant, "allocations WHERE channel_code = 'referral'") > 0
    assert counted(database, tenant, "allocations WHERE channel_code = 'unknown'") == 0


def test_a_window_leaves_out_the_orders_whose_touches_are_not_classified_yet(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that was never computed: whoever takes their marks attributes them."""
    other = World([], [Sale("p", "k", NOON)], [Booking(UUID(int=2), "p", "captured", 500, NOON)])
    with database.connect() as connection:
        worlds.store(connection, tenant, SALE)
        worlds.store(connection, tenant, other)
    put(tenant, PARTNER)
    record(tenant, 1)
    job = request_window(tenant)
    with monkeypatch.context() as late:
        late.setattr(recomputing, "classify_marked", lambda *_: None)
        assert run(recomputing.recompute_window, tenant_id=tenant, job_id=job.job_id)["orders"] == 1
    assert counted(database, tenant, "allocations WHERE order_id = 'o'") == 0
    assert counted(database, tenant, "dirty_marks WHERE journey_id = 'j-0'") == 1
    request_window(tenant)
    assert run(recomputing.recompute_window, tenant_id=tenant, job_id=job.job_id)["outcome"] == "computed"
    assert counted(database, tenant, "allocations WHERE order_id = 'o' AND channel_code = 'referral'") > 0
    assert counted(database, tenant, "allocations WHERE channel_code = 'unknown'") == 0


def test_a_correction_holds_whatever_rules_say_later(database: Database, tenant: UUID) -> None:
    """The last one of a touch, before a walk, after it, and after another."""
    first, second, *_ = record(tenant, 3)
    with tenant_session(tenant) as session:
        for touch, channel in ((first, "email"), (second, "email"), (second, "organic")):
            found = channel_corrections.recorded_touch(session, touch.touchpoint_id)
            assert found is not None
            channel_corrections.add(session, found, channel, None, "because")
    for rules in ((PARTNER,), (), (Rule("linkedin_paid", source="*"),)):
        put(tenant, *rules)
        run(channels.reclassify_touches, tenant_id=tenant)
        with tenant_session(tenant) as session:
            kept = [channel_corrections.recorded_touch(session, one.touchpoint_id) for one in (first, second)]
        assert [one and one.channel_code for one in kept] == ["email", "organic"]
    assert counted(database, tenant, "touchpoints WHERE channel_code = 'linkedin_paid'") == 1


def test_an_order_that_hints_at_something_else_meanwhile_is_not_given_the_old_channel(
    database: Database, tenant: UUID
) -> None:
    """The channel is written only beside the origin that it was found by."""
    with database.connect() as connection:
        worlds.store(connection, tenant, SALE)
        connection.execute(
            "UPDATE orders SET hint_touchpoint_id = gen_random_uuid(), hint_source = 'partnerx',"
            " hint_channel_code = 'unknown' WHERE tenant_id = %s",
            [tenant],
        )
    put(tenant, PARTNER)
    worker = database.engine("app_worker")
    with tenant_session(tenant, engine=worker) as session:
        changes = reclassification.wrong(session, reclassification.mapping_in_force(session), ["j-0"])
        assert [change.channel_code for change in changes] == ["referral"]
        with database.connect() as connection:
            connection.execute(
                "UPDATE orders SET hint_source = 'google', hint_channel_code = 'organic'"
                " WHERE tenant_id = %s",
                [tenant],
            )
        reclassification.apply(session, changes)
    assert counted(database, tenant, "orders WHERE hint_channel_code = 'organic'") == 1


CLASSIFY = {
    "a walk": lambda session: reclassification.step(session, 100),
    "what is marked": lambda session: reclassification.classify_marked(session, ""),
}


@pytest.mark.parametrize("what", CLASSIFY)
def test_a_touch_that_is_erased_meanwhile_is_classified_under_its_pseudonym(
    database: Database, tenant: UUID, what: str
) -> None:
    """An erasure that has begun is waited for; no name that it takes away comes back in a mark."""
    with database.connect() as connection:
        worlds.store(connection, tenant, SALE)
    put(tenant, PARTNER)
    record(tenant, 1)
    worker = database.engine("app_worker")

    def classify() -> None:
        with tenant_session(tenant, engine=worker) as session:
            CLASSIFY[what](session)

    with ThreadPoolExecutor(1) as other:
        with tenant_session(tenant, engine=worker) as session:
            assert erasures.erase(session, ["o"], [])["touchpoints"] == 1
            done = other.submit(classify)
            database.wait_for_lock()
        done.result(timeout=30)
    assert referrals(database, tenant) == 1
    for table in ("touchpoints", "dirty_marks"):
        assert counted(database, tenant, f"{table} WHERE starts_with(journey_id, 'erased:')") >= 1
        assert counted(database, tenant, f"{table} WHERE journey_id = 'j-0'") == 0


def test_an_erasure_waits_until_what_was_read_is_classified(database: Database, tenant: UUID) -> None:
    """So the marks that follow are there to be given the pseudonym."""
    worker = database.engine("app_worker")
    with ThreadPoolExecutor(1) as other, tenant_session(tenant) as reader:
        reclassification.lock(reader)

        def erase() -> None:
            with tenant_session(tenant, engine=worker) as session:
                erasures.erase(session, ["o"], [])

        done = other.submit(erase)
        database.wait_for_lock()
        assert not done.done()
        reader.rollback()
        done.result(timeout=30)


def test_a_touch_of_which_nothing_is_told_keeps_its_channel(database: Database, tenant: UUID) -> None:
    """There is nothing to tell it by."""
    with tenant_session(tenant) as session:
        touchpoints.record(session, [Touch(uuid4(), "j", NOON, "email")])
    put(tenant, Rule("referral", source="*"))
    run(channels.reclassify_touches, tenant_id=tenant)
    assert counted(database, tenant, "touchpoints WHERE channel_code = 'email'") == 1


def test_who_is_behind_is_found_until_the_walk_is_over(
    database: Database, make_tenant: Callable[[], UUID]
) -> None:
    """A fresh tenant, one with other rules, and everybody when the built-in table is another."""
    one, other = make_tenant(), make_tenant()

    def behind(taxonomy_version: int = TAXONOMY_VERSION) -> set[UUID]:
        with lookup_session(engine=database.engine("app_worker")) as session:
            return {one, other} & set(tenants.to_reclassify(session, taxonomy_version))

    assert behind() == {one, other}
    run(channels.reclassify_touches, tenant_id=one)
    assert behind() == {other}
    put(one, PARTNER)
    assert behind() == {one, other}
    for tenant_id in (one, other):
        run(channels.reclassify_touches, tenant_id=tenant_id)
    assert behind() == set()
    assert behind(TAXONOMY_VERSION + 1) == {one, other}
