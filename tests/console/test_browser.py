"""The console in a real browser, as people use it."""

import os
import shutil
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console.conftest import Shop, spend
from tests.identity import PASSWORD
from workers.uncertainty import refresh_intervals

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    f"--{flag}"
    for flag in (
        "no-sandbox",
        "no-first-run",
        "disable-gpu",
        "disable-quic",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]
WIDTHS = (1280, 360)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine's PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, base_url: str) -> Iterator[Page]:
    """Open a page that reports every error of the browser's console, policy violations among them."""
    context = browser.new_context(base_url=f"{base_url}/", locale="en-GB")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [text for text in complaints if "status of 40" not in text] == []


def sign_in(page: Page, shop: Shop, password: str = PASSWORD) -> None:
    page.goto(f"sign-in?tenant={shop.tenant_id}")
    page.get_by_label("E-mail").fill(shop.user.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_and_switching_the_model(page: Page, shop: Shop) -> None:
    """Somebody signs in, compares two models, and signs out; going back shows nothing any more."""
    sign_in(page, shop)
    expect(page.get_by_role("heading", name="Revenue by channel")).to_be_visible()
    first = page.get_by_role("table").first.locator("tbody tr").first
    expect(first).to_contain_text("35.00")

    page.get_by_role("link", name="Last touch", exact=True).click()
    expect(page.get_by_role("link", name="Last touch", exact=True)).to_have_attribute("aria-current", "true")
    expect(first).to_contain_text("Email")
    expect(first).to_contain_text("100.0 %")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.goto("./")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_ad_spend_and_its_return(page: Page, shop: Shop) -> None:
    """The columns appear with the first spend, and follow the model: who is credited decides the return."""
    sign_in(page, shop)
    expect(page.get_by_role("columnheader", name="ROAS")).to_have_count(0)
    spend(shop)
    page.reload()
    row = page.get_by_role("row", name="Google Search Paid")
    expect(page.get_by_role("columnheader", name="ROAS").first).to_be_visible()
    expect(row).to_contain_text("2.80")
    page.get_by_role("link", name="First touch").click()
    expect(row).to_contain_text("5.60")


def test_choosing_days(page: Page, shop: Shop) -> None:
    """The form of days keeps the model, and the ready-made periods are marked."""
    sign_in(page, shop)
    page.get_by_role("link", name="First touch").click()
    page.get_by_label("From").fill("2020-01-01")
    page.get_by_label("To").fill("2020-01-31")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Nothing booked in these days")).to_be_visible()
    expect(page.get_by_role("link", name="First touch")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")


def test_a_wrong_password(page: Page, shop: Shop) -> None:
    """The refusal is announced, what was typed stays, the password does not."""
    sign_in(page, shop, "wrong password")
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    expect(page.get_by_label("E-mail")).to_have_value(shop.user.email)
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()


def test_a_tampered_form(page: Page, shop: Shop) -> None:
    """A form whose secret is not ours is refused with a page, and the session goes on."""
    sign_in(page, shop)
    page.locator("[name=csrf_token]").first.evaluate("field => field.value = 'guessed'")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Forbidden")).to_be_visible()
    page.get_by_role("link", name="Back to the overview").click()
    expect(page.get_by_role("heading", name="Revenue by channel")).to_be_visible()


def test_it_works_with_the_keyboard_alone(page: Page, shop: Shop) -> None:
    """Enter sends the form; the first stop on the overview skips to the content."""
    page.goto(f"sign-in?tenant={shop.tenant_id}")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(shop.user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Revenue by channel")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(page: Page, make_shop: Callable[..., Shop], width: int, scheme: str) -> None:
    """No page scrolls sideways, on a phone or a desk, in the light or the dark."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    shop = make_shop("A Shop With A Name That Is Rather Longer Than Anybody Would Expect", crowd=80)
    spend(shop)
    refresh_intervals.apply(kwargs={"tenant_id": str(shop.tenant_id)}, task_id=str(uuid4())).get()
    page.goto("sign-in")
    assert overflow(page) == 0
    sign_in(page, shop)
    expect(page.get_by_role("heading", name="Revenue by channel")).to_be_visible()
    assert overflow(page) == 0
    folder = os.environ.get("SKELDIR_TEST_SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/overview-{width}-{scheme}.png", full_page=True)


def overflow(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
