"""The contracts are served byte for byte, and shown without asking any other host."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from generated.registry import CONTRACTS
from skeldir.app import create_app
from tests.contract.serving import Response, ask

BUNDLES = Path("generated/bundles")


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    return create_app()


def test_each_bundle_is_served_byte_for_byte_with_its_digest(app: ASGIApp) -> None:
    for served in CONTRACTS:
        committed = (BUNDLES / served.bundle).read_bytes()
        digest = hashlib.sha256(committed).hexdigest()
        response = ask(app, "GET", f"/api/contracts/{served.name}.json")
        assert (response.status, response.body) == (200, committed)
        assert response.headers["content-type"] == "application/json"
        assert response.headers["etag"] == f'"{digest}"'
        assert response.headers["x-contract-digest"] == f"sha256={digest}"


def test_who_holds_a_bundle_is_not_sent_it_again(app: ASGIApp) -> None:
    path = "/api/contracts/health.json"
    tag = ask(app, "GET", path).headers["etag"]
    for sent in (tag, f'W/{tag}, "other"', "*"):
        response = ask(app, "GET", path, headers={"if-none-match": sent})
        assert (response.status, response.body) == (304, b"")
        assert response.headers["etag"] == tag
    assert ask(app, "GET", path, headers={"if-none-match": '"other"'}).status == 200


def test_the_list_names_every_contract(app: ASGIApp) -> None:
    listed = ask(app, "GET", "/api/contracts").json()["contracts"]
    assert [entry["name"] for entry in listed] == sorted(served.name for served in CONTRACTS)
    for entry in listed:
        assert ask(app, "GET", entry["url"]).headers["x-contract-digest"] == entry["digest"]


def _page(app: ASGIApp) -> Response:
    response = ask(app, "GET", "/docs")
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return response


def test_the_page_loads_nothing_from_elsewhere(app: ASGIApp) -> None:
    response = _page(app)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    named = re.findall(r'(?:src|href)="([^"]+)"', response.body.decode())
    assert len(named) >= 3
    assert all(name.startswith("/docs/assets/") and ask(app, "GET", name).status == 200 for name in named)


def test_the_page_needs_no_inline_script(app: ASGIApp) -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)", _page(app).body.decode()) == []


@pytest.mark.parametrize(
    "path", ["/docs/", "/docs/assets/", "/docs/assets/../connexion_31.py", "/api/contracts/x.json"]
)
def test_nothing_else_is_there(app: ASGIApp, path: str) -> None:
    assert ask(app, "GET", path).status == 404


def test_the_licence_of_what_is_vendored_is_there(app: ASGIApp) -> None:
    assert b"Apache License" in ask(app, "GET", "/docs/assets/swagger-ui.LICENSE").body


def test_the_vendored_program_understands_3_1() -> None:
    program = Path("skeldir/http/assets/swagger-ui-bundle.js").read_text(encoding="utf-8")
    assert "OpenAPI31" in program
    assert "JSONSchema202012" in program


def test_a_bundle_is_json_of_3_1() -> None:
    for served in CONTRACTS:
        assert json.loads((BUNDLES / served.bundle).read_bytes())["openapi"].startswith("3.1.")
