"""kombu's SQLAlchemy transport works on the migrated tables, without any right to make its own."""

from typing import Any

import pytest
from kombu.connection import Connection
from kombu.transport.sqlalchemy.models import ModelBase
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from skeldir.db.roles import Role
from skeldir.db.schema import METADATA
from tests.conftest import Database

kombu: Any = Connection  # it has no types


@pytest.mark.parametrize(("sender", "receiver"), [("app_user", "app_worker"), ("app_worker", "app_user")])
def test_a_message_goes_from_login_to_login(database: Database, sender: Role, receiver: Role) -> None:
    queue = f"from_{sender}"
    with connect(database, sender) as connection:
        connection.SimpleQueue(queue).put({"sent": sender})
    with connect(database, receiver) as connection:
        message = connection.SimpleQueue(queue).get(timeout=5)
        message.ack()

    assert message.payload == {"sent": sender}


def connect(database: Database, role: Role) -> Any:
    return kombu(f"sqla+{database.url(role).render_as_string(hide_password=False)}")


def test_the_tables_are_as_kombu_declares_them() -> None:
    with kombu("sqla+sqlite://") as connection:
        assert connection.default_channel  # opening one is what declares them
    declared: MetaData = ModelBase.metadata
    for table in ("kombu_queue", "kombu_message"):
        theirs, ours = ddl(declared, table), ddl(METADATA, table)
        assert ours == theirs
    assert {index.name for index in METADATA.tables["kombu_message"].indexes} == {
        index.name for index in declared.tables["kombu_message"].indexes
    }


def ddl(metadata: MetaData, table: str) -> list[str]:
    dialect: Any = postgresql.dialect  # no types either
    made = str(CreateTable(metadata.tables[table]).compile(dialect=dialect()))
    lines = [line.strip().strip(",").replace("SERIAL", "INTEGER") for line in made.splitlines()]
    return sorted(line.replace("CONSTRAINT kombu_queue_name_key ", "") for line in lines if line)
