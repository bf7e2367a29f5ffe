"""Attribution by the real job in a real worker's child process, beside every other way to do the same.

An event is a touch or an order. All engines work on the same tenant of one size, of which the planner has
no statistics, one after the other on the same server; what they write is the same to the cent. Our times
are the job's own, from the task's start to its commit; peers are timed from the first row read to the
commit of the last one written, imports excluded.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import pairwise
from statistics import median
from uuid import UUID

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from skeldir.db.engine import bootstrap_url, get_engine
from skeldir.domain.models import MODELS
from tests.bench import attribution_data as data
from tests.bench import attribution_peers as peers
from tests.bench.attribution_stage import SETTINGS, Stage, change, linear, stage
from tests.bench.rows import Row
from tests.repository.attribution_world import LOOKBACK_DAYS

SIZES, SIZES_QUICK, LARGE = (10_000, 100_000, 1_000_000), (10_000, 100_000), 10_000_000
MARKS = {10_000: 1.0, 100_000: 5.0}
ORM_EVENTS_MAX = 10_000
FLOOR_FROM, FLOOR_TIMES_MAX = 1_000_000, 4.0
MEGABYTES_MAX = 100.0
UNCHANGED_SECONDS_MAX, DIRTY_SECONDS_MAX = 0.005, 0.1
EXPONENT_MAX = 1.05
ROUNDS = {1_000_000: 6, 100_000: 9, 0: 15}
"""By events, from so many on: the quicker, the more there must be."""
RERUNS, CHANGES = 41, 7
LOOKBACK_DAYS_MAX = 90


def run(*, quick: bool, large: bool = False) -> list[Row]:
    """Measure 10,000, 100,000 and 1,000,000 events; quick: not the million; large: ten millions too."""
    sizes = SIZES_QUICK if quick else (*SIZES, LARGE) if large else SIZES
    rows: list[Row] = []
    tenants: dict[int, UUID] = {}
    with stage() as on:
        for events in sizes:
            tenant, size = on.tenant(events)
            tenants[events] = tenant
            told = f"{events:,} events, {size.entries:,} entries"
            seconds = _beside(on, tenant, events)
            ours, floor = seconds.pop("ours"), seconds.pop("floor")
            rows += [
                Row(f"{told}: linear; peer: {name}", ours, peer, "s", 1.0, mark_is_ratio=True)
                for name, peer in seconds.items()
            ]
            mark = 1 / FLOOR_TIMES_MAX if events >= FLOOR_FROM else None
            name = f"{events:,} events: linear; peer: floor, its rows inserted as known"
            rows.append(Row(name, ours, floor, "s", mark, mark_is_ratio=True))
            if events in MARKS:
                rows.append(Row(f"{events:,} events: linear", ours, None, "s", MARKS[events]))
            rows += _models(on, tenant, events, ours)
            rows += _again(on, tenant, events)
        rows += _growth(on, tenants)
        rows.append(Row("peak memory of the worker's child", on.megabytes(), None, "MB", MEGABYTES_MAX))
    return rows


def _beside(on: Stage, tenant: UUID, events: int) -> dict[str, float]:
    """Have ours, the engines and the floor take turns at linear attribution; return the best time of each."""
    version = SETTINGS.version("linear")
    engines = {
        name: compute for name, (package, compute) in peers.ENGINES.items() if _imported(name, package)
    }
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for nth in range(_rounds(events)):
        # Each under another look-back, so that each writes everything; none is shorter than the peers'.
        seconds["ours"].append(on.compute(tenant, linear(LOOKBACK_DAYS + nth)).seconds)
        for name, compute in engines.items():
            doing = partial(peers.in_an_engine, on.superuser, tenant, compute, LOOKBACK_DAYS)
            seconds[name].append(_timed(doing))
            assert peers.same(on.superuser, tenant, version), "a wrong peer is none"
            peers.forget(on.superuser)
        if nth == 0:
            peers.prepare_floor(on.superuser, tenant, version)
        seconds["floor"].append(_timed(partial(peers.floor, get_engine("app_worker"), tenant)))
        peers.forget_floor(on.superuser)
    if events <= ORM_EVENTS_MAX:
        engine = create_engine(bootstrap_url(), poolclass=NullPool)
        seconds["ORM loop"].append(_timed(partial(peers.orm_loop, engine, tenant)))
        assert peers.same(on.superuser, tenant, version, "bench_allocations"), "a wrong peer is none"
    return {name: min(times) for name, times in seconds.items()}


def _imported(name: str, package: str) -> bool:
    """Import a peer's package, which is not part of its time; False where it is missing."""
    if not peers.is_installed(package):
        print(f"{name} is left out: {package} is not installed (it is in the group bench)")
        return False
    import_module(package)
    return True


