"""The console's pages, as a browser without eyes sees them."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from skeldir.commands import provisioning
from skeldir.console.filters import read_filters
from skeldir.db.session import tenant_session
from skeldir.domain.errors import SkeldirError
from skeldir.http import sessions
from skeldir.repository import tokens, users
from skeldir.settings import get_settings
from tests.console.conftest import Shop, spend
from tests.identity import PASSWORD
from workers.uncertainty import refresh_intervals


def csrf(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def sign_in(client: FlaskClient, shop: Shop, password: str = PASSWORD, **changes: str) -> TestResponse:
    form = {
        "csrf_token": csrf(client.get("/sign-in")),
        "tenant_id": str(shop.tenant_id),
        "email": shop.user.email,
        "password": password,
    }
    return client.post("/sign-in", data=form | changes)


def plain(page: TestResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_whoever_is_not_signed_in_is_sent_to_sign_in(client: FlaskClient) -> None:
    """The overview shows nothing to strangers."""
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_signing_in_shows_the_revenue(client: FlaskClient, shop: Shop) -> None:
    """The overview has the channels, the ledger and the last deliveries, in each currency's own decimals."""
    assert sign_in(client, shop).location == "/"
    text = plain(client.get("/"))
    assert "Fjord Running" in text
    assert re.search(r"Google Search Paid paid 50\.0 % 35\.00", text)
    assert "70.00 EUR" in text
    assert "4,300 JPY" in text
    assert re.search(
        r"Captured 1 100\.00 Refunded 1 \N{MINUS SIGN}30\.00 Net 70\.00 of it pending 0\.00", text
    )
    assert "unknown provider event in X-Shopify-Topic" in text


def test_ad_spend_stands_beside_what_it_brought(client: FlaskClient, shop: Shop) -> None:
    """Return and cost per order of each channel, also of one that brought nothing; before, no columns."""
    sign_in(client, shop)
    assert "ROAS" not in plain(client.get("/"))
    spend(shop)
    text = plain(client.get("/"))
    orders = r"35\.00 .{0,30}15\.00 1 order"
    assert re.search(rf"Google Search Paid paid 50\.0 % {orders} spent 12\.50 ROAS 2\.80. CPA 25\.00 ", text)
    assert re.search(r"Facebook Paid paid 0\.0 % 0\.00 . 0 orders spent 5\.00 ROAS 0\.00. . ", text)
    assert re.search(rf"Email 50\.0 % {orders} . . . ", text)
    assert "Ad spend 17.50 Blended return 4.00" in text
    assert "Ad spend 7.00 Blended return 0.00" in text


def test_the_model_decides_who_is_credited(client: FlaskClient, shop: Shop) -> None:
    """Another model is another split of the same revenue."""
    sign_in(client, shop)
    assert "Email 100.0 % 70.00" in plain(client.get("/?model=last_touch"))
    assert "Google Search Paid paid 100.0 % 70.00" in plain(client.get("/?model=first_touch"))
    page = client.get("/?model=last_touch")
    assert re.search(r'aria-current="true">Last touch<', page.text)


def test_a_channel_shows_how_certain_its_figure_is(
    client: FlaskClient, make_shop: Callable[..., Shop]
) -> None:
    """Where intervals are stored the table has a range for eyes and words for ears; elsewhere neither."""
    shop = make_shop("Fjord Running", crowd=60)
    sign_in(client, shop)
    assert "likely between" not in client.get("/").text
    refresh_intervals.apply(kwargs={"tenant_id": str(shop.tenant_id)}, task_id=str(uuid4())).get()
    page = client.get("/")
    told = re.search(
        r"likely between (\d+\.\d\d) to and (\d+\.\d\d) , its place (\S+) % certain", plain(page)
    )
    assert told is not None, plain(page)
    assert 0 < float(told[1]) < float(told[2])
    assert 'class="range"' in page.text
    assert "95 % of the time" in plain(page)
    assert "likely between" not in client.get("/?start_date=2020-01-01").text


def test_days_bound_what_is_counted(client: FlaskClient, shop: Shop) -> None:
    """A range of days without orders is empty; the ledger's totals stay whole."""
    sign_in(client, shop)
    text = plain(client.get("/?start_date=2020-01-01&end_date=2020-01-31"))
    assert "Nothing booked in these days" in text
    assert "Net 70.00" in text


@pytest.mark.parametrize(
    "query",
    [
        "model=best",
        "start_date=yesterday",
        "end_date=2026-13-01",
        "start_date=2026-02-02&end_date=2026-01-01",
    ],
)
def test_an_address_that_makes_no_sense_is_explained(client: FlaskClient, shop: Shop, query: str) -> None:
    """The page is shown all the same, and says what it left out."""
    sign_in(client, shop)
    answer = client.get(f"/?{query}")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong password"},
        {"email": "nobody@example.test"},
        {"tenant_id": "0198c0de-0000-7000-8000-00000000a001"},
        {"email": "nul\x00@example.test"},
    ],
)
def test_a_wrong_sign_in_says_only_that(client: FlaskClient, shop: Shop, changes: dict[str, str]) -> None:
    """Whichever part was wrong, the answer is one and the same, and nobody is signed in."""
    answer = sign_in(client, shop, **changes)
    assert answer.status_code == 401
    assert "The e-mail address, the password or the tenant is wrong." in answer.text
    assert "wrong password" not in answer.text
    assert client.get("/").status_code == 303


