"""Access tokens: what is accepted, and every way of forging one that is not."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from skeldir.domain.errors import Unauthorized
from skeldir.security.keys import KeyRing, new_ring_document, parse_ring
from skeldir.security.principal import Role
from skeldir.security.tokens import UserSession, issue_access_token, verify_access_token
from skeldir.settings import Settings, load_settings

SESSION = UserSession(session_id=uuid4(), tenant_id=uuid4(), user_id=uuid4(), role="manager")


@pytest.fixture
def token(ring: KeyRing, settings: Settings) -> str:
    return _issue(ring, settings)


def _issue(ring: KeyRing, settings: Settings, age: timedelta = timedelta()) -> str:
    issued_at = datetime.now(UTC) - age
    return issue_access_token(SESSION, issued_at=issued_at, settings=settings, ring=ring).token


def _forge(ring: KeyRing, token: str, *, header: Any = None, **claims: Any) -> str:
    """Sign a changed copy with the real key; a claim of None is left out."""
    changed = jwt.decode(token, options={"verify_signature": False}) | claims
    payload = {name: value for name, value in changed.items() if value is not None}
    headers = {"kid": ring.signing.current, "typ": "at+jwt"} | (header or {})
    kept = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(payload, ring.signing.signer(), algorithm="EdDSA", headers=kept)


def _refused(token: str, ring: KeyRing, settings: Settings) -> Unauthorized:
    with pytest.raises(Unauthorized) as caught:
        verify_access_token(token, settings=settings, ring=ring)
    assert 'error="invalid_token"' in caught.value.headers["WWW-Authenticate"]
    return caught.value


def test_a_token_says_who_asks(ring: KeyRing, settings: Settings, token: str) -> None:
    principal = verify_access_token(token, settings=settings, ring=ring)

    assert principal.kind == "user"
    assert principal.tenant_id == SESSION.tenant_id
    assert principal.user_id == SESSION.user_id
    assert principal.session_id == SESSION.session_id
    assert principal.scopes == {"manager", "viewer"}


def test_a_token_is_not_shown_to_whoever_prints_it(ring: KeyRing, settings: Settings) -> None:
    issued = issue_access_token(SESSION, issued_at=datetime.now(UTC), settings=settings, ring=ring)

    assert issued.token not in repr(issued)


def test_the_issue_time_keeps_its_microseconds(ring: KeyRing, settings: Settings) -> None:
    issued_at = datetime.now(UTC).replace(microsecond=123_457)
    issued = issue_access_token(SESSION, issued_at=issued_at, settings=settings, ring=ring)

    assert verify_access_token(issued.token, settings=settings, ring=ring).issued_at == issued_at


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("admin", {"admin", "manager", "viewer"}),
        ("manager", {"manager", "viewer"}),
        ("viewer", {"viewer"}),
    ],
)
def test_a_role_contains_the_lower_ones(
    ring: KeyRing, settings: Settings, role: Role, scopes: set[str]
) -> None:
    session = UserSession(uuid4(), uuid4(), uuid4(), role)
    now = datetime.now(UTC)
    token = issue_access_token(session, issued_at=now, settings=settings, ring=ring).token

    assert verify_access_token(token, settings=settings, ring=ring).scopes == scopes


def test_an_expired_token_is_refused(ring: KeyRing, settings: Settings) -> None:
    token = _issue(ring, settings, age=timedelta(seconds=settings.access_token_seconds + 60))

    assert "expired" in _refused(token, ring, settings).detail


def test_clocks_may_differ_by_a_little(ring: KeyRing, settings: Settings) -> None:
    token = _issue(ring, settings, age=timedelta(seconds=-2))

    assert verify_access_token(token, settings=settings, ring=ring)


@pytest.mark.parametrize(
    "claim", ["iss", "aud", "exp", "iat", "sub", "jti", "sid", "tenant_id", "role", "scopes"]
)
def test_a_token_without_a_claim_is_refused(
    ring: KeyRing, settings: Settings, token: str, claim: str
) -> None:
    _refused(_forge(ring, token, **{claim: None}), ring, settings)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-api"},
        {"aud": ["another-api"]},
        {"iss": "https://elsewhere.test"},
        {"iat": 9_999_999_999},
        {"exp": "soon"},
        {"sub": "not-a-uuid"},
        {"role": "owner"},
        {"role": ["admin"]},
        {"scopes": ["admin", "viewer"]},
        {"scopes": 7},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(
    ring: KeyRing, settings: Settings, token: str, claims: dict[str, Any]
) -> None:
    _refused(_forge(ring, token, **claims), ring, settings)


@pytest.mark.parametrize(
    "header", [{"kid": None}, {"kid": "jwt-9"}, {"typ": None}, {"typ": "JWT"}, {"crit": ["x"]}]
)
def test_a_token_with_a_wrong_header_is_refused(
    ring: KeyRing, settings: Settings, token: str, header: dict[str, Any]
) -> None:
    _refused(_forge(ring, token, header=header), ring, settings)


def test_a_token_that_names_no_algorithm_is_refused(ring: KeyRing, settings: Settings, token: str) -> None:
    payload = token.split(".")[1]
    header = json.dumps({"alg": "none", "kid": "jwt-1", "typ": "at+jwt"})

    _refused(f"{urlsafe_b64encode(header.encode()).decode().rstrip('=')}.{payload}.", ring, settings)


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(
    ring: KeyRing, settings: Settings, token: str
) -> None:
    public = ring.signing.signer().public_key().public_bytes_raw()
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = {"kid": "jwt-1", "typ": "at+jwt"}

    _refused(jwt.encode(claims, public, algorithm="HS256", headers=headers), ring, settings)


def test_another_installations_token_is_refused(ring: KeyRing, settings: Settings) -> None:
    _refused(_issue(parse_ring(new_ring_document()), settings), ring, settings)


def test_another_issuers_token_is_refused(ring: KeyRing, settings: Settings) -> None:
    elsewhere = load_settings({"SKELDIR_PUBLIC_URL": "https://elsewhere.test"})

    _refused(_issue(ring, elsewhere), ring, settings)


def test_a_token_with_raised_rights_and_the_old_signature_is_refused(
    ring: KeyRing, settings: Settings, token: str
) -> None:
    header, payload, signature = token.split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    claims["role"], claims["scopes"] = "admin", ["admin", "manager", "viewer"]
    raised = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")

    _refused(f"{header}.{raised}.{signature}", ring, settings)


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "Bearer", "é", "a" * 5_000, "\ud800"])
def test_what_is_not_a_token_is_refused(ring: KeyRing, settings: Settings, token: str) -> None:
    _refused(token, ring, settings)


def test_tokens_of_a_retired_signing_key_are_still_accepted(settings: Settings) -> None:
    document = json.loads(new_ring_document())
    token = _issue(parse_ring(json.dumps(document)), settings)
    document["signing"]["keys"]["jwt-2"] = json.loads(new_ring_document())["pepper"]
    document["signing"]["current"] = "jwt-2"
    rotated = parse_ring(json.dumps(document))

    assert verify_access_token(token, settings=settings, ring=rotated)
    assert jwt.get_unverified_header(_issue(rotated, settings))["kid"] == "jwt-2"
