"""A touch's channel follows from what is told of its origin, however it is written."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeldir.domain.channels import _CLICK_IDS, _MEDIUMS, _SOURCES, _by_word, classify
from skeldir.domain.models import TAXONOMY_VERSION

TAXONOMY = {
    "direct",
    "email",
    "organic",
    "referral",
    "facebook_paid",
    "facebook_brand",
    "tiktok_paid",
    "google_search_paid",
    "google_display_paid",
    "linkedin_paid",
    "microsoft_paid",
    "pinterest_paid",
    "snapchat_paid",
    "x_paid",
    "unknown",
}


@pytest.mark.parametrize(
    ("source", "medium", "channel"),
    [
        ("google", "cpc", "google_search_paid"),
        ("Google", "CPC", "google_search_paid"),
        ("google_ads", "paid-search", "google_search_paid"),
        ("google", "display", "google_display_paid"),
        ("google", "organic", "organic"),
        ("google", None, "organic"),
        ("facebook", "cpc", "facebook_paid"),
        ("instagram", "paid_social", "facebook_paid"),
        ("meta", "Paid Social", "facebook_paid"),
        ("fb", "cpm", "facebook_paid"),
        ("facebook", "brand", "facebook_brand"),
        ("FB_BRAND", "cpc", "facebook_brand"),
        ("facebook", "social", "organic"),
        ("m.facebook.com", None, "organic"),
        ("tiktok", "cpc", "tiktok_paid"),
        ("tiktok", "IN_FEED", "tiktok_paid"),
        ("klaviyo", "email", "email"),
        ("newsletter", None, "email"),
        ("spring-mailing", "E-Mail", "email"),
        ("bing", "organic", "organic"),
        ("linkedin", "social", "organic"),
        ("partner.example", "referral", "referral"),
        ("partner.example", None, "referral"),
        ("(direct)", "(none)", "direct"),
        (None, None, "direct"),
        ("", "  ", "direct"),
        ("linkedin", "cpc", "linkedin_paid"),
        ("lnkd", "Paid Social", "linkedin_paid"),
        ("linkedin.com", "paid", "linkedin_paid"),
        ("linkedin", None, "organic"),
        ("lnkd.in", None, "organic"),
        ("bing", "cpc", "microsoft_paid"),
        ("msads", "display", "microsoft_paid"),
        ("bing", None, "organic"),
        ("pinterest", "paid_social", "pinterest_paid"),
        ("snapchat", "cpm", "snapchat_paid"),
        ("twitter", "cpc", "x_paid"),
        ("x.com", None, "organic"),
        ("reddit", "cpc", "unknown"),
        ("something", "else", "unknown"),
    ],
)
def test_utm_tags_name_the_channel(source: str | None, medium: str | None, channel: str) -> None:
    assert classify(utm_source=source, utm_medium=medium) == channel


@pytest.mark.parametrize(
    ("source", "channel"),
    [
        ("FB_ADS", "facebook_paid"),
        ("facebook_ads", "facebook_paid"),
        ("instagram-ads", "facebook_paid"),
        ("Google Ads", "google_search_paid"),
        ("adwords", "google_search_paid"),
        ("GOOGLE_SEARCH", "google_search_paid"),
        ("GOOGLE_DISPLAY", "google_display_paid"),
        ("dv360", "google_display_paid"),
        ("TIKTOK_ADS", "tiktok_paid"),
        ("IN_FEED", "tiktok_paid"),
        ("linkedin_ads", "linkedin_paid"),
        ("bing_ads", "microsoft_paid"),
        ("pinterest_ads", "pinterest_paid"),
        ("snapchat_ads", "snapchat_paid"),
        ("twitter_ads", "x_paid"),
    ],
)
@pytest.mark.parametrize("medium", [None, "(not set)", "story", "social", "SEARCH"])
def test_a_source_named_after_an_advertising_product_is_paid(
    source: str, medium: str | None, channel: str
) -> None:
    """Whatever the medium, as long as that tells nothing or only the kind of site."""
    assert classify(utm_source=source, utm_medium=medium) == channel


@pytest.mark.parametrize(
    ("source", "medium", "channel"),
    [
        ("google_ads", "GOOGLE_DISPLAY", "google_display_paid"),
        ("google_ads", "display", "google_display_paid"),
        ("gdn", "cpc", "google_display_paid"),
        ("facebook_ads", "FB_BRAND", "facebook_brand"),
        ("facebook", "FB_ADS", "facebook_paid"),
        ("google", "GOOGLE_SEARCH", "google_search_paid"),
        ("facebook_ads", "organic", "organic"),
        ("google_ads", "email", "email"),
        ("linkedin_ads", "referral", "referral"),
        ("google", "search", "organic"),
        ("threads", None, "organic"),
    ],
)
def test_a_medium_that_tells_goes_before_the_name_of_the_source(
    source: str, medium: str, channel: str
) -> None:
    assert classify(utm_source=source, utm_medium=medium) == channel


@pytest.mark.parametrize(
    ("click_id", "medium", "channel"),
    [
        ("gclid", None, "google_search_paid"),
        ("gclid", "display", "google_display_paid"),
        ("ttclid", None, "tiktok_paid"),
        ("li_fat_id", None, "linkedin_paid"),
        ("msclkid", None, "microsoft_paid"),
        ("sccid", "social", "snapchat_paid"),
        ("twclid", None, "x_paid"),
        ("fbclid", None, "unknown"),
    ],
)
def test_an_advertisers_click_id_speaks_for_its_platform(
    click_id: str, medium: str | None, channel: str
) -> None:
    assert classify(utm_source=None, utm_medium=medium, click_id=click_id) == channel


@pytest.mark.parametrize(
    ("host", "channel"),
    [
        ("www.google.co.uk", "organic"),
        ("l.facebook.com", "organic"),
        ("t.co", "organic"),
        ("www.linkedin.com", "organic"),
        ("lnkd.in", "organic"),
        ("www.bing.com", "organic"),
        ("googleads.g.doubleclick.net", "google_display_paid"),
        ("mail.google.com", "email"),
        ("blog.example", "referral"),
    ],
)
def test_an_untagged_visit_is_named_by_who_linked_here(host: str, channel: str) -> None:
    assert classify(utm_source=None, utm_medium=None, referrer=host) == channel


@given(*(st.none() | st.text(max_size=30) for _ in range(4)))
def test_no_input_fails_or_leaves_the_taxonomy(
    source: str | None, medium: str | None, click_id: str | None, referrer: str | None
) -> None:
    found = classify(utm_source=source, utm_medium=medium, click_id=click_id, referrer=referrer)

    assert found in TAXONOMY
    assert found == classify(utm_source=source, utm_medium=medium, click_id=click_id, referrer=referrer)


def test_a_table_that_maps_differently_is_of_another_version() -> None:
    """So touches that were stored before it are classified anew: raise the version, then mend this line."""
    sources, mediums = (sorted(_by_word(words)) for words in (_SOURCES, _MEDIUMS))
    told = [
        classify(utm_source=source, utm_medium=medium, click_id=click_id)
        for source in (None, "other", "site.example", *sources)
        for medium in (None, "other", "cpc", *mediums)
        for click_id in (None, *sorted(_CLICK_IDS))
    ]
    linked = [classify(utm_source=None, utm_medium=None, referrer=f"{source}.example") for source in sources]
    digest = hashlib.sha256(" ".join(told + linked).encode()).hexdigest()[:12]
    assert (TAXONOMY_VERSION, digest) == (3, "cd9c820ccb60")
