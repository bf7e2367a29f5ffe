"""How Alembic connects and what it compares: as skeldir_owner, one transaction per revision."""

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from skeldir.db.engine import get_url
from skeldir.db.schema import METADATA

# A migration that waits for a lock makes everybody queue behind it: better that it fails and is repeated.
LIMITS = "SET lock_timeout = '4s'; SET statement_timeout = '15min'"
ONE_AT_A_TIME = "SELECT pg_advisory_lock(hashtext('skeldir migrations'))"


def run() -> None:
    """Migrate, or compare, over one connection while another holds the lock."""
    url = context.config.attributes.get("url") or get_url("skeldir_owner")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as guard, engine.connect() as connection:
        guard.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(ONE_AT_A_TIME)
        connection.exec_driver_sql(LIMITS)
        connection.commit()
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
