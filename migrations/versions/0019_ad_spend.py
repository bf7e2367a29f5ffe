"""Ad spend: the figures that stand, the imports that told them, and what each import changed."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, analyse_often, append_only, grant, isolate

revision = "0019"
down_revision = "0018"

FIGURE = """
        day          date NOT NULL,
        channel_code text NOT NULL,
        campaign_id  text NOT NULL DEFAULT '',
        currency     char(3) NOT NULL,
        cost_cents   bigint NOT NULL CHECK (cost_cents >= 0),
        impressions  bigint CHECK (impressions >= 0),
        clicks       bigint CHECK (clicks >= 0)
"""
TABLES = {
    # Days first: reports and lists ask for days.
    "ad_spend": f"""
        {TENANT_COLUMN},
        {FIGURE},
        import_id    uuid NOT NULL,
        PRIMARY KEY (tenant_id, day, channel_code, campaign_id, currency)
    """,
    "ad_spend_changes": f"""
        {TENANT_COLUMN},
        import_id    uuid NOT NULL,
        {FIGURE},
        previous_cost_cents  bigint,
        previous_impressions bigint,
        previous_clicks      bigint,
        previous_import_id   uuid,
        PRIMARY KEY (tenant_id, import_id, day, channel_code, campaign_id, currency)
    """,
    "ad_spend_imports": f"""
        {TENANT_COLUMN},
        import_id      uuid NOT NULL,
        imported_at    timestamptz NOT NULL,
        imported_by    uuid,
        media_type     text NOT NULL CHECK (media_type IN ('application/json', 'text/csv')),
        row_count      integer NOT NULL CHECK (row_count > 0),
        added_count    integer NOT NULL CHECK (added_count >= 0),
        replaced_count integer NOT NULL CHECK (replaced_count >= 0),
        content_digest text NOT NULL,
        PRIMARY KEY (tenant_id, import_id),
        CONSTRAINT ad_spend_imports_count_check CHECK (added_count + replaced_count <= row_count)
    """,
}
INDEX = "CREATE INDEX ad_spend_imports_at_idx ON ad_spend_imports (tenant_id, imported_at, import_id)"


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
    op.execute(INDEX)
    for table in ("ad_spend_changes", "ad_spend_imports"):
        append_only(table)
        grant(table, u="SI", w="S", r="S")
    grant("ad_spend", u="SIU", w="S", r="S")
    analyse_often("ad_spend")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
