"""The models contract on the wire: settings that are chosen, fits that are listed, models side by side."""

from typing import Any
from uuid import UUID

import pytest

from skeldir.app import create_app
from skeldir.domain.models import MODELS
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import count, log_in, make_user
from tests.repository import attribution_world as worlds
from tests.workers.backfilling import captures, fill, run, tell
from workers.attribution import attribute_marked
from workers.models import refit_models

CHOICE = {
    "default_model": "time_decay",
    "lookback_days": 14,
    "half_life_days": 3,
    "position_weights": {"first_percent": 30, "middle_percent": 40, "last_percent": 30},
    "markov_order": 2,
    "custom_weights": [{"channel_code": "email", "weight": 3}, {"channel_code": "organic", "weight": 0}],
}


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def viewer(tenant: UUID) -> str:
    return log_in(make_user(tenant, "viewer")).tokens.access.token


@pytest.fixture
def manager(tenant: UUID) -> str:
    return log_in(make_user(tenant, "manager")).tokens.access.token


def get(api: Api, path: str, token: str, **query: Any) -> dict[str, Any]:
    reply = api.send("GET", f"/api/attribution/{path}", token=token, params=query)
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


def choose(api: Api, token: str, status: int = 200, **changes: Any) -> dict[str, Any]:
    reply = api.send("PUT", "/api/attribution/settings", token=token, json=CHOICE | changes)
    assert reply.status_code == status, reply.text
    body: dict[str, Any] = reply.json()
    return body


def test_settings_are_chosen_and_shown(api: Api, tenant: UUID, viewer: str, manager: str) -> None:
    """SetAttributionSettings makes a version, which getAttributionSettings shows with every model's own."""
    before = get(api, "settings", viewer)
    assert (before["settings_version"], before["default_model"]) == (0, "linear")
    chosen = choose(api, manager)
    assert chosen == get(api, "settings", viewer)
    assert {name: chosen[name] for name in CHOICE} == CHOICE
    assert chosen["settings_version"] == 1
    versions = {one["model"]: one["model_version"] for one in chosen["models"]}
    assert list(versions) == list(MODELS)
    assert versions["time_decay"] == "time_decay.1+14d+3hl"
    assert count(tenant, "attribution_settings", "set_by IS NOT NULL") == 1


def test_the_same_choice_again_is_none(api: Api, tenant: UUID, manager: str) -> None:
    """No further version, and nothing attributed anew; a difference of one weight is a choice."""
    assert choose(api, manager)["settings_version"] == 1
    fill(tenant)
    again = choose(api, manager)
    assert again["settings_version"] == 1
    assert all(one["is_complete"] for one in again["models"])
    weights = [{"channel_code": "email", "weight": 4}]
    other = choose(api, manager, custom_weights=weights)
    assert other["settings_version"] == 2
    assert [one["model"] for one in other["models"] if not one["is_complete"]] == ["custom"]
    assert count(tenant, "attribution_backfills", "completed_at IS NULL AND model = 'custom'") == 1


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        (
            {"position_weights": {"first_percent": 40, "middle_percent": 40, "last_percent": 40}},
            ("body.position_weights", "not_a_hundred"),
        ),
        (
            {"custom_weights": [{"channel_code": "nowhere", "weight": 1}]},
            ("body.custom_weights.0.channel_code", "unknown_channel"),
        ),
        (
            {"custom_weights": [{"channel_code": "email", "weight": weight} for weight in (1, 2)]},
            ("body.custom_weights.1.channel_code", "duplicate"),
        ),
        ({"default_model": "custom", "custom_weights": []}, ("body.default_model", "no_weights")),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(
    api: Api, tenant: UUID, manager: str, changes: dict[str, Any], refused: tuple[str, str]
) -> None:
    """422, naming the field; nothing is kept."""
    refusal = choose(api, manager, 422, **changes)
    assert [(error["field"], error["code"]) for error in refusal["errors"]] == [refused]
    assert count(tenant, "attribution_settings") == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("lookback_days", 91), ("lookback_days", 0), ("half_life_days", 0), ("markov_order", 4)],
)
def test_a_choice_out_of_bounds_is_refused(api: Api, manager: str, field: str, value: int) -> None:
    """400, naming the field."""
    refusal = choose(api, manager, 400, **{field: value})
    assert [error["field"] for error in refusal["errors"]] == [f"body.{field}"]


def test_only_managers_choose(api: Api, tenant: UUID, viewer: str) -> None:
    """A viewer may look and neither set nor refit."""
    assert choose(api, viewer, 403)["code"] == "forbidden"
    assert api.send("POST", "/api/attribution/model-fits", token=viewer).status_code == 403
    assert count(tenant, "attribution_settings") == 0


