"""Mapping rules on the wire: dry run first, then in force, and everything as if they had always been."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.domain.channel_rules import Rule
from skeldir.domain.models import TAXONOMY_VERSION
from skeldir.repository import channel_rules, channels
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.mapping import WINDOW, MappedShop, told
from tests.identity import count, log_in, make_user
from workers.recomputing import recompute_window

EARLIER: list[dict[str, str]] = [{"source": "google", "channel_code": "email"}]
RULES: list[dict[str, str]] = [
    {"source": "google", "campaign": "bra*", "channel_code": "podcast"},
    {"source": "partner*", "medium": "*", "channel_code": "podcast"},
    {"referrer_host": "*.partner.example", "channel_code": "podcast"},
    {"click_id": "li_fat_id", "channel_code": "linkedin_paid"},
    {"source": "*x", "channel_code": "email"},
]


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api, database: Database) -> MappedShop:
    return MappedShop(api, database)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_order_of_arrival_all_is_as_if_the_rules_had_always_been(
    api: Api, database: Database, seed: int
) -> None:
    """Touches, orders, refunds, rules, corrections and runs in any order; the same cents by every model."""
    touches, orders = told(seed, 20)
    chance = random.Random(seed)
    first, second = MappedShop(api, database), MappedShop(api, database)
    corrected = touches[chance.randrange(len(touches))]["touchpoint_id"]
    hinted = next(str(order["id"]) for order in orders if len(order["note_attributes"]) > 1)

    first.put(RULES)
    first.touch(*touches)
    for order in orders:
        first.order(order)
    for order in orders[::3]:
        first.refund(order)
    first.correct("referral", touchpoint_id=corrected)
    first.correct("tiktok_paid", order_id=hinted)
    first.drain()

    steps: list[tuple[Any, ...]] = [(second.touch, touch) for touch in touches]
    steps += [(second.order, order) for order in orders]
    steps += [(second.refund, order) for order in orders[::3]]
    steps += [(second.attribute,)] * 3 + [(second.walk,)] * 2
    chance.shuffle(steps)
    half = len(steps) // 2
    for step, *arguments in [*steps[:half], (second.put, EARLIER), *steps[half:-5]]:
        step(*arguments)
    second.put(RULES)
    for step, *arguments in steps[-5:]:
        step(*arguments)
    second.correct("email", touchpoint_id=corrected)
    second.correct("tiktok_paid", order_id=hinted)
    second.attribute()
    second.correct("referral", touchpoint_id=corrected)
    second.drain()

    assert second.channels() == first.channels()
    assert second.allocations() == first.allocations()
    assert dict(first.channels())[corrected] == "referral"
    assert dict(first.channels())[hinted] == "tiktok_paid"
    assert {"podcast", "linkedin_paid"} <= {row[4] for row in first.allocations()}


def test_a_result_names_the_rules_and_corrections_it_was_computed_with(shop: MappedShop) -> None:
    """explainFingerprint: as the run found them, and not as they became afterwards."""
    touches, orders = told(3, 4)
    shop.touch(*touches)
    for order in orders:
        shop.order(order)
    shop.put(RULES)
    shop.correct("email", touchpoint_id=str(touches[0]["touchpoint_id"]))
    shop.drain()
    job_id = recompute(shop)
    shop.put(RULES[:1])
    explained = shop.send("GET", f"/api/attribution/recompute-jobs/{job_id}/explanation")
    names = ("taxonomy_version", "rule_set_version", "correction_count", "settings_version")
    assert [explained[name] for name in names] == [TAXONOMY_VERSION, 1, 1, 0]


def test_a_result_names_no_rules_that_are_not_applied_to_all_touches_yet(shop: MappedShop) -> None:
    """explainFingerprint: rules in force count when what was stored before them is classified by them."""
    touches, orders = told(3, 10)
    shop.touch(*touches)
    for order in orders:
        shop.order(order)
    shop.drain()
    shop.put(RULES)
    for is_applied in (False, True):
        if is_applied:
            shop.drain()
        job_id = recompute(shop)
        explained = shop.send("GET", f"/api/attribution/recompute-jobs/{job_id}/explanation")
        assert explained["rule_set_version"] == int(is_applied)
        assert ("podcast" in {row[4] for row in shop.allocations()}) == is_applied


def recompute(shop: MappedShop) -> str:
    """Recompute everything under the linear model; return the job's id."""
    job = {"model": "linear", "window_start": "2026-07-01T00:00:00Z", "window_end": "2026-12-01T00:00:00Z"}
    job_id = str(shop.send("POST", "/api/attribution/recompute-jobs", job, 202)["job_id"])
    arguments = {"tenant_id": str(shop.tenant_id), "job_id": job_id}
    recompute_window.apply(kwargs=arguments, task_id=str(uuid4()), throw=True)
    return job_id


