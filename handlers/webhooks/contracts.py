"""Which contract a delivery was judged by."""

import hashlib
from functools import cache
from importlib.resources import files


@cache
def contract_digest(vendor: str) -> str:
    """Return the SHA-256 of a vendor's bundled contract, which names every field that is mapped or kept."""
    bundle = files("generated") / "bundles" / "webhooks" / f"{vendor}.json"
    return hashlib.sha256(bundle.read_bytes()).hexdigest()
