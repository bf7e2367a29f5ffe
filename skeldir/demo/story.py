"""What happened at the shop: who came how, who bought what. The same story every time, ending now."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import NAMESPACE_URL, uuid5

Told = Literal["pending_then_paid", "paid_at_once", "by_processor", "by_both"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a visit came from, in the words of its landing address."""

    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    click_id: str | None = None
    referrer_host: str | None = None

    def told(self) -> dict[str, str]:
        """Return what is known, as recordTouchpoints takes it."""
        names = ("utm_source", "utm_medium", "utm_campaign", "click_id", "referrer_host")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


SEARCH_AD: Final = Origin("google", "cpc", "trail-shoes", "gclid")
BRAND_AD: Final = Origin("google", "cpc", "brand", "gclid")
INSTAGRAM_AD: Final = Origin("instagram", "paid_social", "autumn-launch", "fbclid")
FACEBOOK_AD: Final = Origin("facebook", "paid_social", "back-in-stock", "fbclid")
TIKTOK_AD: Final = Origin("tiktok", "paid_social", "creator-week", "ttclid")
NEWSLETTER: Final = Origin("newsletter", "email", "sunday-long-run")
CART_MAIL: Final = Origin("klaviyo", "email", "left-in-cart")
ORGANIC: Final = Origin(referrer_host="www.google.com")
FORUM: Final = Origin(referrer_host="forum.trailrunners.example")
DIRECT: Final = Origin()

# How people found their way, the most usual ways more than once.
PATHS: Final[Sequence[tuple[Origin, ...]]] = (
    (INSTAGRAM_AD, ORGANIC, NEWSLETTER, DIRECT),
    (SEARCH_AD,),
    (TIKTOK_AD, BRAND_AD),
    (ORGANIC, SEARCH_AD),
    (SEARCH_AD, CART_MAIL),
    (FACEBOOK_AD, INSTAGRAM_AD, BRAND_AD),
    (FORUM, ORGANIC, SEARCH_AD),
    (NEWSLETTER,),
    (INSTAGRAM_AD, CART_MAIL),
    (TIKTOK_AD, INSTAGRAM_AD, ORGANIC, SEARCH_AD, DIRECT),
    (INSTAGRAM_AD, DIRECT),
    (SEARCH_AD, FACEBOOK_AD, NEWSLETTER),
    (ORGANIC, NEWSLETTER, DIRECT),
)
# What each campaign costs on a day, in cents, and about how many clicks that buys.
SPEND: Final[Sequence[tuple[str, Origin, int, int]]] = (
    ("google_search_paid", SEARCH_AD, 1_450, 21),
    ("google_search_paid", BRAND_AD, 310, 9),
    ("facebook_paid", INSTAGRAM_AD, 1_180, 34),
    ("facebook_paid", FACEBOOK_AD, 540, 16),
    ("tiktok_paid", TIKTOK_AD, 760, 52),
)
PRICES_CENTS: Final = (12_900, 14_950, 2_490, 8_900, 5_450, 3_240)
YEN: Final = (9_800, 15_600, 4_300)

SHOP_ORDERS: Final = 38
PROCESSOR_ORDERS: Final = 7
HINTED_ORDER: Final = 30  # nobody recorded how this buyer came, but the order's cart attributes say it
UNKNOWN_ORDER: Final = 33  # and of this one nothing is known at all


@dataclass(frozen=True, slots=True)
class Visit:
    """One touch of a journey."""

    journey_id: str
    number: int
    at: datetime
    origin: Origin

    def told(self) -> dict[str, str]:
        """Return the touchpoint as recordTouchpoints takes it."""
        name = f"https://shop.example/{self.journey_id}/{self.number}/{self.at.isoformat()}"
        return {
            "touchpoint_id": str(uuid5(NAMESPACE_URL, name)),
            "journey_id": self.journey_id,
            "occurred_at": self.at.isoformat(),
            **self.origin.told(),
        }