def test_a_dry_run_tells_what_applying_then_does(shop: MappedShop) -> None:
    """Touches by old and new channel, and revenue to the cent; it changes nothing itself."""
    touches, orders = told(3, 25)
    shop.touch(*touches)
    for order in orders:
        shop.order(order)
    for order in orders[::4]:
        shop.refund(order)
    shop.drain()
    before, channels = shop.report(), dict(shop.channels())
    everything = shop.shop.everything()

    dry = shop.dry_run(RULES)

    assert shop.shop.everything() == everything
    assert dry["touch_count"] == len(channels)
    body = {"based_on_version": 0, "rules": RULES, "dry_run_token": dry["dry_run_token"], "reason": "r"}
    shop.send("PUT", "/api/channel-rules", body)
    shop.drain()
    after = shop.report()
    changed = Counter((channels[key], new) for key, new in shop.channels() if channels[key] != new)
    moves = {(move["from_channel"], move["to_channel"]): move for move in dry["moves"]}
    assert {pair: move["touch_count"] for pair, move in moves.items()} == changed
    assert dry["changed_count"] == changed.total() > 0
    deltas = {
        (total["channel_code"], total["currency"]): total["after_cents"] - total["before_cents"]
        for total in dry["totals"]
    }
    for key in before.keys() | after.keys() | deltas.keys():
        assert after.get(key, 0) - before.get(key, 0) == deltas.get(key, 0), key
    gained = Counter[str]()
    for move in moves.values():
        for moved in move["revenue"]:
            gained[moved["currency"]] += moved["revenue_cents"]
    news = {pair[1] for pair in changed} - {pair[0] for pair in changed}
    for currency in ("EUR", "USD"):
        totals = [one for one in dry["totals"] if one["currency"] == currency]
        assert sum(one["before_cents"] for one in totals) == sum(one["after_cents"] for one in totals)
    podcast = {
        one["currency"]: one["after_cents"] for one in dry["totals"] if one["channel_code"] == "podcast"
    }
    assert "podcast" in news
    assert podcast == {
        currency: sum(
            moved["revenue_cents"]
            for pair, move in moves.items()
            if pair[1] == "podcast"
            for moved in move["revenue"]
            if moved["currency"] == currency
        )
        for currency in podcast
    }


def test_rules_come_in_force_only_as_a_dry_run_showed_them(shop: MappedShop) -> None:
    """Other rules, another version or another tenant's token are refused, and nothing is kept."""
    dry = shop.dry_run(RULES)
    body = {"based_on_version": 0, "rules": RULES, "dry_run_token": dry["dry_run_token"], "reason": "r"}
    for changes in ({"rules": RULES[:1]}, {"dry_run_token": "bm9uZQ"}, {"rules": RULES[::-1]}):
        problem = shop.send("PUT", "/api/channel-rules", body | changes, 422)
        assert [(one["field"], one["code"]) for one in problem["errors"]] == [
            ("body.dry_run_token", "no_dry_run")
        ]
    other = MappedShop(shop.api, shop.database)
    other.send("PUT", "/api/channel-rules", body, 422)
    assert count(shop.tenant_id, "channel_rule_sets") == count(other.tenant_id, "channel_rule_sets") == 0
    assert shop.send("PUT", "/api/channel-rules", body)["version"] == 1
    shop.send("PUT", "/api/channel-rules", body, 409)
    shop.send("POST", "/api/channel-rules/dry-runs", {"based_on_version": 0, "rules": []} | WINDOW, 409)


