"""One export: a snapshot's rows through a format to the client, and the manifest that tells of it.

The session is open until the last byte was handed over. The manifest is kept in short transactions of its
own, before the first byte and after the last one; who hangs up between leaves an aborted one.
"""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from handlers.certainty import certainty
from skeldir.db.session import tenant_session
from skeldir.domain.errors import FieldError, Unprocessable
from skeldir.domain.exports import ChannelTotal, CurrencyTotal, Dataset, ExportFilters, ExportFormat, Tally
from skeldir.domain.ids import uuid7
from skeldir.domain.models import Model
from skeldir.formats import delimited, objects, parquet, xlsx
from skeldir.formats.tables import Encode, Table
from skeldir.http.context import Context, Stream
from skeldir.repository import (
    attribution_settings,
    channel_intervals,
    channel_reports,
    export_manifests,
    exports,
)
from skeldir.repository.channel_intervals import Certainties
from skeldir.repository.channel_reports import ChannelRevenue, CurrencyReport, Mode
from skeldir.repository.export_manifests import Begun, Outcome
from skeldir.settings import get_settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants exported; without a model, under the tenant's default."""

    dataset: Dataset
    format: ExportFormat
    model: Model | None = None
    filters: ExportFilters = field(default_factory=ExportFilters)
    mode: Mode = "cash"


@dataclass(frozen=True, slots=True)
class Format:
    """How rows become a file."""

    media_type: str
    encode: Encode


FORMATS: Final[dict[ExportFormat, Format]] = {
    "csv": Format("text/csv; charset=utf-8; header=present", delimited.encode),
    "json": Format("application/json", objects.encode_document),
    "ndjson": Format("application/x-ndjson", objects.encode_lines),
    "parquet": Format("application/vnd.apache.parquet", parquet.encode),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.encode),
}


def begin(ctx: Context, asked: Asked) -> Stream:
    """Open the export as far as something could still be refused, and return what is left to send.

    Raises Unprocessable for days or channels that cannot be.
    """
    asked.filters.window()
    media_type = FORMATS[asked.format].media_type
    if ctx.request.method == "HEAD":
        return Stream(media_type, _nothing())
    user_id = None if ctx.principal is None else ctx.principal.user_id
    export = _Export(ctx.tenant_id, user_id, asked)
    chunks = export.chunks()
    next(chunks)
    return Stream(media_type, chunks, export.headers())


