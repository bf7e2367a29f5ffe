"""The first rule that applies names the channel; where none does, the built-in table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeldir.domain.channel_rules import Mapping, Rule, TouchOrigin
from skeldir.domain.channels import classify

words = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="*"), max_size=12)
origins = st.builds(TouchOrigin, words, words, words, words, st.none() | st.sampled_from(["gclid", "fbclid"]))


@pytest.mark.parametrize(
    ("pattern", "told", "channel"),
    [
        ("partner", "partner", "podcast"),
        ("partner", "Partner", "podcast"),
        ("PARTNER", " partner ", "podcast"),
        ("partner", "partners", "unknown"),
        ("partner*", "partners", "podcast"),
        ("partner*", "my-partner", "unknown"),
        ("*partner", "my-partner", "podcast"),
        ("*partner", "partners", "unknown"),
        ("*partner*", "my-partners", "podcast"),
        ("*partner*", "part", "unknown"),
        ("*", "anything", "podcast"),
        ("*", "", "unknown"),
        ("*", None, "unknown"),
        ("a.c", "abc", "unknown"),
        ("STRASSE", "straße", "podcast"),
    ],
)
def test_a_pattern_is_a_text_with_asterisks_at_its_ends(pattern: str, told: str | None, channel: str) -> None:
    """In any case of letters; nothing in it is an expression, and nothing told matches nothing."""
    mapping = Mapping([Rule("podcast", source=pattern)])
    assert mapping.channel_of(TouchOrigin(source=told, medium="odd")) == channel


def test_the_first_rule_whose_conditions_all_hold_wins() -> None:
    """Before the built-in table, which names what no rule applies to."""
    mapping = Mapping(
        [
            Rule("podcast", source="google", medium="cpc", campaign="*podcast*"),
            Rule("referral", source="google", medium="cpc"),
            Rule("email", source="google"),
            Rule("organic", referrer_host="*.partner.example"),
            Rule("email", click_id="gclid"),
        ]
    )
    assert mapping.channel_of(TouchOrigin("Google", "CPC", "my podcast")) == "podcast"
    assert mapping.channel_of(TouchOrigin("google", "cpc", "brand")) == "referral"
    assert mapping.channel_of(TouchOrigin("google", "organic")) == "email"
    assert mapping.channel_of(TouchOrigin(referrer_host="shop.partner.example")) == "organic"
    assert mapping.channel_of(TouchOrigin(click_id="gclid")) == "email"
    assert mapping.channel_of(TouchOrigin("facebook", "cpc")) == "facebook_paid"
    assert mapping.channel_of(TouchOrigin()) == "direct"


@given(st.lists(st.builds(Rule, st.sampled_from(["one", "two"]), words, words, words)), origins)
def test_rules_agree_with_a_plain_search(rules: list[Rule], origin: TouchOrigin) -> None:
    """Without asterisks a rule is a conjunction of equalities; asked twice the answer is the same."""
    told = [origin.source, origin.medium, origin.campaign, origin.referrer_host, origin.click_id]
    plain = [(one or "").strip().casefold() for one in told]
    expected = classify(
        utm_source=origin.source,
        utm_medium=origin.medium,
        click_id=origin.click_id,
        referrer=origin.referrer_host,
    )
    for rule in reversed(rules):
        wanted = [(n, one.strip().casefold()) for n, one in enumerate(rule.patterns) if one is not None]
        if all(plain[n] == one != "" for n, one in wanted):
            expected = rule.channel_code
    mapping = Mapping(rules)
    assert [mapping.channel_of(origin), mapping.channel_of(origin)] == [expected, expected]
