"""Logs and the correlation id that runs through them."""

import sys
from importlib import import_module


def _import_structlog() -> None:
    """Import structlog without rich, which it takes wherever it finds it, for tracebacks on a terminal.

    Thirteen megabytes per process, and a fifth of a second of each start.
    """
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]


_import_structlog()
