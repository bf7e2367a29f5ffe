"""What attribution computes, portion by portion, and the replacing of what was kept by it.

Of many orders one session computes the next portion while another writes the last, or computes as well while
there is nothing to write; both see one snapshot. So a job uses two of the server's processors.
"""

from collections import deque
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, NamedTuple

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

PORTIONS_AHEAD: Final = 2
"""What may be computed and not written: one, and another so that nobody need wait for a slow write."""

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
    rest = iter(work)
    coming: deque[tuple[Work, Future[Columns]]] = deque()
    with session_beside(session) as reader:
        begin(reader)
        thread = ThreadPoolExecutor(max_workers=1)
        try:
            while True:
                for one in islice(rest, 1 + PORTIONS_AHEAD - len(coming)):
                    coming.append((one, thread.submit(compute, reader, one)))
                if not coming:
                    return
                done, columns = coming.popleft()
                if coming and not columns.done():
                    coming[0] = _taken_over(session, *coming[0])
                yield done, columns.result()
        finally:
            thread.shutdown(cancel_futures=True)  # what is begun is waited for


def _taken_over(session: Session, work: Work, columns: Future[Columns]) -> tuple[Work, Future[Columns]]:
    """Compute what nobody has begun to compute, rather than wait for what comes before it."""
    if columns.cancel():
        columns = Future()
        columns.set_result(compute(session, work))
    return work, columns


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