def test_a_tenant_that_is_no_id_is_said(client: FlaskClient, shop: Shop) -> None:
    """A mistyped tenant is told apart from a wrong one: it is no secret how an id looks."""
    answer = sign_in(client, shop, tenant_id="fjord")
    assert answer.status_code == 400
    assert "36 characters" in answer.text


def test_the_api_and_the_console_count_failures_together(client: FlaskClient, shop: Shop) -> None:
    """Guesses at the API use up the tries at the console."""
    for _ in range(get_settings().login_failures_max):
        assert isinstance(sessions.log_in(shop.tenant_id, shop.user.email, "wrong"), SkeldirError)
    answer = sign_in(client, shop)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many tries" in answer.text


def test_a_form_from_elsewhere_is_refused(client: FlaskClient, shop: Shop) -> None:
    """Without the form's secret, or from another origin, nothing is done."""
    assert sign_in(client, shop, csrf_token="guessed").status_code == 403
    sign_in(client, shop)
    page = client.get("/")
    assert client.post("/sign-out").status_code == 403
    assert client.post("/sign-out", data={"csrf_token": csrf(page) + "x"}).status_code == 403
    elsewhere = {"Origin": "https://evil.example"}
    assert client.post("/sign-out", data={"csrf_token": csrf(page)}, headers=elsewhere).status_code == 403
    assert client.get("/").status_code == 200


def test_the_form_of_before_the_sign_in_is_of_no_use_after(client: FlaskClient, shop: Shop) -> None:
    """A secret that somebody planted before the sign-in opens nothing after it."""
    before = csrf(client.get("/sign-in"))
    sign_in(client, shop)
    assert client.post("/sign-out", data={"csrf_token": before}).status_code == 403


def test_reading_changes_nothing(client: FlaskClient, shop: Shop) -> None:
    """Signing out needs a form: a link or an image cannot do it."""
    sign_in(client, shop)
    refused = client.get("/sign-out")
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert client.get("/").status_code == 200


def test_signing_out_ends_the_session(client: FlaskClient, shop: Shop) -> None:
    """A copy of the cookie is worthless after signing out."""
    sign_in(client, shop)
    kept = client.get_cookie("skeldir_console")
    assert kept is not None
    answer = client.post("/sign-out", data={"csrf_token": csrf(client.get("/"))})
    assert "signed_out=1" in answer.location
    client.set_cookie("skeldir_console", kept.value)
    assert client.get("/").status_code == 303


def cut_off(shop: Shop) -> None:
    with tenant_session(shop.tenant_id) as session:
        tokens.raise_cutoff(session, shop.user.user_id)


def expel(shop: Shop) -> None:
    with provisioning.provisioning(shop.tenant_id) as session:
        users.revoke_membership(session, shop.user.user_id)


def suspend(shop: Shop) -> None:
    provisioning.set_status(shop.tenant_id, "suspended")


@pytest.mark.parametrize("ending", [cut_off, expel, suspend])
def test_an_administrator_can_end_it_at_once(
    client: FlaskClient, shop: Shop, ending: Callable[[Shop], None]
) -> None:
    """A cut-off, a lost membership and a suspended tenant all end the sign-in before its next page."""
    sign_in(client, shop)
    assert client.get("/").status_code == 200
    ending(shop)
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (303, f"/sign-in?tenant={shop.tenant_id}")


def test_an_altered_cookie_is_no_cookie(client: FlaskClient, shop: Shop) -> None:
    """The cookie is sealed."""
    sign_in(client, shop)
    kept = client.get_cookie("skeldir_console")
    assert kept is not None
    middle = len(kept.value) // 2
    other = "A" if kept.value[middle] != "A" else "B"
    client.set_cookie("skeldir_console", kept.value[:middle] + other + kept.value[middle + 1 :])
    assert client.get("/").status_code == 303


def test_a_tenant_sees_only_its_own(
    client: FlaskClient, shop: Shop, make_shop: Callable[[str], Shop]
) -> None:
    """Another tenant's revenue, deliveries and name are invisible."""
    other = make_shop("Another Shop")
    sign_in(client, other)
    text = plain(client.get("/"))
    assert "Another Shop" in text
    assert "Fjord" not in text
    assert text.count("1 order") == plain(client.get("/")).count("1 order")
    assert "140.00" not in text
    del shop


def test_every_page_is_hardened(client: FlaskClient, shop: Shop) -> None:
    """Nothing is loaded from elsewhere, framed, cached or sniffed; the cookie is for HTTP alone."""
    answer = sign_in(client, shop)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    for path in ("/", "/sign-in", "/nowhere"):
        page = client.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script|\sstyle=|\son\w+=|https?://", page.text)


def test_the_cookie_is_secure_over_https(client: FlaskClient) -> None:
    """Over HTTPS the cookie never travels in the clear."""
    answer = client.get("/sign-in", base_url="https://console.example")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_what_is_not_there_is_said_kindly(client: FlaskClient) -> None:
    """An unknown page is a page too, with a way back and a reference for whoever asks."""
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "Back to the overview" in answer.text
    assert re.search(r"<code>[0-9a-f-]{36}</code>", answer.text)


def test_names_are_text(client: FlaskClient, make_shop: Callable[[str], Shop]) -> None:
    """A tenant's name cannot become markup."""
    sign_in(client, make_shop("<b>Bold & Sons</b>"))
    page = client.get("/")
    assert "&lt;b&gt;Bold &amp; Sons&lt;/b&gt;" in page.text


def test_filters_default_to_everything_under_linear() -> None:
    """An empty address shows all days under the linear model."""
    filters = read_filters({})
    assert (filters.model, filters.is_bounded, filters.refusal) == ("linear", False, None)
