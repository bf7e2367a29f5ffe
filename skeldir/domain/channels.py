"""Which marketing channel a touch came through: a data table, first match wins."""

import re
from typing import Final

DIRECT: Final = "direct"
UNKNOWN: Final = "unknown"

# What people write into utm_source, in lower case, without punctuation. A name that says more than the site
# says by which medium: an advertising product's is as good as a medium of its own.
_SOURCES: Final = {
    "google": "google youtube googleshopping",
    "google paid": "googleads adwords googleadwords gads googlesearch youtubeads",
    "google display": "gdn dv360 googledisplay googleadsgdoubleclicknet",
    "facebook": "facebook fb instagram ig meta messenger",
    "facebook paid": "facebookads fbads instagramads igads metaads",
    "facebook_brand": "fbbrand facebookbrand metabrand",
    "tiktok": "tiktok",
    "tiktok paid": "tiktokads infeed",
    "linkedin": "linkedin lnkd",
    "linkedin paid": "linkedinads",
    "microsoft": "bing microsoft msn",
    "microsoft paid": "bingads microsoftads msads",
    "pinterest": "pinterest pin",
    "pinterest paid": "pinterestads",
    "snapchat": "snapchat snap",
    "snapchat paid": "snapchatads snapads",
    "x": "x twitter tco",
    "x paid": "xads twitterads",
    "search": "duckduckgo yahoo ecosia baidu yandex qwant startpage brave",
    "social": "reddit threads mastodon bluesky whatsapp telegram",
    "email": "email mail newsletter klaviyo mailchimp omnisend sendgrid brevo mailjet customerio",
    "direct": "direct none notset",
}
_MEDIUMS: Final = {
    "display": "display banner gdn googledisplay interstitial expandable cpm pdisplay programmatic",
    "brand": "brand paidbrand brandawareness awareness fbbrand",
    "paid": "ads ad sem pla pmax performancemax shopping retargeting remarketing sponsored promoted infeed"
    " fbads facebookads tiktokads googleads googlesearch",
    "organic": "organic organicsearch seo organicsocial",
    "site": "search social socialnetwork socialmedia sm sns",
    "email": "email mail newsletter edm emailing",
    "referral": "referral referrer affiliate partner link blog press",
    "direct": "none notset direct",
}
# What a source says of the medium holds where utm_medium is one of these: nothing told, or a kind of site.
_VAGUE: Final = ("", "direct", "site", "other")
_GIVES_WAY: Final[dict[str, tuple[str, ...]]] = {"": (), "paid": _VAGUE, "display": (*_VAGUE, "paid")}
_PAID_MEDIUM: Final = re.compile(r".*cp[acimv]|cp[acimv].*|ppc.*|paid.*|.*paid")
_ADDRESS: Final = re.compile(r"[0-9.]+")

# The advertising parameter that only its platform's ads carry. fbclid is missing: organic links have it too.
_CLICK_IDS: Final = {
    "gclid": "google_search_paid",
    "gbraid": "google_search_paid",
    "wbraid": "google_search_paid",
    "ttclid": "tiktok_paid",
    "li_fat_id": "linkedin_paid",
    "msclkid": "microsoft_paid",
    "sccid": "snapchat_paid",
    "twclid": "x_paid",
}
# Platforms with one code for whatever is paid there, and the families whose untagged visits are organic.
_PLATFORMS: Final = ("tiktok", "linkedin", "microsoft", "pinterest", "snapchat", "x")
_FOUND: Final = ("google", "search", "facebook", "social", *_PLATFORMS)
# (source, medium) -> code; "*" is anything, "" is nothing told. The order is the precedence.
_RULES: Final = (
    ("*", "email", "email"),
    ("google", "display", "google_display_paid"),
    ("google", "brand", "google_search_paid"),
    ("google", "paid", "google_search_paid"),
    ("facebook_brand", "*", "facebook_brand"),
    ("facebook", "brand", "facebook_brand"),
    ("facebook", "display", "facebook_paid"),
    ("facebook", "paid", "facebook_paid"),
    *((site, medium, f"{site}_paid") for site in _PLATFORMS for medium in ("display", "brand", "paid")),
    ("*", "display", UNKNOWN),
    ("*", "brand", UNKNOWN),
    ("*", "paid", UNKNOWN),
    ("*", "organic", "organic"),
    ("*", "site", "organic"),
    ("*", "referral", "referral"),
    ("email", "", "email"),
    *((site, "", "organic") for site in _FOUND),
    ("direct", "", DIRECT),
    ("direct", "direct", DIRECT),
    ("", "direct", DIRECT),
    ("site", "", "referral"),
)


