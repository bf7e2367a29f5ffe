"""The database: the embedded server, roles, engines, the one tenant transaction, migrations."""
