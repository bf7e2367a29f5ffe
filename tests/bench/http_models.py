"""The models of the http suite, as codegen would write them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, create_model

from skeldir.contract_model import ContractModel
from tests.bench.http_contract import COUNTS, FLAGS, IDS, TEXTS, TIMES

Text = Annotated[str, Field(min_length=1, max_length=50)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Channel = Literal["email", "paid_search", "direct"]


class ItemBase(ContractModel):
    """What all fields have in common."""

    model_config = ConfigDict(extra="forbid")
    currency: Currency
    channel: Channel


Item = create_model(
    "Item",
    __base__=ItemBase,
    **dict.fromkeys(TEXTS, (Text, ...)),
    **dict.fromkeys(COUNTS, (Count, ...)),
    **dict.fromkeys(FLAGS, (bool, ...)),
    **dict.fromkeys(IDS, (UUID, ...)),
    **dict.fromkeys(TIMES, (AwareDatetime, ...)),
)  # type: ignore[call-overload]


class Found(ContractModel):
    """The answer to a GET."""

    job_id: UUID
    limit: int
    currency: str | None
    client: str


class Received(ContractModel):
    """The answer to a POST."""

    count: int
    channel: str
    at: datetime
