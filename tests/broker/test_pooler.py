"""The publisher behind a connection pooler, which may hand each statement to another session."""

import psycopg
from kombu import Connection, Exchange, Producer

from skeldir.queue.sending import LOCK_MILLISECONDS_MAX
from tests import waiting
from tests.conftest import Database

SESSION = "SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('lock_timeout')"


def session_of_a_publisher(database: Database, superuser: psycopg.Connection, *, is_pooled: bool) -> object:
    """Publish as the API does; return how many statements its session has prepared, and how long it waits."""
    url = database.url("app_user").set(drivername="postgresql").render_as_string(hide_password=False)
    options = {"lock_milliseconds_max": LOCK_MILLISECONDS_MAX, "is_pooled": is_pooled}
    waiting.clear(superuser)
    with Connection(f"pg+{url}", transport_options=options) as connection:
        producer = Producer(connection)
        for _ in range(3):
            producer.publish({}, exchange=Exchange(""), routing_key="maintenance")
        found = superuser.execute("SELECT count(*) FROM skeldir_broker.messages").fetchone()
        assert found == (3,)
        waiting.clear(superuser)
        return connection.transport._publishing().execute(SESSION).fetchone()


def test_a_publisher_leaves_nothing_in_a_session_that_a_pooler_gives_to_another(database: Database) -> None:
    """Neither a prepared statement nor a time limit."""
    with database.connect() as superuser:
        assert session_of_a_publisher(database, superuser, is_pooled=True) == (0, "0")
        assert session_of_a_publisher(database, superuser, is_pooled=False) == (1, "500ms")
