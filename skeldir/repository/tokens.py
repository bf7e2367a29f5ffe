"""Sessions of users: refresh tokens and their families, denied access tokens, cut-offs.

A family is one login and all tokens that descend from it; its id is the id of its first token.
Whatever changes a user's sessions first locks the user's membership (`users.lock_membership`):
a logout and a refresh of the same moment then happen one after the other, never past each other.
All instants are the database's own `clock_timestamp()`, so that they can be compared.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.security.refresh import RefreshToken

START_FAMILY = text("""
    INSERT INTO refresh_tokens (token_id, user_id, family_id, secret_hash, issued_at, expires_at)
    SELECT :token_id, :user_id, :token_id, :secret_hash, c.now, c.now + :lifetime
      FROM (SELECT clock_timestamp() AS now) c
    RETURNING issued_at
""")

OWNER = text("SELECT user_id FROM refresh_tokens WHERE token_id = :token_id")

FIND = text("""
    SELECT r.token_id, r.user_id, r.family_id, r.secret_hash,
           r.expires_at <= clock_timestamp() AS expired,
           r.revoked_at IS NOT NULL OR r.rotated_at IS NOT NULL AS used,
           r.revoked_at IS NULL AND r.rotated_at > transaction_timestamp() AS overlapped,
           coalesce(first.issued_at <= c.tokens_invalid_before, first.token_id IS NULL) AS cut_off
      FROM refresh_tokens r
      LEFT JOIN refresh_tokens first ON first.tenant_id = r.tenant_id AND first.token_id = r.family_id
      LEFT JOIN token_cutoffs c ON c.tenant_id = r.tenant_id AND c.user_id = r.user_id
     WHERE r.token_id = :token_id
""")

ROTATE = text("""
    WITH spent AS (
        UPDATE refresh_tokens SET rotated_at = clock_timestamp(), replaced_by = :token_id
         WHERE token_id = :spent_id
        RETURNING user_id, family_id, expires_at
    )
    INSERT INTO refresh_tokens (token_id, user_id, family_id, secret_hash, issued_at, expires_at)
    SELECT :token_id, user_id, family_id, :secret_hash, clock_timestamp(), expires_at FROM spent
    RETURNING issued_at
""")

REVOKE_FAMILY = text("""
    UPDATE refresh_tokens SET revoked_at = clock_timestamp()
     WHERE family_id = :family_id AND revoked_at IS NULL
""")

DENY_SESSION = text("""
    INSERT INTO access_token_denylist (jti, user_id, revoked_at, expires_at)
    VALUES (:session_id, :user_id, clock_timestamp(), clock_timestamp() + :lifetime)
    ON CONFLICT (tenant_id, jti) DO NOTHING
""")

RAISE_CUTOFF = text("""
    INSERT INTO token_cutoffs AS c (user_id, tokens_invalid_before, updated_by)
    VALUES (:user_id, least(CAST(:instant AS timestamptz), clock_timestamp()), :updated_by)
    ON CONFLICT (tenant_id, user_id) DO UPDATE
       SET tokens_invalid_before = greatest(c.tokens_invalid_before, excluded.tokens_invalid_before),
           updated_by = CASE WHEN excluded.tokens_invalid_before > c.tokens_invalid_before
                             THEN excluded.updated_by ELSE c.updated_by END
    RETURNING tokens_invalid_before
""")

CUTOFF = text("SELECT tokens_invalid_before FROM token_cutoffs WHERE user_id = :user_id")

END_SESSIONS_CUT_OFF = text("""
    WITH ended AS (
        SELECT first.tenant_id, first.token_id AS family_id
          FROM refresh_tokens first
          JOIN token_cutoffs c ON c.tenant_id = first.tenant_id AND c.user_id = first.user_id
         WHERE first.user_id = :user_id AND first.token_id = first.family_id
           AND first.issued_at <= c.tokens_invalid_before AND first.expires_at > clock_timestamp()
    ), revoked AS (
        UPDATE refresh_tokens r SET revoked_at = clock_timestamp()
          FROM ended
         WHERE r.tenant_id = ended.tenant_id AND r.family_id = ended.family_id AND r.revoked_at IS NULL
    )
    INSERT INTO access_token_denylist (jti, user_id, revoked_at, expires_at)
    SELECT family_id, :user_id, clock_timestamp(), clock_timestamp() + :lifetime FROM ended
    ON CONFLICT (tenant_id, jti) DO NOTHING
