"""The base class of every generated contract model."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class ContractModel(BaseModel):
    """A value that JSON Schema has already judged; Pydantic only constructs it.

    `defer_build` keeps start-up short: a model is compiled when first used.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        """Name what is told, not what it says: some of it is a secret, or what a shop told us."""
        return [(None, name) for name in sorted(self.model_fields_set)]
