"""`skeldir demo` goes from nothing to an answer that adds up."""

import re
from collections import Counter
from datetime import UTC, datetime

from skeldir.demo import report, story
from skeldir.demo.conduct import MODELS, Answer
from skeldir.demo.deliveries import deliveries
from tests.demo.conftest import Start

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_demo_proves_its_sums(start: Start) -> None:
    """Real processes, real HTTP: every proof holds, in every currency and under every model."""
    process = start("demo", "--exit")
    shown, errors = process.communicate(timeout=150)
    assert process.returncode == 0, shown + errors
    proofs = re.findall(r"✓ Σ allocations = ledger net, to the cent: (\S+ \w{3}) = (\S+ \w{3})", shown)
    assert len(proofs) == 2 * len(MODELS)
    assert all(left == right for left, right in proofs)
    spent = re.search(r"✓ Ad spend counted = ad spend told: (\S+) EUR = (\S+) EUR", shown)
    assert spent is not None
    assert spent[1] == spent[2]
    assert "Return on ad spend, EUR" in shown
    assert re.search(r"✓ Σ campaigns = channels = total, and the shares of orders to \d+ orders", shown)
    assert "✗" not in shown
    assert "Personal data kept: none" in shown
    for said in (
        "Google Search Paid",
        "the first receipt again",
        "refused (unauthorized)",
        "malformed_value, total_price",
    ):
        assert said in shown


def test_the_story_is_the_same_every_time() -> None:
    """Two tellings at one instant are equal, ids included."""
    first, second = story.orders(NOW), story.orders(NOW)
    assert first == second
    assert deliveries(first) == deliveries(second)


def test_the_story_has_every_mishap() -> None:
    """What every month brings: duplicates, refunds, personal data, malformed and forged webhooks."""
    told = Counter(one.mishap for one in deliveries(story.orders(NOW)))
    assert set(told) == {None, *report.MISHAPS}
    assert 40 <= len(story.orders(NOW)) <= 60


def test_a_cent_too_few_fails_the_proof() -> None:
    """The proof compares; it does not just print."""
    orders = story.orders(NOW)
    expected = story.expected_net(orders)

    def answered(error_cents: int) -> Answer:
        parts = [
            {"currency": code, "channels": [{"revenue_cents": cents + error_cents}]}
            for code, cents in expected.items()
        ]
        ledger = [{"currency": code, "net_cents": cents} for code, cents in expected.items()]
        return Answer({model: {"currencies": parts} for model in MODELS}, {"currencies": ledger}, expected)

    assert all(proof.holds for proof in report.proofs(answered(0), []))
    assert not all(proof.holds for proof in report.proofs(answered(-1), []))