""")

PRUNE_REFRESH_TOKENS = text("""
    DELETE FROM refresh_tokens
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM refresh_tokens WHERE expires_at < :now LIMIT :rows_max))
""")
PRUNE_DENYLIST = text("""
    DELETE FROM access_token_denylist
     WHERE ctid = ANY(ARRAY(SELECT ctid FROM access_token_denylist WHERE expires_at < :now LIMIT :rows_max))
""")


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A refresh token's row, as the rules of refreshing read it.

    `used`: rotated or revoked. `overlapped`: it was rotated while the present transaction was
    already open, hence by a request at the same time. `cut_off`: its session began before the
    user's cut-off.
    """

    token_id: UUID
    user_id: UUID
    family_id: UUID
    secret_hash: bytes
    expired: bool
    used: bool
    overlapped: bool
    cut_off: bool


def start_family(session: Session, user_id: UUID, token: RefreshToken, lifetime: timedelta) -> datetime:
    """Store the first token of a new session; returns the instant it was issued."""
    parameters = {
        "token_id": token.token_id,
        "user_id": user_id,
        "secret_hash": token.secret_hash(),
        "lifetime": lifetime,
    }
    issued_at: datetime = session.execute(START_FAMILY, parameters).scalar_one()
    return issued_at


def owner(session: Session, token_id: UUID) -> UUID | None:
    """Return whose refresh token it is, or None; this never changes, so nothing is locked."""
    found: UUID | None = session.execute(OWNER, {"token_id": token_id}).scalar_one_or_none()
    return found


def find(session: Session, token_id: UUID) -> StoredToken | None:
    """Return a refresh token's row; to be trusted only under the lock of its user's membership."""
    row = session.execute(FIND, {"token_id": token_id}).mappings().one_or_none()
    return None if row is None else StoredToken(**row)


def rotate(session: Session, spent_id: UUID, token: RefreshToken) -> datetime:
    """Spend a token and store its successor, which expires when the session does."""
    parameters = {
        "spent_id": spent_id,
        "token_id": token.token_id,
        "secret_hash": token.secret_hash(),
    }
    issued_at: datetime = session.execute(ROTATE, parameters).scalar_one()
    return issued_at


def end_session(session: Session, session_id: UUID, user_id: UUID, access_lifetime: timedelta) -> None:
    """Revoke a session's refresh tokens, and deny its access tokens as long as one may live."""
    session.execute(REVOKE_FAMILY, {"family_id": session_id})
    parameters = {"session_id": session_id, "user_id": user_id, "lifetime": access_lifetime}
    session.execute(DENY_SESSION, parameters)


def cutoff(session: Session, user_id: UUID) -> datetime | None:
    """Return the instant before which a user's tokens are refused, or None."""
    found: datetime | None = session.execute(CUTOFF, {"user_id": user_id}).scalar_one_or_none()
    return found


def raise_cutoff(
    session: Session, user_id: UUID, instant: datetime | None = None, updated_by: UUID | None = None
) -> datetime:
    """Move a user's cut-off forward, to now at most; returns where it stands, never earlier."""
    parameters = {"user_id": user_id, "instant": instant, "updated_by": updated_by}
    raised: datetime = session.execute(RAISE_CUTOFF, parameters).scalar_one()
    return raised


def end_sessions_cut_off(session: Session, user_id: UUID, access_lifetime: timedelta) -> None:
    """End the sessions that began before the user's cut-off, whenever their tokens were issued."""
    session.execute(END_SESSIONS_CUT_OFF, {"user_id": user_id, "lifetime": access_lifetime})


def prune_expired(session: Session, now: datetime, rows_max: int) -> int:
    """Delete some of the tenant's refresh tokens and denials that have expired; returns how many.

    Sign-ins of the console are refresh tokens too.
    """
    return sum(
        session.connection().execute(statement, {"now": now, "rows_max": rows_max}).rowcount
        for statement in (PRUNE_REFRESH_TOKENS, PRUNE_DENYLIST)
    )
