"""Celery's broker in PostgreSQL: a transport for kombu, `pg+postgresql://…`.

Its tables and functions are made by a migration. Importing this package makes the transport known.
"""

from kombu.transport import TRANSPORT_ALIASES

TRANSPORT_ALIASES["pg"] = "skeldir.broker.transport:Transport"
