"""The task that closes the ledger up to a while ago, so that its totals stay quick however long it is."""

from skeldir.repository import attribution, ledger_totals
from workers.base import TenantTask, task


@task("maintenance.close_ledger", TenantTask)
def close_ledger(self: TenantTask, *, tenant_id: str) -> dict[str, str]:
    """Close the ledger where the last run proposed to, if nothing more can be booked there; propose anew.

    What is not reached yet is left to the next run: while a transaction runs for hours nothing is closed.
    """
    with self.transaction(tenant_id) as turn:
        if not ledger_totals.take_turn(turn):
            return {"outcome": "busy"}
        with self.transaction(tenant_id) as session:
            before = ledger_totals.proposed(session)
        if before is not None:
            with self.transaction(tenant_id, isolation="repeatable read") as session:
                attribution.begin_scan(session)
                ledger_totals.close(session, before)
        with self.transaction(tenant_id) as session:
            ledger_totals.propose(session)
    return {"outcome": "proposed" if before is None else "closed"}
