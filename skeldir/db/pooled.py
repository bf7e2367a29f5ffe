"""Pooled connections: the driver's own under each, and whether one broke while it lay idle."""

from typing import Final

import psycopg
from sqlalchemy import PoolProxiedConnection

HAS_SERVED: Final = "skeldir.has_served"
"""Remembered with a connection that has answered before."""


def driver_under(pooled: PoolProxiedConnection) -> psycopg.Connection:
    """Return the driver's connection."""
    driver = pooled.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("the engine's driver is not psycopg")
    return driver


def broke_while_idle(pooled: PoolProxiedConnection) -> bool:
    """Tell whether a connection broke that had served before, and so may be replaced.

    When the server was restarted, all that lay idle have: each is replaced in its turn, a fresh one never.
    """
    return driver_under(pooled).closed and bool(pooled.info.get(HAS_SERVED))
