"""A tenant's attribution settings: what it chose last, or the service's own."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from skeldir.db.session import tenant_session
from skeldir.repository import attribution_settings
from skeldir.repository.attribution_settings import AttributionSettings
from tests.conftest import Database

CHOOSE = text("""
    INSERT INTO attribution_settings (settings_version, default_model, lookback_days, half_life_days,
                                      position_weights, markov_order, custom_weights)
    VALUES (:version, 'first_touch', :lookback_days, 14, '{30,30,40}', 2, '{"email": 3}')
""")


pytestmark = pytest.mark.usefixtures("database")


def current(tenant: UUID) -> AttributionSettings:
    with tenant_session(tenant, read_only=True) as session:
        return attribution_settings.current(session)


def test_who_never_chose_has_the_services_settings(tenant: UUID) -> None:
    """Version 0 stands in no table."""
    assert current(tenant) == AttributionSettings(lookback_days=30)


def test_what_was_chosen_last_is_current(tenant: UUID) -> None:
    """The version with the highest number, whole."""
    with tenant_session(tenant) as session:
        session.execute(CHOOSE, [{"version": 2, "lookback_days": 14}, {"version": 1, "lookback_days": 7}])
    assert current(tenant) == AttributionSettings(14, 2, "first_touch", 14, (30, 30, 40), 2, {"email": 3})


def test_a_choice_never_changes(database: Database, tenant: UUID) -> None:
    """Not even whoever passes every policy may rewrite a version."""
    with tenant_session(tenant) as session:
        session.execute(CHOOSE, {"version": 1, "lookback_days": 7})
    with database.connect() as connection, pytest.raises(Exception, match="its rows are facts"):
        connection.execute("UPDATE attribution_settings SET lookback_days = 8")
    with pytest.raises(DBAPIError, match="lookback_days_check"), tenant_session(tenant) as session:
        session.execute(CHOOSE, {"version": 2, "lookback_days": 91})
