"""The topic of a delivery whose vendor names it in a header, which no signature covers."""

from handlers.webhooks.intake import UNKNOWN_TOPIC
from skeldir.domain.refusals import MALFORMED_VALUE, MISSING_REQUIRED_FIELD, Refusal
from skeldir.vendors.fields import word


def topic_of(header: str, value: str | None) -> tuple[str, Refusal | None]:
    """Return the topic as it may be shown, and what is wrong with the header that names it."""
    if not value:
        return UNKNOWN_TOPIC, Refusal(MISSING_REQUIRED_FIELD, header)
    try:
        return word(value), None
    except Refusal:
        return UNKNOWN_TOPIC, Refusal(MALFORMED_VALUE, header)
