"""What the vendors' webhook secrets look like, and which of them are for us to make."""

import re
import secrets
import string
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final

from skeldir.vendors.standard_webhooks import (
    SYMMETRIC_PREFIX,
    is_forgeable,
    public_key,
    symmetric_key,
)

PAYPAL_ID_LENGTH: Final = 17
SECRET_BYTES: Final = 32


def _is_standard(secret: str) -> bool:
    """Tell whether this is a secret or a public key of the Standard Webhooks specification."""
    key = public_key(secret)
    return symmetric_key(secret) is not None or (key is not None and not is_forgeable(key))


# A vendor -> what its secrets match, and how one that does not is told; the secret itself never is.
# They are wide on purpose: a vendor may change its secrets' length before we hear of it.
_FORMS: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "shopify": (
        re.compile(r"[A-Za-z0-9_-]{16,200}").fullmatch,
        "is no client secret of a Shopify app: 16 letters or digits at least, without spaces",
    ),
    "stripe": (
        re.compile(r"whsec_[A-Za-z0-9+/=_-]{20,200}").fullmatch,
        "is no signing secret of Stripe: whsec_ and 20 letters or digits at least",
    ),
    "woocommerce": (
        re.compile(r"(?=\S)[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{8,255}(?<=\S)").fullmatch,
        "is no secret of a WooCommerce webhook: 8 to 255 characters, without spaces around them",
    ),
    "paypal": (
        re.compile(r"[A-Z0-9]{10,50}").fullmatch,
        "is no id of a PayPal webhook: capital letters and digits, such as 0EH40505U7160970P",
    ),
    "custom": (
        _is_standard,
        "is neither whsec_ with 24 to 64 bytes in base64 nor a public Ed25519 key, whpk_ with 32",
    ),
}
# Where whoever makes the webhook chooses its secret; the other vendors tell theirs.
_CHOSEN: Final = frozenset({"woocommerce", "custom"})


def fault_of(vendor: str, secret: str) -> str | None:
    """Return what is wrong with a vendor's secret, in words that do not repeat it; None if it looks right."""
    form, fault = _FORMS[vendor]
    return None if form(secret) else fault


def can_be_generated(vendor: str) -> bool:
    """Tell whether a secret that we make is of use: the vendor takes the one it is given."""
    return vendor in _CHOSEN


def new_secret(vendor: str) -> str:
    """Make a secret that looks like the vendor's own: for those who choose it, tests and demonstrations."""
    if vendor == "paypal":
        alphabet = string.ascii_uppercase + string.digits
        return "".join(secrets.choice(alphabet) for _ in range(PAYPAL_ID_LENGTH))
    if vendor in ("stripe", "custom"):
        return SYMMETRIC_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return secrets.token_hex(SECRET_BYTES)
