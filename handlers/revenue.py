"""Operations of api-contracts/openapi/v1/revenue.yaml."""

from datetime import UTC, datetime, timedelta
from typing import Final

from generated.models.common_orders import (
    CurrencyNet,
    OrderCurrency,
    OrderEntry,
    OrderRevenue,
    RevenueStateTransition,
    UnresolvedOrder,
    UnresolvedOrderPage,
)
from skeldir.domain import revenue_states
from skeldir.domain.errors import NotFound
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.repository import order_revenue, payments
from skeldir.repository.order_revenue import Place, Question, UnresolvedReason

# No vendor delivers for longer than three days; what a week has not brought will not come by itself.
MISSING_AFTER: Final = timedelta(days=7)
OPERATION: Final = "listUnresolvedOrders"


def get_order_revenue(ctx: Context, *, order_id: str) -> OrderRevenue:
    """Derive an order's state and transitions from what its entries add up to."""
    order_id = payments.order_of(ctx.session, order_id)
    slots = order_revenue.slots(ctx.session, order_id)
    if not slots:
        raise NotFound("The ledger holds nothing of such an order.")
    standings = revenue_states.standings(slots)
    return OrderRevenue(
        order_id=order_id,
        state=revenue_states.state(standings.values()),
        currencies=[
            OrderCurrency(
                currency=currency,
                net_cents=standing.net_cents,
                captured_cents=standing.captured_cents,
                refunded_cents=standing.refunded_cents,
                disputed_cents=standing.disputed_cents,
            )
            for currency, standing in standings.items()
        ],
        transitions=[
            RevenueStateTransition.model_validate(transition, from_attributes=True)
            for transition in revenue_states.transitions(slots)
        ],
        entries=[
            OrderEntry.model_validate(entry, from_attributes=True)
            for entry in order_revenue.entries(ctx.session, order_id)
        ],
    )


def list_unresolved_orders(
    ctx: Context, *, reason: UnresolvedReason | None, currency: str | None, limit: int, cursor: str | None
) -> UnresolvedOrderPage:
    """List orders without a capture and payments without an order, the oldest first."""
    filters = {"reason": reason, "currency": currency}
    after = None
    if cursor is not None:
        effective_at, order_id = read_cursor(ctx.tenant_id, OPERATION, filters, cursor)
        after = Place(datetime.fromisoformat(effective_at), order_id)
    asked = Question(datetime.now(UTC) - MISSING_AFTER, reason, currency)
    found = order_revenue.unresolved(ctx.session, asked, after, limit + 1)
    shown, rest = found[:limit], found[limit:]
    net = order_revenue.net(ctx.session, [order.order_id for order in shown])
    next_cursor = None
    if rest:
        position = [shown[-1].effective_at.isoformat(), shown[-1].order_id]
        next_cursor = make_cursor(ctx.tenant_id, OPERATION, filters, position)
    return UnresolvedOrderPage(
        unresolved_orders=[
            UnresolvedOrder(
                order_id=order.order_id,
                reason=order.reason,
                effective_at=order.effective_at,
                net=[
                    CurrencyNet(currency=told_in, net_cents=cents)
                    for told_in, cents in net[order.order_id].items()
                ],
            )
            for order in shown
        ],
        next_cursor=next_cursor,
    )
