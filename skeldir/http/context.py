"""What a handler is given besides its parameters: who asks, the transaction, the request's facts."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from skeldir.domain.errors import Unauthorized
from skeldir.security.principal import Principal, Role

__all__ = ["Context", "Principal", "Reply", "RequestFacts", "Role", "Stream"]

Body_co = TypeVar("Body_co", covariant=True)


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """The request as it came; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client_address: str


@dataclass(frozen=True, slots=True)
class Context:
    """One request as a handler sees it."""

    request: RequestFacts
    correlation_id: UUID
    principal: Principal | None = None
    transaction: Session | None = None

    @property
    def session(self) -> Session:
        """Return the request's one transaction.

        Raises RuntimeError when the operation says `x-transaction: none`.
        """
        if self.transaction is None:
            message = "this operation opens its own tenant_session (x-transaction: none)"
            raise RuntimeError(message)
        return self.transaction

    @property
    def tenant_id(self) -> UUID:
        """Return the caller's tenant; raises Unauthorized for an anonymous caller."""
        if self.principal is None:
            raise Unauthorized
        return self.principal.tenant_id


@dataclass(frozen=True, slots=True)
class Reply(Generic[Body_co]):
    """A handler's answer when it is more than a body: another status, headers, or what of the body counts."""

    body: Body_co
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    tagged: BaseModel | None = None
    """What the entity tag is of where the body also tells what does not count; the tag is a weak one then."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A handler's answer that is sent while it is made (`x-streamed` in the contract).

    The chunks are pulled in a thread, the next one when the client has taken most of the last; an empty
    one means "not yet". To be pulled again after the last one says that it was handed over, and is the
    time to note so. What is raised breaks the transfer off; to be closed is to have been given up, by
    the client or for the time it took. A handler makes the first chunk itself, so that whatever fails
    until then is still told as a problem.
    """

    media_type: str
    chunks: Generator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
