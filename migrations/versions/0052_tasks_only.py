"""Who is no worker publishes tasks, and nothing that would command workers."""

from importlib import import_module

revision = "0052"
down_revision = "0051"

FORMER = import_module("migrations.versions.0026_queue_functions")

# Whoever has the API's login could else tell all workers to shut down, or forge what they answer each other:
# such queues live as long as who reads them.
GUARD = """
  IF NOT pg_has_role(session_user, 'app_worker', 'MEMBER') AND (
         p_kind <> 'direct'
         OR EXISTS (SELECT FROM skeldir_broker.queues WHERE queue = ANY(targets) AND lease IS NOT NULL)) THEN
    RAISE insufficient_privilege USING MESSAGE = 'only workers may publish what is no task';
  END IF;
"""
PUBLISH = FORMER.PUBLISH.replace("  IF targets IS NULL THEN", GUARD + "  IF targets IS NULL THEN", 1)


def upgrade() -> None:
    _replace(PUBLISH)


def downgrade() -> None:
    _replace(FORMER.PUBLISH)


def _replace(body: str) -> None:
    for signature, result, language, _ in FORMER.EVERYBODYS:
        if signature.startswith("publish("):
            FORMER.create(signature, result, language, body, "app_rw, app_worker")
