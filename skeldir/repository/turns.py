"""Turns: what of a tenant one transaction does at a time. A turn ends with its transaction."""

from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

Turn = Literal[
    "ad spend",
    "attribution",
    "attribution settings",
    "audit",
    "classification",
    "closing",
    "counts",
    "intervals",
]
"""What is done in turns. Never renamed: while a service is upgraded, workers of two versions take them."""

_KEY: Final = "hashtextextended(CAST(:turn AS text) || ':' || current_tenant_id(), 0)"

_TAKE: Final = text(f"SELECT pg_try_advisory_xact_lock({_KEY})")

_AWAIT: Final = text(f"SELECT pg_advisory_xact_lock({_KEY})")


def take(session: Session, turn: Turn) -> bool:
    """Take the tenant's turn until this transaction ends; False when another has it."""
    return bool(session.execute(_TAKE, {"turn": turn}).scalar_one())


def wait_for(session: Session, turn: Turn) -> None:
    """Take the tenant's turn until this transaction ends, once nobody else has it."""
    session.execute(_AWAIT, {"turn": turn})
