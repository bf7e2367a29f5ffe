"""The database itself holds the life of a channel: every pair of states, and who may write the log."""

from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from skeldir.db.session import tenant_session
from skeldir.domain.channel_states import STATES, ChannelState, next_states
from tests.conftest import Database

WAYS: dict[ChannelState, tuple[ChannelState, ...]] = {
    "draft": (),
    "active": ("active",),
    "deprecated": ("active", "deprecated"),
    "archived": ("active", "archived"),
}
PAIRS = list(product(STATES, STATES))


@pytest.fixture
def superuser(database: Database, tenant: UUID) -> Iterator[psycopg.Connection]:
    """Connect as one whom row-level security does not stop, with the tenant as the default."""
    with database.connect() as connection:
        connection.execute(f"SET app.current_tenant_id = '{tenant}'")
        yield connection


def go(connection: psycopg.Connection, before: str | None, after: str, code: str = "podcast") -> None:
    connection.execute(
        "INSERT INTO channel_transitions (transition_id, code, from_state, to_state, reason)"
        " VALUES (%s, %s, %s, %s, 'because')",
        [uuid4(), code, before, after],
    )


def make(connection: psycopg.Connection, state: ChannelState = "draft", code: str = "podcast") -> None:
    connection.execute(
        "INSERT INTO tenant_channels (code, family, is_paid, display_name) VALUES (%s, 'audio', true, 'A')",
        [code],
    )
    go(connection, None, "draft", code)
    before: ChannelState = "draft"
    for after in WAYS[state]:
        go(connection, before, after, code)
        before = after


def state_of(connection: psycopg.Connection, code: str = "podcast") -> Any:
    row = connection.execute(
        "SELECT state FROM tenant_channels WHERE tenant_id = current_tenant_id() AND code = %s", [code]
    ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_transition_changes_the_state_exactly_where_the_lifecycle_allows_it(
    superuser: psycopg.Connection, before: ChannelState, after: ChannelState
) -> None:
    """All sixteen pairs; what is refused leaves neither a state nor a line in the log."""
    make(superuser, before)
    logged = 1 + len(WAYS[before])
    if after in next_states(before):
        go(superuser, before, after)
        assert state_of(superuser) == after
        logged += 1
    else:
        with pytest.raises(psycopg.errors.RestrictViolation):
            go(superuser, before, after)
        assert state_of(superuser) == before
    count = superuser.execute(
        "SELECT count(*) FROM channel_transitions WHERE tenant_id = current_tenant_id()"
    ).fetchone()
    assert count == (logged,)


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair[0] != pair[1]])
def test_no_state_changes_past_the_log(
    superuser: psycopg.Connection, before: ChannelState, after: ChannelState
) -> None:
    """Not even where the lifecycle allows it, and not even for a superuser."""
    make(superuser, before)
    with pytest.raises(psycopg.errors.RestrictViolation):
        superuser.execute(
            "UPDATE tenant_channels SET state = %s WHERE tenant_id = current_tenant_id()", [after]
        )


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_shared_taxonomy_lives_by_the_same_rule(
    superuser: psycopg.Connection, before: ChannelState, after: ChannelState
) -> None:
    """Its log says who and why; nothing of it changes without a line there."""
    transition = """INSERT INTO taxonomy_transitions
                           (transition_id, code, from_state, to_state, actor, reason)
                    VALUES (gen_random_uuid(), 'shared', %s, %s, 'an operator', 'because')"""
    with superuser.transaction(force_rollback=True):
        superuser.execute("INSERT INTO channel_taxonomy VALUES ('shared', 'other', false, 'S', 'draft')")
        for earlier, later in zip(("draft", *WAYS[before]), WAYS[before], strict=False):
            superuser.execute(transition, [earlier, later])
        if after in next_states(before):
            superuser.execute(transition, [before, after])
        else:
            with pytest.raises(psycopg.errors.RestrictViolation), superuser.transaction():
                superuser.execute(transition, [before, after])
        with pytest.raises(psycopg.errors.RestrictViolation), superuser.transaction():
            superuser.execute("UPDATE channel_taxonomy SET state = 'archived' WHERE code = 'email'")


