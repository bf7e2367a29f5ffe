"""A touch's channel follows from what is told of its origin, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeldir.domain.channels import classify

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
