"""Changes of what a contract means, read from mutations.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]

# How the first line must begin; an operation that moved is named where it is now.
FIRST_LINES = {
    "listParcels": r"GET /depot/parcels \((listParcels|listBoxes)\): ",
    "sendParcel": r"POST /depot/parcels \(sendParcel\): ",
    "recallParcel": r"(DELETE|PUT) /depot/parcels/(sent/)?\{parcel_id\} \(recallParcel\): ",
    "ringDoorbell": r"GET /depot/doorbell \(ringDoorbell\): ",
    "receiveCourierNote": r"(POST (/v2)?/courier/\{endpoint_key\} \(|webhooks/courier: operation )receive",
    "any": r"(GET|POST|DELETE) /(depot|courier)/\S+ \(\w+\): ",
}


@dataclass(frozen=True)
class Mutation:
    """One change: at the end of a way a value is set, a key renamed, or (neither) removed."""

    what: str
    operation: str
    contract: str
    change: dict[str, Any]

    @property
    def first_line(self) -> str:
        """Return the pattern of how the report must begin."""
        return FIRST_LINES[self.operation]

    def apply(self, document: Document) -> None:
        """Change a contract's document."""
        *way, last = self.change["at"]
        node: Any = document
        for step in way:
            node = node[step]
        if "to" not in self.change:
            value = node.pop(last)
            if "rename" in self.change:
                node[self.change["rename"]] = value
        elif isinstance(node, list) and last == len(node):
            node.append(self.change["to"])
        else:
            node[last] = self.change["to"]


MUTATIONS = [
    Mutation(what, group["operation"], group["contract"], change)
    for group in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    for what, change in group["changes"].items()
]
