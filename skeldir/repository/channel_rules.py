"""A tenant's mapping rules: whole lists, each an immutable version, of which the newest is in force."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.channel_rules import Rule
from skeldir.domain.models import TAXONOMY_VERSION

_NEWEST: Final = text("SELECT coalesce(max(version), 0) FROM channel_rule_sets")

_SET: Final = text("SELECT reason, user_id, created_at FROM channel_rule_sets WHERE version = :version")

_RULES: Final = text("""
    SELECT channel_code, source, medium, campaign, referrer_host, click_id
      FROM channel_rules
     WHERE version = :version
     ORDER BY position
""")

# Whoever puts another version in force at the same time makes this one insert nothing.
_ADD_SET: Final = text("""
    INSERT INTO channel_rule_sets (version, reason, user_id)
    VALUES (:version, :reason, :user_id)
    ON CONFLICT (tenant_id, version) DO NOTHING
    RETURNING reason, user_id, created_at
""")

_ADD_RULES: Final = text("""
    INSERT INTO channel_rules (version, position, channel_code, source, medium, campaign, referrer_host,
                               click_id)
    VALUES (:version, :position, :channel_code, :source, :medium, :campaign, :referrer_host, :click_id)
""")

_PAGE: Final = text("""
    SELECT version, reason, user_id, created_at,
           (SELECT count(*) FROM channel_rules AS rule
             WHERE rule.tenant_id = told.tenant_id AND rule.version = told.version) AS rule_count
      FROM channel_rule_sets AS told
     WHERE CAST(:before AS integer) IS NULL OR version < :before
     ORDER BY version DESC
     LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A version of the rules by their precedence; version 0 has none and nobody made it."""

    version: int
    rules: tuple[Rule, ...] = ()
    reason: str | None = None
    user_id: UUID | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A version without its rules."""

    version: int
    reason: str
    user_id: UUID | None
    created_at: datetime
    rule_count: int


def version(session: Session) -> str:
    """Name the mapping in force: the built-in table's version and that of the tenant's own rules."""
    return mapping_version(newest(session))


def mapping_version(rule_set_version: int) -> str:
    """Name the mapping that a version of the rules makes with the built-in table."""
    return f"{TAXONOMY_VERSION}.{rule_set_version}"


def newest(session: Session) -> int:
    """Return the version in force, 0 where the tenant never had rules."""
    return int(session.execute(_NEWEST).scalar_one())


def current(session: Session) -> RuleSet:
    """Return the rules in force."""
    return get(session, newest(session)) or RuleSet(0)


def get(session: Session, number: int) -> RuleSet | None:
    """Return a version of the rules, whether it is in force or not."""
    if number == 0:
        return RuleSet(0)
    told = session.execute(_SET, {"version": number}).one_or_none()
    if told is None:
        return None
    rules = tuple(Rule(*row) for row in session.execute(_RULES, {"version": number}))
    return RuleSet(number, rules, *told)


def put(
    session: Session, based_on: int, rules: Sequence[Rule], by: UUID | None, reason: str
) -> RuleSet | None:
    """Put rules in force; None when another version is in force than they are based on."""
    if newest(session) != based_on:
        return None
    number = based_on + 1
    said = {"version": number, "reason": reason, "user_id": by}
    told = session.execute(_ADD_SET, said).one_or_none()
    if told is None:
        return None
    names = ("channel_code", "source", "medium", "campaign", "referrer_host", "click_id")
    rows = [
        {"version": number, "position": position, **dict(zip(names, astuple(rule), strict=True))}
        for position, rule in enumerate(rules, start=1)
    ]
    if rows:
        session.execute(_ADD_RULES, rows)
    return RuleSet(number, tuple(rules), *told)


def page(session: Session, before: int | None, limit: int) -> list[Summary]:
    """Return versions, the latest first."""
    return [Summary(*row) for row in session.execute(_PAGE, {"before": before, "limit": limit})]
