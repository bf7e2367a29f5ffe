"""Logging in, staying logged in and being shown out: for the auth operations, the console, the commands.

A refusal that must leave a trace (a counted failure, a session ended because its token was used
twice) is returned, so that the transaction commits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.errors import Conflict, NotFound, SkeldirError, TooManyRequests, Unauthorized
from skeldir.repository import login_failures, tokens, users
from skeldir.security import passwords
from skeldir.security.hashing import login_hash
from skeldir.security.principal import Role
from skeldir.security.refresh import RefreshToken, new_refresh_token
from skeldir.security.tokens import LEEWAY, AccessToken, UserSession, invalid_token, issue_access_token
from skeldir.settings import get_settings


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a session's holder is given: one token to use, and one to get the next pair with."""

    user_id: UUID
    access: AccessToken
    refresh: RefreshToken


@dataclass(frozen=True, slots=True)
class Login:
    """A session that has just begun."""

    username: str
    tokens: Tokens


def log_in(tenant_id: UUID, email: str, password: str) -> Login | SkeldirError:
    """Begin a session, or say why not: alike for an unknown tenant, an unknown user, a wrong password.

    The attempt is counted first and the password judged between two transactions: guesses made in
    parallel are all counted, and no connection waits for the hash.
    """
    settings = get_settings()
    login = login_hash(email)
    with tenant_session(tenant_id) as session:
        window = timedelta(seconds=settings.login_failures_window_seconds)
        attempts = login_failures.count_attempt(session, login, window)
        account = users.find_login(session, tenant_id, login)
    if attempts.count > settings.login_failures_max:
        headers = {"Retry-After": str(attempts.seconds_left)}
        return TooManyRequests("This login has failed too often; try again later.", headers=headers)
    accepted = passwords.verify_or_dummy(account.password_hash if account else None, password)
    if account is None or not accepted:
        return _refused_login()
    with tenant_session(tenant_id) as session:
        role = users.lock_membership(session, account.user_id)
        if role is None:  # lost while the password was being judged
            return _refused_login()
        login_failures.forget(session, login)
        _renew_hash(session, account, password)
        return Login(account.username, _start(session, tenant_id, account.user_id, role))


def refresh(sent: RefreshToken) -> Tokens | SkeldirError:
    """Exchange a refresh token for new tokens; one that was used before ends its session."""
    with tenant_session(sent.tenant_id) as session:
        user_id = tokens.owner(session, sent.token_id)
        role = None if user_id is None else users.lock_membership(session, user_id)
        stored = tokens.find(session, sent.token_id)
        if role is None or stored is None:
            return _refused_refresh()
        refusal = _judge(session, stored, sent)
        if refusal is not None:
            return refusal
        successor = new_refresh_token(sent.tenant_id)
        issued_at = tokens.rotate(session, stored.token_id, successor)
        spoken_for = UserSession(stored.family_id, sent.tenant_id, stored.user_id, role)
        return Tokens(stored.user_id, issue_access_token(spoken_for, issued_at=issued_at), successor)


def change_role(session: Session, user_id: UUID, role: Role, *, by: UUID | None = None) -> datetime | None:
    """Give a member another role; returns the cut-off that ends the old role's tokens, None if it is theirs.

    Raises NotFound for who is no active member, Conflict when the tenant would lose its last admin.
    """
    roles = _keep_an_admin(session, user_id, stays_admin=role == "admin")
    if roles[user_id] == role:
        return None
    users.set_role(session, user_id, role)
    return tokens.raise_cutoff(session, user_id, updated_by=by)


def remove_member(session: Session, user_id: UUID) -> datetime:
    """End a membership and all of its sessions; returns the cut-off. Raises like `change_role`."""
    _keep_an_admin(session, user_id, stays_admin=False)
    users.revoke_membership(session, user_id)
    return tokens.raise_cutoff(session, user_id)


def access_lifetime() -> timedelta:
    """Return how long a token that was issued just now may still be accepted."""
    return timedelta(seconds=get_settings().access_token_seconds) + LEEWAY


def _keep_an_admin(session: Session, user_id: UUID, *, stays_admin: bool) -> dict[UUID, Role]:
    roles = users.lock_with_admins(session, user_id)
    if user_id not in roles:
        raise NotFound(f"The tenant has no active member {user_id}.")
    others = any(role == "admin" for member, role in roles.items() if member != user_id)
    if roles[user_id] == "admin" and not stays_admin and not others:
        raise Conflict("A tenant keeps at least one administrator: this is the last one.")
    return roles


def _start(session: Session, tenant_id: UUID, user_id: UUID, role: Role) -> Tokens:
    first = new_refresh_token(tenant_id)
    lifetime = timedelta(days=get_settings().refresh_token_days)
    issued_at = tokens.start_family(session, user_id, first, lifetime)
    begun = UserSession(first.token_id, tenant_id, user_id, role)
    return Tokens(user_id, issue_access_token(begun, issued_at=issued_at), first)


def _judge(session: Session, stored: tokens.StoredToken, sent: RefreshToken) -> SkeldirError | None:
    """Refuse what may not be refreshed; who does not know the secret cannot end the session."""
    if not compare_digest(stored.secret_hash, sent.secret_hash()):
        return _refused_refresh()
    if stored.overlapped:  # two tabs of one browser: the other one got the tokens
        return Conflict("The refresh token was just used by a request at the same time.")
    if stored.used:
        tokens.end_session(session, stored.family_id, stored.user_id, access_lifetime())
        return _refused_refresh()
    return _refused_refresh() if stored.expired or stored.cut_off else None


def _renew_hash(session: Session, account: users.Account, password: str) -> None:
    if passwords.needs_rehash(account.password_hash):
        renewed = passwords.hash_password(password)
        users.renew_password_hash(session, account.user_id, known=account.password_hash, renewed=renewed)


def _refused_login() -> Unauthorized:
    challenge = {"WWW-Authenticate": 'Bearer realm="skeldir"'}
    return Unauthorized("The e-mail address, the password or the tenant is wrong.", headers=challenge)


def _refused_refresh() -> Unauthorized:
    return invalid_token("the refresh token is not valid")
