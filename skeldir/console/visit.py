"""One request of somebody who is signed in: one transaction, opened as their tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from flask import request
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.http.context import Context, RequestFacts
from skeldir.http.sessions import access_lifetime
from skeldir.repository import console_sessions, tokens, users
from skeldir.repository.console_sessions import SignedIn
from skeldir.security.principal import SCOPES, Principal
from skeldir.security.refresh import RefreshToken

LIFETIME: Final = timedelta(hours=12)
"""A sign-in of the console ends after a working day, however long the API's tokens may live."""


class SessionEnded(Exception):
    """The browser's sign-in is no longer good."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who reads, and the context in which the API's own handlers answer them."""

    signed_in: SignedIn
    context: Context


@contextmanager
def reading(token: RefreshToken) -> Iterator[Visit]:
    """Open one read-only snapshot for a sign-in; raises SessionEnded when it is over."""
    with tenant_session(token.tenant_id, read_only=True) as session:
        signed_in = console_sessions.find(session, token, LIFETIME)
        if signed_in is None:
            raise SessionEnded
        yield Visit(signed_in, _context(token, signed_in, session))


def end_visit(token: RefreshToken) -> None:
    """End a sign-in everywhere: its refresh token, and the access token that came with it."""
    with tenant_session(token.tenant_id) as session:
        signed_in = console_sessions.find(session, token, LIFETIME)
        if signed_in is not None and users.lock_membership(session, signed_in.user_id) is not None:
            tokens.end_session(session, signed_in.session_id, signed_in.user_id, access_lifetime())


def _context(token: RefreshToken, signed_in: SignedIn, session: Session) -> Context:
    principal = Principal(
        tenant_id=token.tenant_id,
        kind="user",
        user_id=signed_in.user_id,
        role=signed_in.role,
        scopes=SCOPES[signed_in.role],
        session_id=signed_in.session_id,
    )
    facts = RequestFacts(request.method, request.path, {}, b"", request.remote_addr or "")
    return Context(facts, uuid4(), principal, session)
