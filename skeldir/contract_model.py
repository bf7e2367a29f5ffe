"""The base class of every generated contract model."""

from pydantic import BaseModel, ConfigDict


class ContractModel(BaseModel):
    """A value that JSON Schema has already judged; Pydantic only constructs it.

    `defer_build` keeps start-up short: a model is compiled when first used.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)
