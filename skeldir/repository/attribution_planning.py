"""How a job's statements are to be planned, and how long each may run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.orm import Session

from skeldir.db.session import driver_of

STATEMENT_TIMEOUT_SECONDS: Final = 5
"""No statement of a job may run longer, so that none is far from an answer however busy the server is."""

SCAN_TIMEOUT_SECONDS: Final = 60
"""Nor one that reads all of a tenant's rows, which nobody waits for."""


# Nested loops are what turns missing statistics into quadratic time, and merging would first sort by texts in
# the server's language: what is left is hashing.
_HASHING: Final = {"enable_nestloop": "off", "enable_mergejoin": "off", "jit": "off", "work_mem": "64MB"}

# Every row is looked up by its key (see attribution_scope), so one plan serves any number of ids and is made
# once per connection. Sorting is off where an index may do: a plan made over a few rows would rather read and
# sort them all, and be kept while they grow to many. Costs are set so that rows to be deleted are reached by
# where they lie, also in a table of which nothing is known.
LOOK_UPS: Final = {
    **_HASHING,
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "random_page_cost": "0.01",
    "cpu_operator_cost": "0.025",
}
"""For a transaction that only looks rows up by their keys."""


def _settings(**values: str) -> bytes:
    """Return what sets the values, and to the server's own whatever another preparation may have changed."""
    told = dict.fromkeys(LOOK_UPS, "DEFAULT") | {name: f"'{value}'" for name, value in values.items()}
    return "; ".join(f"SET LOCAL {name} TO {value}" for name, value in told.items()).encode()


# What one session tells another as text is dates, too.
_JOB: Final = _settings(**LOOK_UPS, statement_timeout=f"{STATEMENT_TIMEOUT_SECONDS}s", datestyle="ISO")
_SCAN: Final = _settings(
    **_HASHING,
    plan_cache_mode="force_custom_plan",
    statement_timeout=f"{SCAN_TIMEOUT_SECONDS}s",
    datestyle="ISO",
)
_LOOK_UP: Final = _settings(**LOOK_UPS)
_END_LOOK_UP: Final = _settings()


def begin(session: Session) -> None:
    """Prepare the transaction of a job that has the tenant's turn and works on some orders at a time.

    This and `begin_scan` may follow each other: only the latter of the two holds.
    """
    driver_of(session).execute(_JOB, prepare=False)


def begin_scan(session: Session) -> None:
    """Prepare a transaction whose statements read all of a tenant's rows at once."""
    driver_of(session).execute(_SCAN, prepare=False)


@contextmanager
def looked_up(session: Session) -> Iterator[None]:
    """Have the body's statements look rows up by their keys, whatever the planner knows of the tenant.

    For transactions that are no job's; afterwards the server's own settings are in force.
    """
    driver_of(session).execute(_LOOK_UP, prepare=False)
    yield
    driver_of(session).execute(_END_LOOK_UP, prepare=False)
