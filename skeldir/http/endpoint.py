"""The innermost application: read and judge a request, run its route."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from starlette.types import Receive, Scope, Send

from skeldir.http.answers import HttpAnswer
from skeldir.http.bodies import read_body
from skeldir.http.boundary import Call
from skeldir.http.exchange import EXCHANGE, Exchange
from skeldir.http.negotiation import check_accept
from skeldir.http.pool import HandlerPool
from skeldir.http.streams import Streams


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Serves the operation that routing and security have let through."""

    pool: HandlerPool
    streams: Streams
    body_bytes_max: int

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Leave the answer in the exchange; refusals are raised for the shield."""
        exchange: Exchange = scope[EXCHANGE]
        plan = exchange.plan
        check_accept(exchange.headers.get(b"accept"), plan.produces)
        parameters = plan.parameters.read(exchange)
        if plan.body is None:
            call = Call(exchange, parameters, None, b"")
        else:
            raw = await read_body(exchange.headers, receive, self.body_bytes_max)
            call = Call(exchange, parameters, plan.body.parse(raw, exchange.headers), raw)
        if plan.is_async:
            if exchange.principal is not None:
                await self.pool.run(call.admit)
            exchange.answer = await cast("Awaitable[HttpAnswer]", plan.route(call))
        elif plan.is_streamed:
            route = cast("Callable[[Call], HttpAnswer]", plan.route)
            exchange.answer = await self.streams.open(exchange, route, call)
        else:
            exchange.answer = await self.pool.run(cast("Callable[[Call], HttpAnswer]", plan.route), call)