def _by_word(families: dict[str, str]) -> dict[str, str]:
    return {word: family for family, words in families.items() for word in words.split()}


_SOURCE_FAMILY: Final = {
    word: (family.partition(" ")[0], family.partition(" ")[2]) for word, family in _by_word(_SOURCES).items()
}
_MEDIUM_FAMILY: Final = _by_word(_MEDIUMS)


def classify(
    *,
    utm_source: str | None,
    utm_medium: str | None,
    click_id: str | None = None,
    referrer: str | None = None,
) -> str:
    """Return the channel code of a touch from what is told of its origin; never raises.

    `click_id` is the name of the advertising parameter that the landing address carried (gclid, …),
    `referrer` the host that linked here. Nothing told at all is a direct visit, what cannot be
    told apart is `unknown`.
    """
    source, said = _source_family(utm_source)
    medium = _medium_family(utm_medium)
    if medium in _GIVES_WAY[said]:
        medium = said
    if click_id:
        clicked = _CLICK_IDS.get(click_id.strip().lower())
        if clicked == "google_search_paid" and medium == "display":
            return "google_display_paid"
        if clicked is not None:
            return clicked
    if source or medium:
        return _by_rule(source, medium)
    if referrer and referrer.strip():
        return _by_referrer(referrer)
    return UNKNOWN if click_id else DIRECT


def host_name(referrer: str) -> str:
    """Return the host that linked here as it is kept: in lower case, and an address by no name at all."""
    return "address.invalid" if _ADDRESS.fullmatch(referrer) else referrer.lower()


def _by_rule(source: str, medium: str) -> str:
    for rule_source, rule_medium, code in _RULES:
        if rule_source in ("*", source) and rule_medium in ("*", medium):
            return code
    return UNKNOWN


def _by_referrer(host: str) -> str:
    """Classify an untagged visit by the names in the host that linked here (www.google.co.uk)."""
    for name in (_plain(host), *host.strip().lower().split(".")):
        family, said = _SOURCE_FAMILY.get(name, ("", ""))
        if family == "email" or family in _FOUND:
            return _by_rule(family, said)
    return "referral"


def _plain(value: str | None) -> str:
    """Reduce a tag to its letters and digits, so that Paid-Social, paid_social and "paid social" agree."""
    return re.sub(r"[^0-9a-z]", "", (value or "").casefold())


def _source_family(value: str | None) -> tuple[str, str]:
    """Return the site that a source names, and what its name says of the medium."""
    if not (value or "").strip():
        return "", ""
    family = _SOURCE_FAMILY.get(_plain(value))
    if family is None and "." in (value or ""):  # a host name: facebook.com, news.example
        labels = (value or "").lower().split(".")
        family = next((_SOURCE_FAMILY[label] for label in labels if label in _SOURCE_FAMILY), ("site", ""))
    return family or ("other", "")


def _medium_family(value: str | None) -> str:
    if not (value or "").strip():
        return ""
    plain = _plain(value)
    family = _MEDIUM_FAMILY.get(plain)
    if family is None and _PAID_MEDIUM.fullmatch(plain):
        return "paid"
    return family or "other"
