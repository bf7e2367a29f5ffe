"""What the scan found can be asked for, page by page: where, never what."""

from uuid import UUID

import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import log_in, make_user
from tests.stored import smuggle
from workers.privacy import scan_personal_data

PATH = "/api/webhooks/personal-data-findings"


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


def test_findings_are_listed_page_by_page(api: Api, database: Database, tenant: UUID) -> None:
    token = log_in(make_user(tenant, "viewer")).tokens.access.token
    assert api.send("GET", PATH, token=token).json() == {"findings": [], "next_cursor": None}
    smuggle(database, tenant, {"a": "jane.doe@example.com", "phone": "1", "b": {"@": "203.0.113.77"}})
    scan_personal_data.apply(kwargs={"tenant_id": str(tenant)}, throw=True)

    found, cursor = [], {}
    while True:
        reply = api.send("GET", PATH, token=token, params={"limit": 1, **cursor})
        assert reply.status_code == 200, reply.text
        assert "jane" not in reply.text
        found += reply.json()["findings"]
        if reply.json()["next_cursor"] is None:
            break
        cursor = {"cursor": reply.json()["next_cursor"]}

    assert [(one["table"], one["column"], one["path"], one["kind"]) for one in found] == [
        ("events", "payload", "payload.a", "email"),
        ("events", "payload", "payload.b.?", "ip"),
        ("events", "payload", "payload.phone", "key"),
    ]
