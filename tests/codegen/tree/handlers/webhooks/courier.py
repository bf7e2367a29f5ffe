"""Operations of the courier's webhook of this small tree."""

from generated.models.webhooks.courier import Receipt

from skeldir.http.context import Context


def receive_courier_note(ctx: Context, *, endpoint_key: str, body: bytes) -> Receipt:
    raise NotImplementedError(ctx, endpoint_key, body)
