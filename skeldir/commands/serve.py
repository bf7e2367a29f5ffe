"""The parts of the service one by one: `skeldir api`, `worker`, `beat` and `migrate`."""

import json
import secrets
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
import uvicorn
from celery.signals import worker_ready
from uvicorn.supervisors import Multiprocess

from skeldir.security.keys import new_ring_document
from skeldir.settings import get_settings
from skeldir.supervisor import end_with_parent

QUEUES: Final = "attribution,llm,maintenance,housekeeping"
GRACEFUL_SECONDS: Final = 8

PULSE_SECONDS: Final = 10.0

Pulse = Annotated[
    Path | None, typer.Option(help="A file to touch every few seconds while all is well, for health checks.")
]
Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]


def api(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at; 0 picks one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    descriptor: Annotated[int | None, typer.Option("--fd", hidden=True)] = None,
    supervised: Supervised = False,  # noqa: FBT002 - typer reads flags this way
) -> None:
    """Serve the API, the contracts' documents and the console."""
    if supervised:
        end_with_parent()
    config = uvicorn.Config(
        "skeldir.app:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="skeldir.http.connections:PatientProtocol",
        lifespan="on",
        timeout_keep_alive=get_settings().keep_alive_seconds_max,
        server_header=False,
        access_log=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    # uvicorn raises the signal again when it has stopped; the default would skip all exit handlers.
    signal.signal(signal.SIGTERM, _leave)
    listener = config.bind_socket() if descriptor is None else socket.socket(fileno=descriptor)
    if workers > 1:
        listener.set_inheritable(True)
        Multiprocess(config, sockets=[listener]).run()
    else:
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            raise typer.Exit(3)


def worker(
    queues: Annotated[str, typer.Option(help="The queues to consume, with commas between.")] = QUEUES,
    concurrency: Annotated[int, typer.Option(min=1, help="How many tasks run at once.")] = 1,
    runs_beat: Annotated[bool, typer.Option("--beat", help="Run the schedule too.")] = False,  # noqa: FBT002
    pulse: Pulse = None,
    supervised: Supervised = False,  # noqa: FBT002 - typer reads flags this way
) -> None:
    """Run a Celery worker."""
    if supervised:
        end_with_parent()
    if pulse is not None:
        worker_ready.connect(lambda sender, **_: _pulsate(sender, pulse), weak=False)
    # Remote control knows workers by their names, and several may run on one machine.
    name = f"--hostname=celery-{secrets.token_hex(4)}@%h"
    arguments = ["worker", name, f"--queues={queues}", f"--concurrency={concurrency}", "--loglevel=INFO"]
    _celery([*arguments, *(["--beat"] if runs_beat else [])])


def beat(pulse: Pulse = None) -> None:
    """Send the tasks of the schedule; of several that run, one does, and another takes over when it ends."""
    if pulse is not None:
        from workers.beat import ticked  # noqa: PLC0415 - see _celery

        ticked.connect(lambda **_: pulse.touch(), weak=False)
    _celery(["beat", "--pidfile=", "--loglevel=INFO"])


def migrate() -> None:
    """Bring the database to the newest schema and make the roles that are missing."""
    from skeldir.db import migrate as migrations  # noqa: PLC0415 - nor need the others Alembic

    migrations.upgrade()
    typer.echo(f"The schema is at revision {', '.join(migrations.current_heads())}.")


def new_keys() -> None:
    """Print a fresh key ring on one line, for the variable SKELDIR_KEYS."""
    typer.echo(json.dumps(json.loads(new_ring_document())))


def _celery(arguments: list[str]) -> None:
    from workers.app import app  # noqa: PLC0415 - the API must not load Celery's worker

    app.start(arguments)


def _pulsate(consumer: Any, file: Path) -> None:  # noqa: ANN401 - Celery has no types
    """Touch the file from the consumer's own timer: it grows old when the worker hangs."""
    file.touch()
    consumer.timer.call_repeatedly(PULSE_SECONDS, file.touch)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
