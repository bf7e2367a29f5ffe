"""The recomputes contract on the wire: what a result was computed from."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.domain.attribution_settings import AttributionSettings, weights_digest
from skeldir.repository import attribution_settings, model_fits
from skeldir.repository.model_fits import Fit
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import Booking, Sale, Visit, World
from workers.recomputing import recompute_window

NOON = worlds.START.replace(hour=12)
WINDOW = {"window_start": "2026-08-01T00:00:00Z", "window_end": "2026-08-02T18:00:00Z"}
WORLD = World(
    [Visit(UUID(int=n), "j", NOON, "email") for n in range(3)],
    [Sale("o-1", "j", NOON), Sale("o-2", "k", NOON)],
    [
        Booking(UUID(int=11), "o-1", "captured", 900, NOON),
        Booking(UUID(int=12), "o-1", "refunded", -100, NOON + timedelta(days=1)),
        Booking(UUID(int=13), "o-2", "captured", 500, NOON),
    ],
)


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


def tell(database: Database, tenant: UUID, world: World) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
        worlds.mark(connection, tenant, world.journeys)


def ask(api: Api, token: str, model: str) -> str:
    reply = api.send("POST", "/api/attribution/recompute-jobs", token=token, json={"model": model, **WINDOW})
    return str(reply.json()["job_id"])


def run(tenant: UUID, job_id: str) -> Any:
    kwargs = {"tenant_id": str(tenant), "job_id": job_id}
    return recompute_window.apply(kwargs=kwargs, task_id=str(uuid4())).get()


def explained(api: Api, token: str, job_id: str, status: int = 200) -> dict[str, Any]:
    reply = api.send("GET", f"/api/attribution/recompute-jobs/{job_id}/explanation", token=token)
    assert reply.status_code == status, reply.text
    body: dict[str, Any] = reply.json()
    return body


def test_a_result_tells_what_it_was_computed_from(api: Api, database: Database, tenant: UUID) -> None:
    """explainFingerprint: by day and, where the window cuts one, its part; an unchanged run adds nothing."""
    tell(database, tenant, WORLD)
    token = log_in(make_user(tenant, "manager")).tokens.access.token
    job_id = ask(api, token, "time_decay")
    explained(api, token, job_id, 404)
    assert run(tenant, job_id)["outcome"] == "computed"

    told = explained(api, token, job_id)
    job = api.send("GET", f"/api/attribution/recompute-jobs/{job_id}", token=token).json()
    assert (told["fingerprint"], told["model_version"]) == (job["fingerprint"], job["model_version"])
    assert told["parameters"] == {"lookback_days": 30, "half_life_days": 7}
    assert (told["rule_set_version"], told["correction_count"], told["settings_version"]) == (0, 0, 0)
    assert (told["order_count"], told["entry_count"], told["touch_count"]) == (3, 5, 6)
    assert [(day["starts_at"], day["ends_at"], day["order_count"]) for day in told["inputs"]] == [
        ("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z", 2),
        ("2026-08-02T00:00:00Z", "2026-08-02T18:00:00Z", 1),
    ]

    assert ask(api, token, "time_decay") == job_id
    assert run(tenant, job_id)["outcome"] == "unchanged"
    assert explained(api, token, job_id) == told

    tell(database, tenant, World([Visit(UUID(int=9), "j", NOON, "organic")], [], []))
    ask(api, token, "time_decay")
    assert run(tenant, job_id)["outcome"] == "computed"
    anew = explained(api, token, job_id)
    assert (anew["touch_count"], anew["computed_by_run"]) == (8, 3)
    assert anew["fingerprint"] != told["fingerprint"]
    assert anew["inputs"][0]["digest"] != told["inputs"][0]["digest"]


def test_a_result_names_the_fit_that_it_was_computed_with(api: Api, database: Database, tenant: UUID) -> None:
    """explainFingerprint: a later fit of the same weights is no part of it until it is computed anew."""
    tell(database, tenant, WORLD)
    token = log_in(make_user(tenant, "manager")).tokens.access.token

    def fit(*weights: int) -> None:
        with tenant_session(tenant, engine=database.engine("app_worker")) as session:
            for weight in weights:
                given = {"email": weight}
                assert model_fits.keep(session, Fit("markov", weights_digest(given), given, [], 1, 30, 1, 0))

    fit(500_000)
    job_id = ask(api, token, "markov")
    assert run(tenant, job_id)["outcome"] == "computed"
    fit(700_000, 500_000)
    assert explained(api, token, job_id)["parameters"]["fit_version"] == 1
    tell(database, tenant, World([Visit(UUID(int=9), "j", NOON, "organic")], [], []))
    assert ask(api, token, "markov") == job_id
    assert run(tenant, job_id)["outcome"] == "computed"
    assert explained(api, token, job_id)["parameters"]["fit_version"] == 3


def test_a_result_tells_the_tenants_own_weights(api: Api, database: Database, tenant: UUID) -> None:
    """explainFingerprint: those that the job computed with, also after the tenant has chosen others."""
    tell(database, tenant, WORLD)
    token = log_in(make_user(tenant, "manager")).tokens.access.token

    def choose(weight: int) -> None:
        with tenant_session(tenant) as session:
            attribution_settings.choose(
                session, AttributionSettings(30, custom_weights={"email": weight}), None
            )

    choose(3)
    job_id = ask(api, token, "custom")
    assert run(tenant, job_id)["outcome"] == "computed"
    choose(4)
    parameters = explained(api, token, job_id)["parameters"]
    assert parameters["channel_weights"] == [{"channel_code": "email", "weight": 3}]
    assert parameters["weights_digest"] == weights_digest({"email": 3})


def test_a_job_of_nobody_has_no_explanation(api: Api, tenant: UUID) -> None:
    token = log_in(make_user(tenant, "viewer")).tokens.access.token
    assert explained(api, token, str(uuid4()), 404)["title"]
