"""Handlers run in as many threads as there are connections, in their request's context."""

import asyncio
import threading

import pytest

from skeldir.domain.errors import Unavailable
from skeldir.http import pool as pools
from skeldir.http.pool import HandlerPool
from skeldir.observability import correlation


def test_no_more_run_at_once_than_there_are_threads() -> None:
    pool = HandlerPool(3)
    lock, gate = threading.Lock(), threading.Event()
    running: list[int] = [0, 0]

    def work() -> None:
        with lock:
            running[0] += 1
            running[1] = max(running)
            if running[0] == 3:
                gate.set()
        assert gate.wait(10)
        with lock:
            running[0] -= 1

    async def main() -> None:
        await asyncio.gather(*(pool.run(work) for _ in range(20)))

    asyncio.run(main())
    pool.close()
    assert running == [0, 3]


def test_a_result_or_an_error_comes_back_to_who_asked() -> None:
    pool = HandlerPool(1)

    async def main() -> int:
        with pytest.raises(ZeroDivisionError):
            await pool.run(divmod, 1, 0)
        return len(await pool.run(divmod, 1, 1))

    assert asyncio.run(main()) == 2
    pool.close()


def test_the_context_of_the_request_goes_along() -> None:
    pool = HandlerPool(1)

    async def main() -> bool:
        made = correlation.accept_or_make(None)
        return await pool.run(correlation.current) == made

    assert asyncio.run(main())
    pool.close()


def test_who_gives_up_waiting_harms_nobody() -> None:
    pool = HandlerPool(1)
    gate = threading.Event()

    async def main() -> int:
        waiting = asyncio.create_task(pool.run(gate.wait, 10))
        await asyncio.sleep(0)
        waiting.cancel()
        gate.set()
        return await pool.run(int, "7")

    assert asyncio.run(main()) == 7
    pool.close()


def test_too_many_are_sent_away_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "WAITING_PER_THREAD_MAX", 2)
    pool = HandlerPool(1)
    gate = threading.Event()

    async def main() -> list[object]:
        tasks = [asyncio.create_task(pool.run(gate.wait, 10)) for _ in range(10)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(main())
    refused = [result for result in results if isinstance(result, Unavailable)]
    assert refused
    assert all(error.headers["Retry-After"] == "1" for error in refused)
    assert results.count(True) == len(results) - len(refused)
    pool.close()


def test_a_closed_pool_starts_again_when_it_is_asked() -> None:
    pool = HandlerPool(2)
    pool.close()
    assert asyncio.run(pool.run(int, "7")) == 7
    pool.close()
    assert asyncio.run(pool.run(int, "8")) == 8
    pool.close()
