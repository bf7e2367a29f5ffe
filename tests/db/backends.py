"""The server's side of connections."""

from tests.conftest import Database


def terminate(database: Database, backends: list[int]) -> None:
    """End connections from the server's side, and wait until they have ended."""
    with database.connect() as superuser:
        for backend in backends:
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
