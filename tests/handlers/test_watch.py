"""Who asks often is told what is known, and nobody waits in a queue for what does not answer."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from handlers import watch
from handlers.watch import Remembered


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return how to let time pass."""
    now = [0.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])

    def advance(seconds: float) -> None:
        now[0] += seconds

    return advance


def test_an_answer_stays_good_for_a_while(clock: Callable[[float], None]) -> None:
    answers = iter("abc")
    look = Remembered(lambda: next(answers))
    assert [look(), look()] == ["a", "a"]
    clock(watch.FRESH_SECONDS)
    assert look() == "b"
    look.forget()
    assert look() == "c"


def test_what_took_long_to_find_out_stays_good_for_longer(clock: Callable[[float], None]) -> None:
    def ask() -> str:
        clock(1.0)
        return next(answers)

    answers = iter("ab")
    look = Remembered(ask)
    assert look() == "a"
    clock(watch.SHARE - 0.5)
    assert look() == "a"
    clock(0.5)
    assert look() == "b"


def test_while_one_asks_the_others_get_the_former_answer(clock: Callable[[float], None]) -> None:
    asking, may_answer = threading.Event(), threading.Event()
    answers = iter("ab")

    def ask() -> str:
        answer = next(answers)
        if answer == "b":
            asking.set()
            assert may_answer.wait(20)
        return answer

    look = Remembered(ask)
    assert look() == "a"
    clock(watch.FRESH_SECONDS)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(look)
        assert asking.wait(20)
        assert look() == "a"
        may_answer.set()
        assert first.result() == "b"


def test_what_failed_has_failed_for_all_who_ask_meanwhile(clock: Callable[[float], None]) -> None:
    tries = []

    def ask() -> str:
        tries.append(1)
        raise ConnectionError

    look = Remembered(ask)
    for _ in range(3):
        with pytest.raises(ConnectionError):
            look()
    assert len(tries) == 1
    clock(watch.FAILED_SECONDS)
    with pytest.raises(ConnectionError):
        look()
    assert len(tries) == 2


@pytest.mark.usefixtures("clock")
def test_a_failure_is_told_in_the_same_few_lines_however_often() -> None:
    def ask() -> str:
        raise ConnectionError

    look = Remembered(ask)
    lengths = set()
    for _ in range(5):
        with pytest.raises(ConnectionError) as told:
            look()
        lengths.add(len(told.traceback))
    assert len(lengths) <= 2  # of who asked, and of who was told
