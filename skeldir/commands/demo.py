"""`skeldir demo`: from nothing to an answer, with the proof that it adds up."""

import sys
import time
from collections.abc import Callable
from typing import Annotated, Self, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from skeldir.commands.up import Port, fail, show_entrance
from skeldir.commands.up_service import Options, Service, running
from skeldir.db.session import tenant_session
from skeldir.demo import report
from skeldir.demo.conduct import Advance, Answer, DemoFailed, Sent, Shop
from skeldir.demo.payloads import PERSONAL_TEXTS
from skeldir.repository import stored_texts
from skeldir.settings import get_settings
from skeldir.supervisor import ChildEnded, Stopped, stoppable

Result = TypeVar("Result")


def demo(
    *,
    leave: Annotated[
        bool, typer.Option("--exit", help="End after the answer instead of staying up.")
    ] = False,
    port: Port = 0,
) -> None:
    """Show the main job: a month of a small shop goes in, revenue per marketing channel comes out.

    Real processes and real HTTP, with a database that is thrown away (unless DATABASE_URL is set: then
    a new tenant of that database). Exit code 1 if the answer does not add up to the cent.
    """
    console = Console(highlight=False)
    options = Options(
        port=port,
        ephemeral=get_settings().database_url is None,
        tenant_name="Fjord Running (demo)",
        remember=False,
    )
    try:
        with stoppable():
            holds = _tell(console, options, leave=leave)
    except Stopped:
        console.print("Stopped.", style="dim")
        return
    except ChildEnded as ended:
        fail(ended)
    except DemoFailed as failure:
        console.print(Text(f"✗ {failure}", "bold red"), soft_wrap=True)
        sys.exit(1)
    sys.exit(0 if holds else 1)


def _tell(console: Console, options: Options, *, leave: bool) -> bool:
    began = time.monotonic()
    with Steps(console) as steps, running(options, steps.say) as service:
        try:
            sent, answer = _story(service, steps)
        except DemoFailed as failure:
            raise DemoFailed(f"{failure}\n{service.supervisor.last_lines()}") from None
        steps.stop()
        lines = [*report.proofs(answer, sent), report.privacy(_count_personal(service))]
        shown = (*report.channels(answer, console.width), *report.spend(answer))
        for part in (*shown, report.ledger(answer), report.mishaps(sent)):
            console.print(part)
        console.print(report.proof_text(lines))
        console.print(f"From nothing to the answer in {time.monotonic() - began:.1f} seconds.", style="dim")
        if not leave:
            show_entrance(console, service)
            console.print("Look around; Ctrl-C ends it and throws the data away.", style="dim")
            service.supervisor.watch()
        return all(line.holds for line in lines)


def _count_personal(service: Service) -> int:
    """Look behind the API: count where the database kept anything of the personal data that was sent."""
    with tenant_session(UUID(service.credentials.tenant_id), read_only=True) as session:
        return stored_texts.count_containing(session, PERSONAL_TEXTS)


def _story(service: Service, steps: "Steps") -> tuple[list[Sent], Answer]:
    facts = service.credentials.facts(service.base_url)
    with Shop(service.base_url, facts) as shop:
        steps.run("Recording how people came to the shop", shop.record_touchpoints)
        sent = steps.run("Sending a month of signed webhooks", shop.deliver)
        answer = steps.run(
            "Waiting for the worker", lambda advance: shop.answer(advance, service.supervisor.check)
        )
    return sent, answer


class Steps:
    """Says what is being done: a live bar on a terminal, one line with the time per step anywhere else."""

    def __init__(self, console: Console) -> None:
        """Nothing is shown before the first step."""
        self._console = console
        self._began = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24))
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar away."""
        self._progress.stop()

    def say(self, text: str) -> None:
        """Show what is being done now."""
        self._progress.update(self._task, description=text, total=None)
        if not self._console.is_terminal:
            self._console.print(f"{time.monotonic() - self._began:5.1f} s  {text}")

    def run(self, text: str, step: Callable[[Advance], Result]) -> Result:
        """Run one step, which tells how far it is."""
        self.say(text)

        def advance(done: int, total: int) -> None:
            self._progress.update(self._task, completed=done, total=total)

        return step(advance)