@dataclass(frozen=True, slots=True)
class Order:
    """One purchase, who tells of it, and the journey that led to it."""

    number: int
    at: datetime
    amount_cents: int
    currency: str
    told: Told
    journey_id: str | None
    visits: tuple[Visit, ...] = ()
    hint: Origin | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back to a buyer."""

    order: Order
    cents: int
    at: datetime


def orders(now: datetime) -> list[Order]:
    """Return the month's orders, the oldest first, the last one a few minutes ago."""
    count = SHOP_ORDERS + PROCESSOR_ORDERS + len(YEN)
    return [_order(number, count, now) for number in range(count)]


def refunds(of: Sequence[Order]) -> list[Refund]:
    """Return what went back: one refund of the whole before the capture is told, two in part."""
    early, partly, in_two = of[4], of[9], of[SHOP_ORDERS + 2]
    return [
        Refund(early, early.amount_cents, early.at + timedelta(minutes=5)),
        Refund(partly, partly.amount_cents // 3, partly.at + timedelta(hours=30)),
        Refund(in_two, 1_000, in_two.at + timedelta(hours=3)),
        Refund(in_two, 590, in_two.at + timedelta(hours=9)),
    ]


def expected_net(of: Sequence[Order]) -> dict[str, int]:
    """Add up the month as its teller knows it, to compare with what the service made of it."""
    net: Counter[str] = Counter()
    for order in of:
        net[order.currency] += order.amount_cents
    for refund in refunds(of):
        net[refund.order.currency] -= refund.cents
    return dict(net)


def ad_spend(of: Sequence[Order]) -> list[dict[str, str]]:
    """Return what advertising cost on each day of the orders, as an export of the platforms tells it."""
    first, last = of[0].at.date(), of[-1].at.date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        {
            "day": day.isoformat(),
            "channel_code": channel_code,
            "campaign_id": origin.utm_campaign or "",
            "currency": "EUR",
            "cost_cents": str(cents + day.toordinal() * 37 % 160),
            "clicks": str(clicks + day.toordinal() % 5),
        }
        for day in days
        for channel_code, origin, cents, clicks in SPEND
    ]


def visits(of: Sequence[Order]) -> Iterator[Visit]:
    """Return every recorded touch of the orders' journeys."""
    return (visit for order in of for visit in order.visits)


def _order(number: int, count: int, now: datetime) -> Order:
    age = timedelta(hours=15) * (count - 1 - number) + timedelta(minutes=7 + number)
    at = (now - age).replace(microsecond=0)
    if number == UNKNOWN_ORDER:
        return Order(number, at, _cents(number), "EUR", "paid_at_once", journey_id=None)
    journey_id = f"j-{number:04d}"
    if number == HINTED_ORDER:
        return Order(number, at, _cents(number), "EUR", "paid_at_once", journey_id, hint=TIKTOK_AD)
    came = tuple(_visits(journey_id, PATHS[number * 5 % len(PATHS)], at))
    if number >= SHOP_ORDERS + PROCESSOR_ORDERS:
        yen = YEN[number - SHOP_ORDERS - PROCESSOR_ORDERS]
        return Order(number, at, yen, "JPY", "by_processor", journey_id, came)
    return Order(number, at, _cents(number), "EUR", _told(number), journey_id, came)


def _told(number: int) -> Told:
    if number >= SHOP_ORDERS:
        return "by_processor"
    if number % 6 == 1:
        return "by_both"
    return "pending_then_paid" if number % 2 else "paid_at_once"


def _cents(number: int) -> int:
    """Fill a cart with one to three articles."""
    articles = [PRICES_CENTS[(number * 7 + item * 4) % len(PRICES_CENTS)] for item in range(1 + number % 3)]
    return sum(articles)


def _visits(journey_id: str, path: Sequence[Origin], ordered_at: datetime) -> Iterator[Visit]:
    """Spread a path over the days before the order, closer and closer together."""
    for position, origin in enumerate(path):
        before = timedelta(hours=31, minutes=17) * (len(path) - 1 - position) ** 2 + timedelta(minutes=11)
        yield Visit(journey_id, position, ordered_at - before, origin)