def _rounds(events: int) -> int:
    return next(rounds for at_least, rounds in ROUNDS.items() if events >= at_least)


def _models(on: Stage, tenant: UUID, events: int, of_linear: float) -> Iterator[Row]:
    """Measure the other models, each from nothing, and set them beside linear."""
    for model in MODELS:
        if model != "linear":
            job = on.compute(tenant, SETTINGS.parameters(model))
            assert job.written, model
            yield Row(f"{events:,} events: {model}; peer: our linear", job.seconds, of_linear)


def _again(on: Stage, tenant: UUID, events: int) -> Iterator[Row]:
    """Measure what happens to a tenant that was attributed before: little has changed, or nothing."""
    other = linear(LOOKBACK_DAYS + _rounds(events))
    data.mark(on.superuser, tenant)
    again = on.attribute_marked(tenant)
    assert again.written == 0, "a rerun must change nothing"
    yield Row(
        f"{events:,} events: all {len(MODELS)} models again, nothing written, digests kept", again.seconds
    )
    # What autovacuum does within a minute of so much: what is measured next is not the bulk's wake.
    on.superuser.execute("VACUUM dirty_marks, order_digests, day_digests, allocations")
    on.compute(tenant, other)
    reruns = [on.compute(tenant, other) for _ in range(RERUNS)]
    assert {job.outcome for job in reruns} == {"unchanged"}
    rerun = median(job.seconds for job in reruns)
    yield Row(f"{events:,} events: a rerun without change (median)", rerun, None, "s", UNCHANGED_SECONDS_MAX)
    marked, changed = [], []
    for nth in range(CHANGES):
        journeys = change(on.superuser, tenant, 100, nth)
        marked.append(on.attribute_marked(tenant))
        changed.append(on.compute(tenant, other))
    assert all(job.written for job in (*marked, *changed))
    name = f"{events:,} events: about {journeys:,} dirty journeys"
    yield Row(f"{name}, all {len(MODELS)} models (median)", median(job.seconds for job in marked))
    yield Row(
        f"{name} (1 %), linear (median)",
        median(job.seconds for job in changed),
        None,
        "s",
        DIRTY_SECONDS_MAX,
    )


def _growth(on: Stage, tenants: dict[int, UUID]) -> Iterator[Row]:
    """Tell by which power of the events the time grows, from 100,000 on; both sizes take turns."""
    for smaller, larger in pairwise(sorted(tenants)[1:]):
        seconds: defaultdict[int, list[float]] = defaultdict(list)
        for nth in range(3 * CHANGES):
            for events in (smaller, larger) if nth % 3 == 1 else (smaller,):
                job = on.compute(tenants[events], linear(LOOKBACK_DAYS_MAX - nth))
                seconds[events].append(job.seconds)
        growth = median(seconds[larger]) / median(seconds[smaller])
        name = f"exponent of growth, {smaller:,} to {larger:,} events (medians)"
        yield Row(name, math.log(growth) / math.log(larger / smaller), None, "", EXPONENT_MAX)


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
