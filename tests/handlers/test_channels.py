"""The channels contract on the wire: own channels and their life, corrections, the share of the unknown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import count, log_in, make_user

PODCAST = {
    "channel_code": "podcast",
    "channel_name": "Podcasts",
    "family": "audio",
    "is_paid": True,
    "reason": "We buy spots in podcasts.",
}


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def manager(tenant: UUID) -> str:
    return log_in(make_user(tenant, "manager")).tokens.access.token


def ask(api: Api, path: str, token: str, status: int = 200, **query: Any) -> dict[str, Any]:
    reply = api.send("GET", f"/api/channels{path}", token=token, params=query)
    assert reply.status_code == status, reply.text
    body: dict[str, Any] = reply.json()
    return body


def do(api: Api, path: str, token: str, body: object, status: int = 201) -> dict[str, Any]:
    reply = api.send("POST", f"/api/channels{path}", token=token, json=body)
    assert reply.status_code == status, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def move(api: Api, token: str, to_state: str, status: int = 201, code: str = "podcast") -> dict[str, Any]:
    return do(api, f"/{code}/transitions", token, {"to_state": to_state, "reason": "It is time."}, status)


def record(api: Api, token: str, *touches: dict[str, Any]) -> None:
    for start in range(0, len(touches), 1_000):
        batch = {"touchpoints": touches[start : start + 1_000]}
        reply = api.send("POST", "/api/attribution/touchpoints", token=token, json=batch)
        assert reply.status_code == 200, reply.text


def touch(minutes_ago: float = 10, **told: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return {"touchpoint_id": str(uuid4()), "journey_id": "j", "occurred_at": at.isoformat()} | told


def test_a_tenant_s_own_channel_stands_beside_the_shared_ones(
    api: Api, tenant: UUID, manager: str, make_tenant: Callable[[], UUID]
) -> None:
    """It begins as a draft, is listed to its tenant alone, and its life is written down."""
    made = do(api, "", manager, PODCAST)
    assert (made["state"], made["is_own"]) == ("draft", True)
    move(api, manager, "active")
    move(api, manager, "deprecated")
    log = ask(api, "/podcast/transitions", manager)["transitions"]
    assert [(line.get("from_state"), line["to_state"]) for line in log] == [
        ("active", "deprecated"), ("draft", "active"), (None, "draft"),
    ]  # fmt: skip
    assert all(line["reason"] and line["user_id"] for line in log)

    def listed(token: str) -> dict[str, str]:
        reply = api.send("GET", "/api/attribution/taxonomy", token=token).json()
        return {one["channel_code"]: one["state"] for one in reply["channels"] if one["is_own"]}

    assert listed(manager) == {"podcast": "deprecated"}
    other = log_in(make_user(make_tenant(), "manager")).tokens.access.token
    assert listed(other) == {}
    ask(api, "/podcast/transitions", other, 404)
    move(api, other, "archived", 404)
    assert count(tenant, "tenant_channels", "state = 'deprecated'") == 1


def test_what_a_channel_may_not_become_is_a_conflict(api: Api, tenant: UUID, manager: str) -> None:
    """Neither a second one of its code, nor one of the shared taxonomy's, nor a step back."""
    do(api, "", manager, PODCAST)
    do(api, "", manager, PODCAST, 409)
    do(api, "", manager, PODCAST | {"channel_code": "email"}, 409)
    move(api, manager, "archived", 409)
    move(api, manager, "active")
    move(api, manager, "draft", 409)
    move(api, manager, "archived")
    move(api, manager, "active", 409)
    assert count(tenant, "channel_transitions") == 3


@pytest.mark.parametrize("field", ["channel_name", "reason"])
def test_no_word_about_a_channel_names_a_person(api: Api, tenant: UUID, manager: str, field: str) -> None:
    """The problem names the field and does not repeat the value."""
    problem = do(api, "", manager, PODCAST | {field: "as jane@example.org asked"}, 422)
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        (f"body.{field}", "personal_data")
    ]
    assert "jane" not in str(problem)
    assert count(tenant, "tenant_channels") == 0


def test_only_managers_change_channels(api: Api, tenant: UUID) -> None:
    """A viewer reads them."""
    viewer = log_in(make_user(tenant, "viewer")).tokens.access.token
    do(api, "", viewer, PODCAST, 403)
    do(
        api,
        "/corrections",
        viewer,
        {"touchpoint_id": str(uuid4()), "to_channel": "email", "reason": "r"},
        403,
    )
    assert ask(api, "/corrections", viewer) == {"corrections": [], "next_cursor": None}


def test_a_correction_is_written_down_and_marks_its_journey(api: Api, tenant: UUID, manager: str) -> None:
    """Who, when, from what, to what and why; the next one starts from there; the list is paged."""
    sent = touch(utm_source="partnerx", utm_medium="cpc")
    record(api, manager, sent)
    marks = count(tenant, "dirty_marks")
    about = {"touchpoint_id": sent["touchpoint_id"], "reason": "The printed letter."}
    first = do(api, "/corrections", manager, about | {"to_channel": "email"})
    assert (first["from_channel"], first["to_channel"], first["reason"]) == (
        "unknown",
        "email",
        about["reason"],
    )
    assert first["user_id"]
    second = do(api, "/corrections", manager, about | {"to_channel": "referral"})
    assert (second["from_channel"], second["to_channel"]) == ("email", "referral")
    assert count(tenant, "dirty_marks", "journey_id = 'j'") == marks + 2
    page = ask(api, "/corrections", manager, limit=1)
    assert page["corrections"] == [second]
    rest = ask(api, "/corrections", manager, limit=1, cursor=page["next_cursor"])
    assert rest == {"corrections": [first], "next_cursor": None}


