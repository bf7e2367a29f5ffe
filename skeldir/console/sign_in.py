"""Signing in and out, by the same rules and the same counters as the API's login."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skeldir.console import cookies
from skeldir.console.visit import end_visit
from skeldir.domain.errors import SkeldirError, TooManyRequests
from skeldir.http.sessions import log_in

EMAIL_LENGTH_MAX = 254
PASSWORD_LENGTH_MAX = 1_000
WRONG = "The e-mail address, the password or the tenant is wrong."
STALE_FORM = (
    "The form was not sent from this page, or your browser keeps no cookies. Open it again and retry."
)

pages = Blueprint("session", __name__)


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody typed, without the password."""

    tenant_id: str
    email: str = ""


@pages.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    """Show the form, with the tenant filled in when the address names it."""
    notice = "You are signed out." if request.args.get("signed_out") else None
    return _form(Entered(request.args.get("tenant", "")[:36]), notice=notice)


@pages.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Begin a session, or show the form again with the reason."""
    browser = cookies.read_browser()
    if browser is None or not browser.sent_our_form():
        abort(403, description=STALE_FORM)
    entered = Entered(request.form.get("tenant_id", "").strip(), request.form.get("email", "").strip())
    password = request.form.get("password", "")
    try:
        tenant_id = UUID(entered.tenant_id)
    except ValueError:
        return _form(entered, refusal="A tenant is named by its id, 36 characters long.", status=400)
    if not _is_plausible(entered.email, password):
        return _form(entered, refusal=WRONG, status=401)
    begun = log_in(tenant_id, entered.email, password)
    if isinstance(begun, SkeldirError):
        response = _form(entered, refusal=_why(begun), status=begun.status)
        response.headers.update(begun.headers)
        return response
    response = make_response(redirect(url_for("overview.show"), 303))
    return cookies.give(response, cookies.fresh_browser(begun.tokens.refresh))


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session for the API too, and forget it here."""
    browser = cookies.read_browser()
    if browser is None or not browser.sent_our_form():
        abort(403, description=STALE_FORM)
    tenant = ""
    if browser.refresh_token is not None:
        tenant = str(browser.refresh_token.tenant_id)
        end_visit(browser.refresh_token)
    response = make_response(redirect(url_for("session.show_sign_in", tenant=tenant, signed_out=1), 303))
    return cookies.give(response, cookies.fresh_browser())


def _is_plausible(email: str, password: str) -> bool:
    """Tell whether it can be a login at all; a NUL would not even reach the comparison."""
    return (
        0 < len(email) <= EMAIL_LENGTH_MAX
        and 0 < len(password) <= PASSWORD_LENGTH_MAX
        and "\x00" not in email + password
    )


def _why(refusal: SkeldirError) -> str:
    if not isinstance(refusal, TooManyRequests):
        return WRONG
    minutes = max(1, -(-int(refusal.headers.get("Retry-After", "60")) // 60))
    return f"Too many tries. Wait {minutes} {'minute' if minutes == 1 else 'minutes'}, then try again."


def _form(
    entered: Entered, *, notice: str | None = None, refusal: str | None = None, status: int = 200
) -> Response:
    browser = cookies.read_browser() or cookies.fresh_browser()
    page = render_template(
        "sign_in.html", csrf_token=browser.csrf_token, entered=entered, notice=notice, refusal=refusal
    )
    return cookies.give(make_response(page, status), browser)
