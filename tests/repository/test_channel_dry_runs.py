"""Dry runs of mapping rules take what is crowded in portions; what they tell is tested on the wire."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.session import tenant_session
from skeldir.domain.channel_rules import Mapping, Rule
from skeldir.domain.windows import Window
from skeldir.repository import channel_dry_runs
from skeldir.repository.attribution_orders import CROWDED_ORDER_BURDEN, SCOPE_MAX, Portion
from tests.conftest import Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, START

WINDOW = Window(START, START + timedelta(days=5))
ORDERS = 5 * 24 * 3 - 1  # one every twenty minutes, but none at the start


def test_no_statement_takes_a_crowded_journey_whole(
    database: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each order may bring hundreds of touches: some at a time, and each statement within a job's 5 s."""
    taken: list[int] = []
    sums = channel_dry_runs._sums

    def counted(session: Session, parameters: Any, portion: Portion, *rest: Any) -> Any:
        taken.append(len(portion.order_ids))
        return sums(session, parameters, portion, *rest)

    monkeypatch.setattr(channel_dry_runs, "_sums", counted)
    with database.connect() as connection:
        worlds.store_crowd(connection, tenant)
    with tenant_session(tenant, read_only=True) as session:
        mapping = Mapping((Rule("referral", source="s1*"),))
        found = channel_dry_runs.run(session, mapping, WINDOW, SETTINGS.parameters("linear"))
        assert session.execute(text("SHOW statement_timeout")).scalar_one() == "5s"
    assert max(taken) <= SCOPE_MAX // CROWDED_ORDER_BURDEN
    assert sum(taken) == 2 * ORDERS
    assert sum(found.before.values()) == sum(found.after.values()) == 999 * ORDERS
    assert found.after["referral", "EUR"] > 0
    assert found.changed["facebook_paid", "referral"] > 0
