"""The publisher behind a connection pooler, which may hand each statement to another session."""

from collections.abc import Iterator

import psycopg
import pytest

from skeldir.broker.transport import Transport
from skeldir.queue import sending
from skeldir.queue.messages import Message
from skeldir.settings import get_settings
from tests import waiting
from tests.conftest import Database

SESSION = """SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('lock_timeout')"""


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SKELDIR_DATABASE_PREPARE_THRESHOLD", "0")
    get_settings.cache_clear()
    sending._sender.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()
    sending._sender.cache_clear()


@pytest.mark.usefixtures("pooled")
def test_the_publisher_leaves_nothing_in_a_session_that_a_pooler_gives_to_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a prepared statement nor a time limit."""
    used: list[psycopg.Connection] = []
    publish = Transport.publish

    def watched(transport: Transport, message: object) -> None:
        publish(transport, message)  # type: ignore[arg-type]
        used.append(transport._publishing())

    monkeypatch.setattr(Transport, "publish", watched)
    with database.connect() as superuser:
        waiting.clear(superuser)
        for _ in range(3):
            sending.send(Message("maintenance.prune_tenant", "maintenance"))
        assert len(waiting.headers(superuser)) == 3
        waiting.clear(superuser)
    assert [one.execute(SESSION).fetchone() for one in set(used)] == [(0, "0")]
