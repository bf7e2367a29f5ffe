"""The threads that run synchronous handlers: as many as there are database connections for them."""

import contextvars
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from skeldir.domain.errors import Unavailable

Result = TypeVar("Result")

WAITING_PER_THREAD_MAX: Final = 100
"""Who would wait longer than this many handlers before him is better told to come back."""


@dataclass(slots=True)
class _Job:
    loop: AbstractEventLoop
    future: "Future[Any]"
    context: contextvars.Context
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    result: Any = None
    error: BaseException | None = None

    def work(self) -> None:
        try:
            self.result = self.context.run(self.function, *self.arguments)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
            self.error = error

    def settle(self) -> None:
        if self.future.cancelled():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class HandlerPool:
    """Runs functions in a fixed number of threads, started when first needed.

    Leaner than an executor of the standard library, whose futures are locked and chained: the way
    to a thread and back is most of what a quick handler costs.
    """

    def __init__(self, threads: int) -> None:
        """Prepare for so many threads."""
        self._threads = threads
        self._started = False
        self._starting = Lock()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:  # noqa: ANN401
        """Run a function in a thread, in the caller's context; raises Unavailable when too many wait."""
        if not self._started:
            self._start()
        if self._jobs.qsize() >= self._threads * WAITING_PER_THREAD_MAX:
            raise Unavailable("Too many requests are waiting already.", headers={"Retry-After": "1"})
        loop = get_running_loop()
        future: Future[Result] = loop.create_future()
        self._jobs.put(_Job(loop, future, contextvars.copy_context(), function, arguments))
        return await future

    def close(self) -> None:
        """Let the threads end when the waiting jobs are done."""
        with self._starting:
            if self._started:
                self._started = False
                for _ in range(self._threads):
                    self._jobs.put(None)

    def _start(self) -> None:
        with self._starting:
            if not self._started:
                self._started = True
                for number in range(self._threads):
                    Thread(target=self._work, name=f"handler-{number}", daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.work()
            try:
                job.loop.call_soon_threadsafe(job.settle)
            except RuntimeError:  # the loop was closed: nobody waits any more
                continue
