"""How the tables of `schema.py` are declared: columns, keys, and what every tenant's table has."""

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Table, Uuid, text
from sqlalchemy.schema import SchemaItem

METADATA = MetaData()
INSTANT = DateTime(timezone=True)


def column(name: str, kind: Any, **options: Any) -> Column[Any]:  # noqa: ANN401  (any column type)
    """Make a column that is NOT NULL unless told otherwise."""
    default = options.pop("default", None)
    if default is not None:
        options["server_default"] = text(default)
    return Column(name, kind, **{"nullable": False, **options})


def optional(name: str, kind: Any) -> Column[Any]:  # noqa: ANN401
    """Make a column that may be NULL."""
    return column(name, kind, nullable=True)


def key(name: str, kind: Any = Uuid, **options: Any) -> Column[Any]:  # noqa: ANN401
    """Make a column of the primary key."""
    return column(name, kind, primary_key=True, **options)


def tenant_table(name: str, *items: SchemaItem, of_tenants: bool = False) -> Table:
    """Declare a table of a tenant's rows; `of_tenants`: the tenant must exist."""
    tenant: Column[Any] = key("tenant_id", default="current_tenant_id()")
    if of_tenants:
        tenant.append_foreign_key(ForeignKey("tenants.tenant_id"))
    return Table(name, METADATA, tenant, *items)