def test_every_version_of_the_rules_can_be_read_again(shop: MappedShop) -> None:
    """Who made it, when and why; the one in force says how far it is applied."""
    assert shop.send("GET", "/api/channel-rules") == {
        "version": 0, "mapping_version": f"{TAXONOMY_VERSION}.0", "rules": [],
        "reclassification": {"status": "waiting", "touch_count": 0, "changed_count": 0},
    }  # fmt: skip
    shop.put(EARLIER)
    shop.put(RULES)
    shop.put([])
    shop.drain()
    found = shop.send("GET", "/api/channel-rules?version=2")
    assert (found["version"], found["rules"]) == (2, RULES)
    assert found["user_id"]
    assert "reclassification" not in found
    in_force = shop.send("GET", "/api/channel-rules")
    assert (in_force["version"], in_force["rules"]) == (3, [])
    assert in_force["reclassification"]["status"] == "completed"
    with tenant_session(shop.tenant_id) as session:
        assert channel_rules.version(session) == in_force["mapping_version"] == f"{TAXONOMY_VERSION}.3"
    page = shop.send("GET", "/api/channel-rule-sets?limit=2")
    rest = shop.send("GET", f"/api/channel-rule-sets?limit=2&cursor={page['next_cursor']}")
    told_of = [(one["version"], one["rule_count"]) for one in page["rule_sets"] + rest["rule_sets"]]
    assert told_of == [(3, 0), (2, len(RULES)), (1, 1)]
    assert rest["next_cursor"] is None
    shop.send("GET", "/api/channel-rules?version=4", status=404)


def test_of_two_who_replace_the_rules_at_once_one_wins(shop: MappedShop) -> None:
    """The other, who based his on the same version, is told so; neither list is mixed with the other."""
    lists = [[Rule("email", source="one")], [Rule("referral", source="two"), Rule("email", source="three")]]
    started = threading.Barrier(2)

    def put(rules: list[Rule]) -> bool:
        with tenant_session(shop.tenant_id) as session:
            assert channel_rules.newest(session) == 0
            started.wait(timeout=30)
            return channel_rules.put(session, 0, rules, None, "because") is not None

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(put, lists))
    assert sorted(done) == [False, True]
    with tenant_session(shop.tenant_id) as session:
        in_force = channel_rules.current(session)
    assert (in_force.version, list(in_force.rules)) == (1, lists[done.index(True)])


def test_a_campaign_s_number_is_no_personal_data(shop: MappedShop) -> None:
    """Even one that could be a card's."""
    shop.put([{"campaign": "4111111111111111", "channel_code": "podcast"}])


@pytest.mark.parametrize(
    ("rule", "status", "fault"),
    [
        ({"channel_code": "podcast"}, 400, None),
        ({"channel_code": "podcast", "source": "a*b"}, 400, None),
        ({"channel_code": "podcast", "source": "**"}, 400, None),
        ({"channel_code": "podcast", "click_id": "nonesuch"}, 400, None),
        ({"channel_code": "elsewhere", "source": "a"}, 422, ("channel_code", "channel_not_active")),
        ({"channel_code": "podcast", "source": "jane@example.org"}, 422, ("source", "personal_data")),
    ],
)
def test_a_rule_that_could_not_be_meant_is_refused_by_name(
    shop: MappedShop, rule: dict[str, str], status: int, fault: tuple[str, str] | None
) -> None:
    """Its place in the list is told."""
    body = {"based_on_version": 0, "rules": [RULES[0], rule]} | WINDOW
    problem = shop.send("POST", "/api/channel-rules/dry-runs", body, status)
    if fault:
        assert [(one["field"], one["code"]) for one in problem["errors"]] == [
            (f"body.rules.1.{fault[0]}", fault[1])
        ]


