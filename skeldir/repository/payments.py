"""Payments: their names and the orders they paid, as payloads say explicitly. Rows are only added."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from skeldir.db.statements import SENT, Work, run, send_document
from skeldir.domain.facts import CanonicalEvent, PaymentAlias
from skeldir.domain.payments import Claim, Payments

# Rows that this statement adds are not in its own snapshot: hence both halves.
_NAME: Final = f"""
    WITH {SENT}, added AS (
        INSERT INTO payment_aliases (alias, payment_key, event_id)
        SELECT told.*
          FROM sent, jsonb_to_recordset(sent.document -> 'aliases')
               AS told (alias text, payment_key text, event_id uuid)
            ON CONFLICT DO NOTHING
        RETURNING payment_key
    )
    SELECT ARRAY(
        SELECT payment_key FROM added
        UNION
        SELECT known.payment_key
          FROM sent, jsonb_array_elements_text(sent.document -> 'names') AS asked (key),
               LATERAL (SELECT payment_key FROM payment_aliases WHERE alias = asked.key OFFSET 0) AS known)
"""  # noqa: S608 - a constant

# Every name of the payments that a part `payment` holds.
_NAME_OF_PAYMENT: Final = """
    name AS MATERIALIZED (
        SELECT key FROM payment
        UNION
        SELECT known.alias
          FROM payment,
               LATERAL (SELECT alias FROM payment_aliases WHERE payment_key = payment.key OFFSET 0) AS known
    )
"""

_LINK: Final = f"""
    WITH {SENT}, payment AS MATERIALIZED (
        SELECT jsonb_array_elements_text(document -> 'payments') AS key FROM sent
    ), {_NAME_OF_PAYMENT}, added AS (
        INSERT INTO order_links (payment_key, order_id, authority, event_id)
        SELECT told.*
          FROM sent, jsonb_to_recordset(sent.document -> 'links')
               AS told (payment_key text, order_id text, authority text, event_id uuid)
            ON CONFLICT DO NOTHING
        RETURNING order_id
    )
    SELECT ARRAY(
        SELECT key FROM name
        UNION
        SELECT order_id FROM added
        UNION
        SELECT known.order_id
          FROM name,
               LATERAL (SELECT order_id FROM order_links WHERE payment_key = name.key OFFSET 0) AS known)
"""  # noqa: S608 - a constant

ASKED: Final = "asked AS MATERIALIZED (SELECT unnest(CAST(%(order_ids)s AS text[])) AS order_id)"
"""Some orders, where no other part of a statement names them."""

OF_ORDERS: Final = f"""
    named AS MATERIALIZED (
        SELECT order_id AS key FROM asked
        UNION
        SELECT known.payment_key
          FROM asked,
               LATERAL (SELECT payment_key FROM order_links
                         WHERE order_id = asked.order_id OFFSET 0) AS known
    ), payment AS MATERIALIZED (
        SELECT key FROM named
        UNION
        SELECT known.payment_key
          FROM named,
               LATERAL (SELECT payment_key FROM payment_aliases WHERE alias = named.key OFFSET 0) AS known
    ), {_NAME_OF_PAYMENT}
"""  # noqa: S608 - a constant
"""The parts of a statement of which `name` holds every key under which the orders of `asked` are told of.

Here and wherever it is read, each key is looked up by itself (OFFSET 0 keeps the planner from joining
otherwise): for a tenant that it has no statistics of, the planner believes that reading all of the
tenant's rows costs nothing.
"""

ALIASES: Final = """
    SELECT json_build_array(name.key, known.payment_key)
      FROM name, LATERAL (SELECT payment_key FROM payment_aliases WHERE alias = name.key OFFSET 0) AS known
"""
CLAIMS: Final = """
    SELECT json_build_array(name.key, known.order_id, known.authority)
      FROM name, LATERAL (
               SELECT order_id, authority FROM order_links WHERE payment_key = name.key OFFSET 0) AS known
"""

_OF_KEY: Final = f"""
    WITH {ASKED}, {OF_ORDERS}
    SELECT CAST(json_build_array(ARRAY({ALIASES}), ARRAY({CLAIMS})) AS text)
"""


def name(work: Work, event_id: UUID, aliases: Sequence[PaymentAlias], names: Collection[str]) -> set[str]:
    """Keep aliases; returns the names with the payments that they name. The caller holds the names' locks."""
    told = [
        {"alias": one.alias, "payment_key": one.payment_key, "event_id": event_id}
        for one in dict.fromkeys(aliases)
    ]
    row = send_document(work, _NAME, {"aliases": told, "names": sorted(names)})
    return {*names, *(row[0] if row else ())}


def link(work: Work, event_id: UUID, event: CanonicalEvent, payments: Collection[str]) -> set[str]:
    """Keep an event's links; returns every order that the payments may belong to, by any of their names.

    The caller holds the payments' locks.
    """
    told = [
        {
            "payment_key": one.payment_key,
            "order_id": one.order_id,
            "authority": event.authority,
            "event_id": event_id,
        }
        for one in dict.fromkeys(event.links)
    ]
    row = send_document(work, _LINK, {"links": told, "payments": sorted(payments)})
    return set(row[0] if row else ())


def settled(aliases: Iterable[Sequence[Any]], claims: Iterable[Sequence[Any]]) -> Payments:
    """Settle what ALIASES and CLAIMS found: which payment a key names, and which order it paid."""
    return Payments((PaymentAlias(*told) for told in aliases), (Claim(*told) for told in claims))


def order_of(work: Work, key: str) -> str:
    """Return the order that a key names: its own, or that of the payment it is a name of."""
    row = run(work, _OF_KEY, {"order_ids": [key]})
    aliases, claims = orjson.loads(row[0]) if row else ([], [])
    return settled(aliases, claims).order_of(key)
