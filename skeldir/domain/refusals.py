"""Why an authentic delivery cannot be booked: the closed list of reason codes."""

from typing import Final, Literal

ReasonCode = Literal[
    "invalid_json",
    "missing_required_field",
    "malformed_value",
    "unknown_provider_event",
    "currency_unknown",
    "amount_out_of_range",
    "pii_refused",
    "tenant_suspended",
]

INVALID_JSON: Final = "invalid_json"
MISSING_REQUIRED_FIELD: Final = "missing_required_field"
MALFORMED_VALUE: Final = "malformed_value"
UNKNOWN_PROVIDER_EVENT: Final = "unknown_provider_event"
CURRENCY_UNKNOWN: Final = "currency_unknown"
AMOUNT_OUT_OF_RANGE: Final = "amount_out_of_range"
PII_REFUSED: Final = "pii_refused"
TENANT_SUSPENDED: Final = "tenant_suspended"


class Refusal(Exception):
    """A delivery cannot be booked as it is; it becomes a dead letter, not an error to its sender."""

    def __init__(self, reason_code: str, field: str | None = None) -> None:
        """Keep the code and the path of the field; never the value, which may be personal."""
        super().__init__(reason_code if field is None else f"{reason_code}: {field}")
        self.reason_code = reason_code
        self.field = field