def test_a_correction_names_a_touch_an_active_channel_and_a_reason(
    api: Api, tenant: UUID, manager: str
) -> None:
    """Whatever is missing is refused by name, and nothing is kept."""
    sent = touch(utm_source="partnerx")
    record(api, manager, sent)
    do(api, "", manager, PODCAST)
    whole = {"touchpoint_id": sent["touchpoint_id"], "to_channel": "email", "reason": "A letter."}
    refused = do(api, "/corrections", manager, whole | {"to_channel": "podcast"}, 422)
    assert [(error["field"], error["code"]) for error in refused["errors"]] == [
        ("body.to_channel", "channel_not_active")
    ]
    do(api, "/corrections", manager, whole | {"reason": " "}, 400)
    do(api, "/corrections", manager, {name: whole[name] for name in ("touchpoint_id", "to_channel")}, 400)
    do(api, "/corrections", manager, whole | {"order_id": "1"}, 400)
    do(api, "/corrections", manager, {"to_channel": "email", "reason": "r"}, 400)
    do(api, "/corrections", manager, whole | {"touchpoint_id": str(uuid4())}, 404)
    do(api, "/corrections", manager, {"order_id": "none", "to_channel": "email", "reason": "r"}, 404)
    assert count(tenant, "channel_corrections") == 0


@pytest.mark.parametrize(
    ("unknown", "known", "level"),
    [(5, 95, "ok"), (51, 949, "warning"), (10, 90, "warning"), (101, 899, "error"), (0, 0, "ok")],
)
def test_the_share_of_unknown_touches_is_judged_at_its_borders(
    api: Api, manager: str, unknown: int, known: int, level: str
) -> None:
    """Exactly 5 % is fine, exactly 10 % a warning; only the last seven days count."""
    odd = {"utm_source": "partnerx", "utm_medium": "cpc"}
    week = 7 * 24 * 60
    record(
        api,
        manager,
        *(touch(2_000 + number, **odd) for number in range(unknown)),
        *(touch(2_000 + number, utm_source="google") for number in range(known)),
        *(touch(week + 60, **odd) for _ in range(20)),
    )
    share = ask(api, "/unknown-share", manager)
    assert (share["unknown_count"], share["touch_count"], share["level"]) == (unknown, unknown + known, level)
    assert share["unknown_share_ppm"] == (unknown * 1_000_000 // (unknown + known) if unknown else 0)


@pytest.mark.parametrize(("number", "level"), [(100, "ok"), (101, "warning")])
def test_a_source_that_nobody_can_tell_apart_stands_out(
    api: Api, manager: str, number: int, level: str
) -> None:
    """More than 100 within 24 hours, in any case of letters; what is older does not count for that."""
    record(
        api,
        manager,
        *(touch(5, utm_source="PartnerX" if n % 2 else "partnerx", utm_medium="cpc") for n in range(number)),
        *(touch(25 * 60, utm_source="partnerx", utm_medium="cpc") for _ in range(30)),
        *(touch(25 * 60, utm_source="elsewhere", utm_medium="cpc") for _ in range(200)),
        touch(5, click_id="fbclid"),
    )
    found = ask(api, "/unknown-share", manager)["sources"]
    by_source = {one.get("source", "").lower(): one for one in found}
    assert by_source["partnerx"]["touch_count"] == number + 30
    assert by_source["partnerx"]["day_count"] == number
    assert by_source["partnerx"]["level"] == level
    assert by_source["elsewhere"]["level"] == "ok"
    assert by_source[""]["touch_count"] == 1
    assert found[0]["source"].lower() == ("partnerx" if level == "warning" else "elsewhere")


def test_a_touch_keeps_what_it_can_be_classified_by_again(api: Api, tenant: UUID, manager: str) -> None:
    """The name of the click identifier and of the host; of an address in its place nothing but that."""
    known = touch(click_id="li_fat_id", referrer_host="Www.LinkedIn.com")
    record(api, manager, known, touch(referrer_host="203.0.113.77"))
    told = "channel_code = 'linkedin_paid' AND click_id = 'li_fat_id' AND referrer_host = 'www.linkedin.com'"
    assert count(tenant, "touchpoints", told) == 1
    assert (
        count(tenant, "touchpoints", "channel_code = 'referral' AND referrer_host = 'address.invalid'") == 1
    )
    other = known | {"click_id": "gclid"}
    reply = api.send(
        "POST", "/api/attribution/touchpoints", token=manager, json={"touchpoints": [known, other]}
    )
    assert reply.json()["conflicts"] == [known["touchpoint_id"]]
