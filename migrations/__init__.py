"""The schema's history. Settings are in pyproject; `skeldir.db.migrate` runs it without that file."""
