"""What follows a request: its correlation id and the trace that its caller is in."""

from uuid import UUID

import pytest

from skeldir.observability import correlation

ID = "6f1c1d7e-6f4b-4a53-9d3e-3a2f4c0e8a11"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = f"00-{TRACE}-{PARENT}-01"


def test_a_callers_trace_is_passed_on_as_it_is() -> None:
    correlation.accept_or_make(ID, SENT)
    assert correlation.carried() == {"skeldir_correlation_id": ID, "traceparent": SENT}
    assert correlation.trace_id() == TRACE


def test_of_a_later_version_what_this_one_knows_is_passed_on() -> None:
    correlation.accept_or_make(ID, f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like")
    assert correlation.traceparent() == SENT


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "nonsense",
        f"{SENT}-more",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}",
        f"{SENT}\n",
    ],
)
def test_without_a_valid_one_the_correlation_id_begins_a_trace(sent: str | None) -> None:
    correlation.accept_or_make(ID, sent)
    assert correlation.trace_id() == UUID(ID).hex
    assert correlation.traceparent() == f"00-{UUID(ID).hex}-{UUID(ID).hex[16:]}-00"


def test_a_task_goes_on_with_what_its_message_carries() -> None:
    correlation.accept_or_make(ID, SENT)
    carried = correlation.carried()
    correlation.accept_or_make(None)
    assert correlation.trace_id() != TRACE

    correlation.accept(carried)

    assert (str(correlation.current()), correlation.trace_id()) == (ID, TRACE)


def test_an_id_of_zeros_is_no_trace() -> None:
    correlation.accept_or_make(str(UUID(int=0)))
    assert correlation.traceparent() is None
    correlation.accept_or_make(str(UUID(int=1 << 64)))
    assert correlation.traceparent() == "00-00000000000000010000000000000000-0000000000000001-00"