def test_a_channel_is_made_once_as_a_draft_under_a_code_of_its_own(superuser: psycopg.Connection) -> None:
    """It can be neither born active, nor made twice, nor take a code of the shared taxonomy."""
    born = """INSERT INTO tenant_channels (code, family, is_paid, display_name, state)
              VALUES (%s, 'f', true, 'A', %s)"""
    with pytest.raises(psycopg.errors.RestrictViolation):
        superuser.execute(born, ["podcast", "active"])
    with pytest.raises(psycopg.errors.UniqueViolation):
        superuser.execute(born, ["email", "draft"])
    make(superuser)
    with pytest.raises(psycopg.errors.RestrictViolation):
        go(superuser, None, "draft")


def test_rules_and_corrections_lead_to_active_channels_only(superuser: psycopg.Connection) -> None:
    """A rule that is in force keeps its channel active; another tenant's channel is nobody else's."""
    superuser.execute("INSERT INTO channel_rule_sets (version, reason) VALUES (1, 'r')")
    rule = "INSERT INTO channel_rules (version, position, channel_code, source) VALUES (1, %s, %s, 's')"
    correction = """
        INSERT INTO channel_corrections (correction_id, touchpoint_id, from_channel, to_channel, reason)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'unknown', %s, 'r')"""
    for state in ("draft", "deprecated", "archived"):
        make(superuser, state, f"is_{state}")
        with pytest.raises(psycopg.errors.RestrictViolation):
            superuser.execute(rule, [1, f"is_{state}"])
        with pytest.raises(psycopg.errors.RestrictViolation):
            superuser.execute(correction, [f"is_{state}"])
    make(superuser, "active")
    superuser.execute(rule, [1, "podcast"])
    superuser.execute(correction, ["podcast"])
    for after in ("deprecated", "archived"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="rules in force"):
            go(superuser, "active", after)
    superuser.execute("INSERT INTO channel_rule_sets (version, reason) VALUES (2, 'r')")
    go(superuser, "active", "deprecated")
    with superuser.transaction(force_rollback=True):
        superuser.execute(f"SET LOCAL app.current_tenant_id = '{uuid4()}'")
        with pytest.raises(psycopg.errors.RestrictViolation):
            superuser.execute(correction, ["podcast"])


def test_a_touch_has_a_channel_that_its_tenant_knows(superuser: psycopg.Connection) -> None:
    """Inserted or changed; a tenant's own channel is as good as a shared one, a stranger's is none."""
    make(superuser, "active")
    touch = """INSERT INTO touchpoints (touchpoint_id, journey_id, occurred_at, channel_code)
               VALUES (gen_random_uuid(), 'j', now(), %s)"""
    superuser.execute(touch, ["email"])
    superuser.execute(touch, ["podcast"])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        superuser.execute(touch, ["elsewhere"])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        superuser.execute(
            "UPDATE touchpoints SET channel_code = 'elsewhere' WHERE tenant_id = current_tenant_id()"
        )
    with superuser.transaction(force_rollback=True):
        superuser.execute(f"SET LOCAL app.current_tenant_id = '{uuid4()}'")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            superuser.execute(touch, ["podcast"])


def test_the_view_of_channels_shows_a_tenant_its_own_beside_the_shared_ones(
    superuser: psycopg.Connection, tenant: UUID
) -> None:
    """It has the rights of whoever asks: row-level security holds behind it."""
    make(superuser)
    own = text("SELECT code FROM channels WHERE is_own")
    with tenant_session(tenant) as session:
        assert session.execute(own).scalars().all() == ["podcast"]
        assert session.execute(text("SELECT count(*) FROM channels WHERE NOT is_own")).scalar_one() >= 15
    with tenant_session(uuid4()) as session:
        assert session.execute(own).scalars().all() == []


def test_the_api_cannot_write_the_shared_taxonomy(tenant: UUID) -> None:
    """By grant, before any trigger is asked."""
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_session(tenant) as session:
        session.execute(text("UPDATE channel_taxonomy SET state = 'archived' WHERE code = 'email'"))
