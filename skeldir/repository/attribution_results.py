"""What attribution computes, portion by portion, and the replacing of what was kept by it.

Of many orders one session computes the next portion while another writes the last, both of one snapshot: so
a large job uses two of the server's processors.
"""

from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from psycopg.errors import NumericValueOutOfRange
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from skeldir.db.session import driver_of, session_beside
from skeldir.domain.attribution_settings import ModelParameters
from skeldir.repository.attribution_orders import Portion
from skeldir.repository.attribution_planning import begin
from skeldir.repository.attribution_split import NUMBERS
from skeldir.repository.attribution_sql import COMPUTE
from skeldir.repository.attribution_write import ARE_KEPT, REPLACE, STORE
from skeldir.repository.credit_rules import bindings

Columns = Mapping[str, str]
"""By name, the columns of what was computed: PostgreSQL's arrays as text, which nobody here reads."""


class Work(NamedTuple):
    """Orders to be attributed under one model."""

    portion: Portion
    parameters: ModelParameters


def computed(session: Session, work: Iterable[Work], *, ahead: bool) -> Generator[tuple[Work, Columns]]:
    """Yield what is to be allocated, in the order of the work; `ahead` takes a second connection for it."""
    if not ahead:
        for one in work:
            yield one, compute(session, one)
        return
    with session_beside(session) as reader, ThreadPoolExecutor(max_workers=1) as thread:
        begin(reader)
        last: tuple[Work, Future[Columns]] | None = None
        for one in work:
            coming = one, thread.submit(compute, reader, one)
            if last is not None:
                yield last[0], last[1].result()
            last = coming
        if last is not None:
            yield last[0], last[1].result()


def compute(session: Session, work: Work) -> Columns:
    """Compute what is to be allocated: in bigints, or in numerics where a product overflows these."""
    quick, safe = (COMPUTE[number][work.parameters.model] for number in NUMBERS)
    asked = {**work.portion.scope, **bindings(work.parameters)}
    try:
        # The driver's own savepoint: of one that the toolkit rolled back the transaction stays a part, and no
        # other session may then see what it sees.
        with driver_of(session).transaction():
            row = session.execute(quick, asked).mappings().one()
    except DataError as error:
        if not isinstance(error.orig, NumericValueOutOfRange):
            raise
        row = session.execute(safe, asked).mappings().one()
    return dict(row)


def are_kept(session: Session, model_version: str) -> bool:
    """Tell whether any order of the tenant has allocations under a model version."""
    return bool(session.execute(ARE_KEPT, {"model_version": model_version}).scalar_one())


def replace(session: Session, model_version: str, columns: Columns, *, is_first: bool) -> tuple[int, int]:
    """Replace what is kept, which is nothing where `is_first`; return what was written, and vanished."""
    statement = STORE if is_first else REPLACE
    row = session.execute(statement, {"model_version": model_version, **columns}).one()
    return row.written, row.vanished
