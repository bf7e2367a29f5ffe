"""Ad spend: the figures that stand, the imports that told them, and what each import changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.ad_spend import Figure
from skeldir.domain.ids import uuid7
from skeldir.repository import turns

MediaType = Literal["application/json", "text/csv"]

_IMPORT: Final = text("""
    WITH told AS MATERIALIZED (
        SELECT public.current_tenant_id() AS tenant_id, given.*
          FROM unnest(CAST(:days AS date[]), CAST(:channel_codes AS text[]), CAST(:campaign_ids AS text[]),
                      CAST(:currencies AS text[]), CAST(:cost_cents AS bigint[]),
                      CAST(:impressions AS bigint[]), CAST(:clicks AS bigint[]))
               AS given (day, channel_code, campaign_id, currency, cost_cents, impressions, clicks)
    ), change AS MATERIALIZED (
        SELECT told.*, known.cost_cents AS previous_cost_cents, known.impressions AS previous_impressions,
               known.clicks AS previous_clicks, known.import_id AS previous_import_id
          FROM told
          LEFT JOIN ad_spend AS known
            ON known.tenant_id = told.tenant_id AND known.day = told.day
           AND known.channel_code = told.channel_code AND known.campaign_id = told.campaign_id
           AND known.currency = told.currency
         WHERE (known.cost_cents, known.impressions, known.clicks)
               IS DISTINCT FROM (told.cost_cents, told.impressions, told.clicks)
    ), standing AS (
        INSERT INTO ad_spend (day, channel_code, campaign_id, currency, cost_cents, impressions, clicks,
                              import_id)
        SELECT day, channel_code, campaign_id, currency, cost_cents, impressions, clicks, :import_id
          FROM change
         ORDER BY day, channel_code, campaign_id, currency
            ON CONFLICT (tenant_id, day, channel_code, campaign_id, currency) DO UPDATE
           SET cost_cents = excluded.cost_cents, impressions = excluded.impressions,
               clicks = excluded.clicks, import_id = excluded.import_id
    ), trail AS (
        INSERT INTO ad_spend_changes (import_id, day, channel_code, campaign_id, currency, cost_cents,
                                      impressions, clicks, previous_cost_cents, previous_impressions,
                                      previous_clicks, previous_import_id)
        SELECT :import_id, day, channel_code, campaign_id, currency, cost_cents, impressions, clicks,
               previous_cost_cents, previous_impressions, previous_clicks, previous_import_id
          FROM change
         ORDER BY day, channel_code, campaign_id, currency
    ), counted AS (
        SELECT count(*) FILTER (WHERE previous_import_id IS NULL) AS added_count,
               count(previous_import_id) AS replaced_count
          FROM change
    )
    INSERT INTO ad_spend_imports (import_id, imported_at, imported_by, media_type, row_count, added_count,
                                  replaced_count, content_digest)
    SELECT :import_id, clock_timestamp(), :imported_by, :media_type, :row_count, added_count, replaced_count,
           :content_digest
      FROM counted
    RETURNING import_id, imported_at, imported_by, media_type, row_count, added_count, replaced_count,
              content_digest
