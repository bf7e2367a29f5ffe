"""Releases what a tenant was sent while it was suspended: each delivery is booked as if it came now."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from handlers.webhooks.replay import Actor, replay_each
from skeldir.db.session import tenant_session
from skeldir.repository import dead_letters
from skeldir.repository.dead_letters import Filter, Place

BATCH: Final = 200
_HELD: Final = Filter(lane="quarantine", status="pending")


@dataclass(frozen=True, slots=True)
class Released:
    """How many were booked, and how many turned out to need somebody after all."""

    booked_count: int
    dead_letter_count: int


def release(tenant_id: UUID) -> Released:
    """Replay a resumed tenant's quarantine, the oldest first, each in a transaction of its own.

    Broken off and begun anew, or begun twice at once, it books nothing twice and leaves nothing behind.
    """
    booked = dead = 0
    after: Place | None = None
    while True:
        with tenant_session(tenant_id, read_only=True) as session:
            batch = dead_letters.oldest(session, _HELD, after, BATCH)
        if not batch:
            return Released(booked, dead)
        done = replay_each(Actor(tenant_id, None), [letter.dead_letter_id for letter in batch])
        booked += sum(one.refusal is None for one in done)
        dead += sum(one.refusal is not None for one in done)
        after = Place(batch[-1].received_at, batch[-1].dead_letter_id)