class _Export:
    """An export under way."""

    begun: Begun

    def __init__(self, tenant_id: UUID, user_id: UUID | None, asked: Asked) -> None:
        self._tenant_id = tenant_id
        self._user_id = user_id
        self._asked = asked
        self._tally = Tally()
        self._is_kept = False

    def headers(self) -> dict[str, str]:
        """Return what is announced before the first byte; the export must have begun."""
        export_id, day = self.begun.export_id, self.begun.snapshot_at.date()
        pending = [f"{one.currency}={one.pending_cents}" for one in self.begun.totals if one.pending_cents]
        return {
            "Content-Disposition": f'attachment; filename="skeldir-export-{day}.{self._asked.format}"',
            "Export-Id": str(export_id),
            "Export-Pending": ", ".join(pending) or "none",
            "Link": f'</api/export/manifests/{export_id}>; rel="describedby"',
        }

    def chunks(self) -> Generator[bytes]:
        """Yield an empty chunk when the export has begun, then its bytes; keep how it ended."""
        digest, byte_count = hashlib.sha256(), 0
        try:
            with tenant_session(self._tenant_id, read_only=True) as session:
                table = self._begin(session)
                yield b""
                for chunk in FORMATS[self._asked.format].encode(table):
                    digest.update(chunk)
                    byte_count += len(chunk)
                    yield chunk
            outcome = Outcome(self._tally.row_count, byte_count, digest.hexdigest(), self._totals())
            with tenant_session(self._tenant_id) as session:
                export_manifests.complete(session, self.begun.export_id, outcome)
        except BaseException:  # also GeneratorExit: the client is gone, or was too slow
            if self._is_kept:
                with tenant_session(self._tenant_id) as session:
                    export_manifests.abort(session, self.begun.export_id)
            raise

    def _begin(self, session: Session) -> Table:
        """Take the snapshot, add up what it holds, fetch the first rows, and keep that there is an export."""
        asked, seconds_max = self._asked, get_settings().export_seconds_max
        snapshot_at = exports.prepare(session, seconds_max)
        self._refuse_unknown(session)
        settings = attribution_settings.current(session)
        model = asked.model or settings.default_model
        version = settings.version(model)
        window = asked.filters.window()
        certainties = channel_intervals.certainties(session, version, window, asked.mode)
        totals = channel_reports.report(session, version, window, asked.mode, asked.filters.currency)
        self.begun = Begun(
            export_id=uuid7(),
            dataset=asked.dataset,
            format=asked.format,
            model=model,
            model_version=version,
            mode=asked.mode,
            filters=asked.filters,
            requested_by=self._user_id,
            snapshot_at=snapshot_at,
            totals=[_total(one, certainties, asked.filters.channels) for one in totals],
        )
        batches = exports.rows(session, asked.dataset, version, asked.mode, asked.filters)
        first = next(batches, None)
        with tenant_session(self._tenant_id) as own:
            export_manifests.begin(own, self.begun, seconds_max)
        self._is_kept = True
        counted = self._counted([] if first is None else [first], batches)
        return Table(asked.dataset, exports.COLUMNS[asked.dataset], counted, self._head(), self._tail)

    def _refuse_unknown(self, session: Session) -> None:
        channels = self._asked.filters.channels
        unknown = exports.unknown_channels(session, channels) if channels else []
        if unknown:
            message = f"names no channel: {', '.join(unknown)}"
            errors = (FieldError("query.channels", "unknown_channel", message),)
            raise Unprocessable(f"query.channels {message}", errors=errors)

    def _counted(self, first: list[Sequence[Any]], rest: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Pass batches on, counting rows and adding up amounts."""
        names = [column.name for column in exports.COLUMNS[self._asked.dataset]]
        amount, currency = names.index(exports.AMOUNT[self._asked.dataset]), names.index("currency")
        sums = self._tally.exported_cents
        for batches in (first, rest):
            for batch in batches:
                self._tally.row_count += len(batch)
                for row in batch:
                    sums[row[currency]] += row[amount]
                yield batch

    def _totals(self) -> list[CurrencyTotal]:
        sums = self._tally.exported_cents
        return [replace(total, exported_cents=sums[total.currency]) for total in self.begun.totals]

    def _head(self) -> dict[str, object]:
        begun = self.begun
        return {
            "export_id": begun.export_id,
            "generated_at": begun.snapshot_at,
            "dataset": begun.dataset,
            "model": begun.model,
            "model_version": begun.model_version,
            "mode": begun.mode,
            "date_range": {"start_date": begun.filters.start_date, "end_date": begun.filters.end_date},
        }

    def _tail(self) -> dict[str, object]:
        return {"summary": {"row_count": self._tally.row_count, "currencies": self._totals()}}


def _total(found: CurrencyReport, certainties: Certainties, chosen: Sequence[str] | None) -> CurrencyTotal:
    channels = [
        _channel(one, certainty(certainties, found.currency, one.channel_code))
        for one in found.channels
        if chosen is None or one.channel_code in chosen
    ]
    return CurrencyTotal(
        found.currency,
        found.ledger_net_cents,
        found.allocated_cents,
        found.pending_cents,
        channels=channels,
    )


def _channel(found: ChannelRevenue, told: dict[str, Any]) -> ChannelTotal:
    interval = told["credible_interval"]
    told["credible_interval"] = interval and interval.model_dump()
    return ChannelTotal(found.channel_code, found.revenue_cents, **told)


def _nothing() -> Generator[bytes]:
    yield from ()