""")

_IMPORTS: Final = text("""
    SELECT import_id, imported_at, imported_by, media_type, row_count, added_count, replaced_count,
           content_digest
      FROM ad_spend_imports
     WHERE imported_at <= coalesce(CAST(:before_at AS timestamptz), 'infinity')
       AND (CAST(:before_at AS timestamptz) IS NULL
            OR (imported_at, import_id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
     ORDER BY imported_at DESC, import_id DESC
     LIMIT :limit
""")

_EXISTS: Final = text("SELECT EXISTS (SELECT FROM ad_spend_imports WHERE import_id = :import_id)")

_AFTER: Final = """
       AND day <= coalesce(CAST(:after_day AS date), 'infinity')
       AND (CAST(:after_day AS date) IS NULL
            OR day < CAST(:after_day AS date)
            OR (channel_code COLLATE "C", campaign_id COLLATE "C", currency COLLATE "C")
               > (CAST(:after_channel_code AS text) COLLATE "C", CAST(:after_campaign_id AS text) COLLATE "C",
                  CAST(:after_currency AS text) COLLATE "C"))
     ORDER BY day DESC, channel_code COLLATE "C", campaign_id COLLATE "C", currency COLLATE "C"
     LIMIT :limit
"""

_FIGURES: Final = text(f"""
    SELECT day, channel_code, campaign_id, currency, cost_cents, impressions, clicks, import_id
      FROM ad_spend
     WHERE day >= coalesce(CAST(:start_date AS date), '-infinity')
       AND day <= coalesce(CAST(:end_date AS date), 'infinity')
       AND (CAST(:channel_code AS text) IS NULL OR channel_code = CAST(:channel_code AS text))
       AND (CAST(:campaign_id AS text) IS NULL OR campaign_id = CAST(:campaign_id AS text))
       AND (CAST(:currency AS text) IS NULL OR currency = CAST(:currency AS text))
{_AFTER}""")  # noqa: S608 - a constant of this file

_CHANGES: Final = text(f"""
    SELECT day, channel_code, campaign_id, currency, cost_cents, impressions, clicks, import_id,
           previous_cost_cents, previous_impressions, previous_clicks, previous_import_id
      FROM ad_spend_changes
     WHERE import_id = :import_id
{_AFTER}""")  # noqa: S608 - a constant of this file


@dataclass(frozen=True, slots=True)
class Import:
    """One import: who told how many rows, and how many figures it added and replaced."""

    import_id: UUID
    imported_at: datetime
    imported_by: UUID | None
    media_type: MediaType
    row_count: int
    added_count: int
    replaced_count: int
    content_digest: str

    @property
    def unchanged_count(self) -> int:
        """Return how many rows told what was known."""
        return self.row_count - self.added_count - self.replaced_count


class Place(NamedTuple):
    """Where a page of figures or changes ended: the key of its last row."""

    day: date
    channel_code: str
    campaign_id: str
    currency: str


@dataclass(frozen=True, slots=True)
class StandingFigure:
    """The figure that stands, and the import that told it."""

    day: date
    channel_code: str
    campaign_id: str
    currency: str
    cost_cents: int
    impressions: int | None
    clicks: int | None
    import_id: UUID

    @property
    def place(self) -> Place:
        """Return the key to go on after this row."""
        return Place(self.day, self.channel_code, self.campaign_id, self.currency)


@dataclass(frozen=True, slots=True)
class Change(StandingFigure):
    """A figure that an import told, beside the one it replaced; None where there was none."""

    previous_cost_cents: int | None
    previous_impressions: int | None
    previous_clicks: int | None
    previous_import_id: UUID | None


def take_in(
    session: Session,
    figures: Sequence[Figure],
    *,
    content_digest: str,
    media_type: MediaType,
    imported_by: UUID | None,
) -> Import:
    """Let figures stand, each in the place of the one for the same key, and write down what that changed.

    No two may have one key. Figures that stand already are left as they are.
    """
    turns.wait_for(session, "ad spend")  # what this one replaces must be what the one before it left
    told = {
        "days": [figure.day for figure in figures],
        "channel_codes": [figure.channel_code for figure in figures],
        "campaign_ids": [figure.campaign_id for figure in figures],
        "currencies": [figure.currency for figure in figures],
        "cost_cents": [figure.cost_cents for figure in figures],
        "impressions": [figure.impressions for figure in figures],
        "clicks": [figure.clicks for figure in figures],
    }
    said = {"content_digest": content_digest, "media_type": media_type, "imported_by": imported_by}
    parameters = told | said | {"import_id": uuid7(), "row_count": len(figures)}
    return Import(*session.execute(_IMPORT, parameters).one())


def imports(session: Session, *, limit: int, before: tuple[datetime, UUID] | None = None) -> list[Import]:
    """Return imports, the newest first, from before a place on."""
    at, import_id = before or (None, None)
    rows = session.execute(_IMPORTS, {"limit": limit, "before_at": at, "before_id": import_id})
    return [Import(*row) for row in rows]


def is_import(session: Session, import_id: UUID) -> bool:
    """Tell whether there is such an import."""
    return bool(session.execute(_EXISTS, {"import_id": import_id}).scalar_one())


def figures(
    session: Session,
    *,
    limit: int,
    start_date: date | None = None,
    end_date: date | None = None,
    channel_code: str | None = None,
    campaign_id: str | None = None,
    currency: str | None = None,
    after: Place | None = None,
) -> list[StandingFigure]:
    """Return the figures that stand, the latest day first, from after a place on."""
    filters = {
        "start_date": start_date,
        "end_date": end_date,
        "channel_code": channel_code,
        "campaign_id": campaign_id,
        "currency": currency,
    }
    rows = session.execute(_FIGURES, {"limit": limit} | filters | _after(after))
    return [StandingFigure(*row) for row in rows]


def changes(session: Session, import_id: UUID, *, limit: int, after: Place | None = None) -> list[Change]:
    """Return what an import changed, the latest day first, from after a place on."""
    rows = session.execute(_CHANGES, {"limit": limit, "import_id": import_id} | _after(after))
    return [Change(*row) for row in rows]


def _after(place: Place | None) -> dict[str, object]:
    return {f"after_{name}": place and getattr(place, name) for name in Place._fields}