def test_reads_follow_the_default_model(
    api: Api, database: Database, tenant: UUID, viewer: str, manager: str
) -> None:
    """Who names no model gets the tenant's own, in getChannelAttribution and listAllocations."""
    world = captures(41, journeys=10)
    tell(database, tenant, world)
    choose(api, manager)
    run(attribute_marked, tenant)
    assert get(api, "channels", viewer)["model"] == "time_decay"
    assert get(api, "channels", viewer)["model_version"] == "time_decay.1+14d+3hl"
    assert get(api, "allocations", viewer)["model"] == "time_decay"
    assert get(api, "channels", viewer, model="linear")["model_version"] == "linear.1+14d"


def test_models_stand_side_by_side(
    api: Api, database: Database, tenant: UUID, viewer: str, manager: str
) -> None:
    """CompareModels says of each model what getChannelAttribution says; what is pending is shown beside."""
    world = worlds.make(42, journeys=25)
    tell(database, tenant, world)
    run(attribute_marked, tenant)
    fill(tenant)
    assert_compared(api, viewer)
    choose(api, manager)
    assert_compared(api, viewer)
    assert all(
        model["allocated_cents"] == 0 and model["pending_cents"] == currency["ledger_net_cents"]
        for currency in get(api, "comparison", viewer)["currencies"]
        for model in currency["models"]
        if model["model"] != "markov"
    )
    fill(tenant)
    assert_compared(api, viewer)


def assert_compared(api: Api, viewer: str) -> None:
    for query in ({}, {"mode": "accrual", "currency": "EUR", "start_date": "2026-09-01"}):
        comparison = get(api, "comparison", viewer, **query)
        assert comparison["currencies"]
        for model in MODELS:
            report = get(api, "channels", viewer, model=model, **query)
            for currency, alone in zip(comparison["currencies"], report["currencies"], strict=True):
                [beside] = [one for one in currency["models"] if one["model"] == model]
                assert beside["model_version"] == report["model_version"]
                assert currency["ledger_net_cents"] == alone["ledger_net_cents"]
                assert beside["allocated_cents"] == alone["allocated_cents"]
                assert beside["pending_cents"] == alone["pending_cents"]
                assert beside["allocated_cents"] + beside["pending_cents"] == currency["ledger_net_cents"]
                revenues = {
                    channel["channel_code"]: (revenue["revenue_cents"], revenue["share_ppm"])
                    for channel in currency["channels"]
                    for revenue in channel["revenues"]
                    if revenue["model"] == model and revenue["revenue_cents"]
                }
                assert revenues == {
                    channel["channel_code"]: (channel["revenue_cents"], channel["share_ppm"])
                    for channel in alone["channels"]
                    if channel["revenue_cents"]
                }


def test_fits_are_asked_for_and_listed(
    api: Api, database: Database, tenant: UUID, viewer: str, manager: str
) -> None:
    """RefitModels is accepted; listModelFits shows each fit, the newest first, page by page."""
    assert get(api, "model-fits", viewer) == {"fits": [], "next_cursor": None}
    for seed in (43, 44):
        world = captures(seed, journeys=30)
        with database.connect() as connection:
            worlds.store(connection, tenant, worlds.World(world.visits))
        if seed == 43:
            tell(database, tenant, worlds.World([], world.sales, world.bookings))
        assert api.send("POST", "/api/attribution/model-fits", token=manager).status_code == 202
        assert run(refit_models, tenant)["outcome"] == "fitted"
    page = get(api, "model-fits", viewer, limit=1)
    rest = get(api, "model-fits", viewer, limit=1, cursor=page["next_cursor"])
    assert rest["next_cursor"] is None
    fits = [*page["fits"], *rest["fits"]]
    assert [fit["fit_version"] for fit in fits] == [2, 1]
    assert all(fit["converted_path_count"] and fit["lost_path_count"] for fit in fits)
    weights = {one["channel_code"]: one["removal_effect_ppm"] for one in fits[0]["weights"]}
    assert set(weights) == {visit.channel for visit in world.visits}
    assert all(0 <= effect <= 1_000_000 for effect in weights.values())


def test_another_tenants_settings_are_not_seen(api: Api, manager: str, make_tenant: Any) -> None:
    """Neither is what they chose, nor is it chosen for them."""
    choose(api, manager)
    stranger = log_in(make_user(make_tenant(), "manager")).tokens.access.token
    assert get(api, "settings", stranger)["settings_version"] == 0
