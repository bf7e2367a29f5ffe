"""Everything a schema is, as text: two equal dumps are two equal schemas."""

import psycopg

PARTS = {
    "schema": "SELECT nspname, nspowner::regrole::text, nspacl::text FROM pg_namespace n WHERE {ours}",
    "table": """
        SELECT c.oid::regclass::text, relkind, relpersistence, relowner::regrole::text, relacl::text,
               relrowsecurity, relforcerowsecurity, reloptions
          FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE {ours}""",
    "column": """
        SELECT c.oid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attacl::text,
               pg_get_expr(d.adbin, d.adrelid), attidentity, attgenerated
          FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
          LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
         WHERE {ours} AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'v')""",
    "constraint": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(o.oid)
          FROM pg_constraint o JOIN pg_namespace n ON n.oid = connamespace WHERE {ours}""",
    "index": """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
          FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = relnamespace
         WHERE {ours}""",
    "policy": """
        SELECT polrelid::regclass::text, polname, polcmd, polpermissive, polroles::regrole[]::text[],
               pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
          FROM pg_policy JOIN pg_class c ON c.oid = polrelid JOIN pg_namespace n ON n.oid = relnamespace
         WHERE {ours}""",
    "trigger": """
        SELECT pg_get_triggerdef(t.oid)
          FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
         WHERE {ours} AND NOT tgisinternal""",
    "function": """
        SELECT pg_get_functiondef(p.oid), proowner::regrole::text, proacl::text
          FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE {ours}""",
}
OURS = "nspname ~ '^(public$|skeldir_)'"


def dump(connection: psycopg.Connection) -> list[str]:
    """Return one line per thing in the schema, sorted, but for Alembic's own table."""
    lines = []
    for part, query in PARTS.items():
        rows = connection.execute(query.format(ours=OURS)).fetchall()
        lines += [f"{part} {' | '.join(map(str, row))}" for row in rows]
    return sorted(line for line in lines if "alembic_version" not in line)
