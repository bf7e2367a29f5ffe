"""The overview: revenue by channel, ledger totals, and what became of the last deliveries."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handlers import attribution
from handlers.webhooks import base as deliveries
from skeldir.console import cookies
from skeldir.console.filters import MODELS, Filters, read_filters
from skeldir.console.spending import read_spending, with_spending
from skeldir.console.visit import SessionEnded, Visit, reading

DELIVERIES_SHOWN = 10

pages = Blueprint("overview", __name__)


@pages.get("/")
def show() -> ResponseReturnValue:
    """Show the overview to whoever is signed in; send anybody else to sign in."""
    browser = cookies.read_browser()
    if browser is None or browser.refresh_token is None:
        return redirect(url_for("session.show_sign_in"), 303)
    filters = read_filters(request.args)
    try:
        with reading(browser.refresh_token) as visit:
            figures = _figures(visit, filters)
    except SessionEnded:
        tenant = str(browser.refresh_token.tenant_id)
        response = make_response(redirect(url_for("session.show_sign_in", tenant=tenant), 303))
        return cookies.give(response, cookies.fresh_browser())
    return render_template("overview.html", csrf_token=browser.csrf_token, **figures)


def _figures(visit: Visit, filters: Filters) -> dict[str, Any]:
    """Read everything from one snapshot, by the same handlers that answer the API."""
    now = datetime.now(UTC)
    context = visit.context
    report = attribution.get_channel_attribution(
        context,
        model=filters.model,
        mode="cash",
        start_date=filters.start_date,
        end_date=filters.end_date,
        currency=None,
    )
    spending = read_spending(context, filters)
    whole = report
    if filters.is_bounded:
        whole = attribution.get_channel_attribution(
            context, model=filters.model, mode="cash", start_date=None, end_date=None, currency=None
        )
    ledger = attribution.get_ledger_totals(context)
    page = deliveries.list_deliveries(context, vendor=None, outcome=None, limit=DELIVERIES_SHOWN, cursor=None)
    return {
        "account": visit.signed_in,
        "as_of": now,
        "filters": filters,
        "models": [{"code": code, "name": name} for code, (name, _) in MODELS.items()],
        "model_name": MODELS[filters.model][0],
        "explanation": MODELS[filters.model][1],
        "periods": filters.periods(now.date()),
        "report": with_spending(report.currencies, spending),
        "spending": spending,
        "ledger": ledger.currencies,
        "pending": {part.currency: part.pending_cents for part in whole.currencies},
        "deliveries": [delivery.model_dump() for delivery in page.deliveries],
    }
