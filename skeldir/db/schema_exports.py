"""The table of what was exported."""

from sqlalchemy import ARRAY, CHAR, BigInteger, Date, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "export_manifests",
    key("export_id"),
    column("dataset", Text),
    column("format", Text),
    column("model", Text),
    column("model_version", Text),
    column("mode", Text),
    optional("start_date", Date),
    optional("end_date", Date),
    optional("channels", ARRAY(Text)),
    optional("currency", CHAR(3)),
    optional("requested_by", Uuid),
    column("snapshot_at", INSTANT),
    column("ends_at", INSTANT),
    column("status", Text, default="'streaming'"),
    optional("finished_at", INSTANT),
    optional("row_count", BigInteger),
    optional("byte_count", BigInteger),
    optional("sha256", Text),
    column("totals", JSONB),
    Index("export_manifests_snapshot_idx", "tenant_id", text("snapshot_at DESC"), "export_id"),
)
