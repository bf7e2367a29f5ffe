"""What is wrong with a contract, said so that it can be mended."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One fault: where it is, which rule it breaks, and how to mend it."""

    contract: str
    where: str
    rule: str
    message: str

    def __str__(self) -> str:
        """Return the one line that is printed."""
        return f"{self.contract}: {self.where}: [{self.rule}] {self.message}"


class ContractError(Exception):
    """The contracts cannot be generated from."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Keep each distinct finding once, in a stable order."""
        self.findings = sorted(set(findings))
        super().__init__("\n".join(map(str, self.findings)))
