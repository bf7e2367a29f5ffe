"""What is stored of payloads, searched for texts that must not be there."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

COUNT_CONTAINING = text("""
    SELECT count(*)
      FROM (SELECT CAST(payload AS text) AS stored FROM events
            UNION ALL SELECT CAST(payload AS text) FROM dead_letters
            UNION ALL SELECT detail FROM dead_letters
            UNION ALL SELECT CAST(receipt AS text) FROM deliveries) kept
     WHERE EXISTS (SELECT FROM unnest(CAST(:texts AS text[])) AS sought (words)
                    WHERE position(lower(sought.words) IN lower(kept.stored)) > 0)
""")


def count_containing(session: Session, texts: Iterable[str]) -> int:
    """Count the stored payloads, details and receipts in which one of the texts occurs."""
    return int(session.execute(COUNT_CONTAINING, {"texts": list(texts)}).scalar_one())
