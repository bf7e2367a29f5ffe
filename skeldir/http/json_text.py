"""JSON as it may come from outside: within limits that keep whoever walks through it safe.

What else deserves a thought is decided by the parser: NaN, infinite numbers, lone surrogates and text
after the value are no JSON; of equal names the last one counts; an integer beyond 64 bits becomes a
float, which no bound of a contract and no id, time or amount of a vendor admits.
"""

from typing import Any, Final

import orjson

DEPTH_MAX: Final = 100
"""Vendors nest ten deep, and Python recurses a thousand deep at most."""


class UnreadableJson(Exception):
    """A text is no JSON, or beyond what is read of it."""

    def __init__(self, code: str, message: str) -> None:
        """Keep what is wrong, as a field error says it."""
        super().__init__(message)
        self.code = code
        self.message = message


def read_json(raw: bytes) -> Any:  # noqa: ANN401 (any value that JSON can write)
    """Read a JSON text; raises UnreadableJson."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _refusal(error) from None
    # No text is nested deeper than it has brackets, and most have fewer than they may be deep.
    if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX and _is_deeper(value, DEPTH_MAX):
        raise _too_deep()
    return value


def _is_deeper(value: object, depth_max: int) -> bool:
    """Tell whether a value is nested deeper than that, level by level and without recursion."""
    level: list[object] = [value]
    for _ in range(depth_max):
        below: list[object] = []
        for outer in level:
            inside = outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
            below += [inner for inner in inside if isinstance(inner, (dict, list))]
        if not below:
            return False
        level = below
    return True


def _refusal(error: orjson.JSONDecodeError) -> UnreadableJson:
    if "depth" in error.msg:  # the parser's own limit, far above ours
        return _too_deep()
    if "infinity" in error.msg:
        return UnreadableJson("number_too_large", f"holds a number that is too large, in line {error.lineno}")
    return UnreadableJson("invalid_json", "is not JSON in UTF-8")


def _too_deep() -> UnreadableJson:
    return UnreadableJson("too_deep", f"is nested deeper than {DEPTH_MAX} levels")