def test_a_window_of_a_dry_run_is_bounded(shop: MappedShop) -> None:
    """92 days, and not backwards."""
    body: dict[str, Any] = {"based_on_version": 0, "rules": RULES, "window_start": "2026-08-31T00:00:00Z"}
    shop.send("POST", "/api/channel-rules/dry-runs", body | {"window_end": "2026-12-01T00:00:00Z"})
    shop.send("POST", "/api/channel-rules/dry-runs", body | {"window_end": "2026-12-01T00:00:01Z"}, 422)
    shop.send("POST", "/api/channel-rules/dry-runs", body | {"window_end": "2026-08-31T00:00:00Z"}, 422)


def test_a_channel_that_rules_lead_to_stays_active(shop: MappedShop) -> None:
    """Until other rules are in force; a viewer changes neither."""
    shop.put(RULES)
    archive = ("POST", "/api/channels/podcast/transitions", {"to_state": "archived", "reason": "r"})
    shop.send(*archive, 409)
    viewer = log_in(make_user(shop.tenant_id, "viewer")).tokens.access.token
    body = {"based_on_version": 1, "rules": []} | WINDOW
    reply = shop.api.send("POST", "/api/channel-rules/dry-runs", token=viewer, json=body)
    assert reply.status_code == 403
    shop.put([])
    shop.send(*archive, 201)


@pytest.mark.parametrize("what", ["rules", "correction"])
def test_a_channel_that_is_being_retired_takes_nothing_more(shop: MappedShop, what: str) -> None:
    """Who names it waits until the other's transaction has ended, and is then told what it became."""
    touches, _ = told(3, 1)
    shop.touch(*touches)
    rules = [{"source": "x", "channel_code": "podcast"}]
    dry = shop.dry_run(rules, window_start="2026-11-01T00:00:00Z", window_end="2026-11-01T00:00:01Z")
    put = {"rules": rules, "based_on_version": 0, "dry_run_token": dry["dry_run_token"], "reason": "r"}
    correction = {"to_channel": "podcast", "reason": "r", "touchpoint_id": str(touches[0]["touchpoint_id"])}
    asked = {
        "rules": ("PUT", "/api/channel-rules", put, "body.rules.0.channel_code"),
        "correction": ("POST", "/api/channels/corrections", correction, "body.to_channel"),
    }
    method, path, body, field = asked[what]
    with ThreadPoolExecutor(1) as other:
        with tenant_session(shop.tenant_id) as session:
            channels.transition(session, "podcast", "active", "archived", None, "gone")
            answer = other.submit(shop.send, method, path, body, 422)
            shop.database.wait_for_lock()
        assert answer.result(timeout=30)["errors"][0]["field"] == field


def test_rules_and_corrections_of_one_tenant_are_none_of_another(api: Api, database: Database) -> None:
    """The same touches, told by two tenants, keep their own channels."""
    mine, theirs = MappedShop(api, database), MappedShop(api, database)
    touches, _ = told(4, 10)
    for one in (mine, theirs):
        one.touch(*touches)
    mine.put([{"source": "*", "channel_code": "podcast"}])
    mine.correct("email", touchpoint_id=touches[0]["touchpoint_id"])
    before = theirs.channels()
    mine.drain()
    theirs.drain()
    assert theirs.channels() == before
    assert theirs.send("GET", "/api/channel-rules")["version"] == 0
    assert mine.channels() != before
    assert UUID(touches[0]["touchpoint_id"])
