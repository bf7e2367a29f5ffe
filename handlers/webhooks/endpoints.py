"""Operations of api-contracts/openapi/v1/webhooks/endpoints.yaml."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from pydantic import MISSING, BaseModel, SecretStr

from generated.models import common_endpoints as models
from skeldir.domain.errors import Conflict, FieldError, NotFound, Unprocessable
from skeldir.http.context import Context, Reply
from skeldir.repository import endpoint_changes, endpoints, webhook_secrets
from skeldir.repository.endpoints import EndpointSummary, LockedEndpoint, Vendor
from skeldir.settings import get_settings
from skeldir.vendors.secrets import can_be_generated, fault_of, new_secret

Model = TypeVar("Model", bound=BaseModel)

CHANGES_SHOWN: Final = 100


class _Wish(NamedTuple):
    """The secret that a request gives or asks for."""

    secret: SecretStr
    is_generated: bool

    def shown(self) -> str | None:
        """Return the secret where the caller cannot know it."""
        return self.secret.get_secret_value() if self.is_generated else None


def list_webhook_endpoints(ctx: Context) -> models.WebhookEndpointList:
    """List the tenant's endpoints that are not revoked."""
    found = endpoints.list_endpoints(ctx.session)
    return models.WebhookEndpointList(endpoints=[_endpoint(endpoint) for endpoint in found])


def get_webhook_endpoint(ctx: Context, *, endpoint_id: UUID) -> models.WebhookEndpointDetail:
    """Return an endpoint and its audit trail."""
    endpoint = _shown(ctx, endpoint_id)
    changes = endpoint_changes.last(ctx.session, endpoint_id, CHANGES_SHOWN)
    told = (
        {
            "change_id": change.change_id,
            "changed_at": change.changed_at,
            "user_id": change.user_id,
            "action": change.action,
            "secret_id": change.secret_id,
        }
        for change in changes
    )
    return models.WebhookEndpointDetail(
        endpoint=endpoint, changes=[_filled(models.EndpointChange, change) for change in told]
    )


def create_webhook_endpoint(
    ctx: Context, *, body: models.CreateEndpointRequest
) -> Reply[models.IssuedEndpoint]:
    """Make an endpoint; its address is shown this once."""
    wish = _wish(body.vendor, body.secret, generate=body.generate_secret)
    if not endpoints.has_room(ctx.session):
        raise Conflict(f"The tenant has {endpoints.ENDPOINTS_MAX} endpoints: revoke one that is not needed.")
    issued = endpoints.create(ctx.session, body.vendor, _user(ctx))
    if wish:
        _add(ctx, issued.endpoint_id, wish, timedelta())
    told = {
        "endpoint": _shown(ctx, issued.endpoint_id),
        "url": get_settings().public_url.rstrip("/") + issued.path(),
        "secret": wish and wish.shown(),
    }
    return Reply(_filled(models.IssuedEndpoint, told), status=201)


def set_webhook_secret(
    ctx: Context, *, endpoint_id: UUID, body: models.SetSecretRequest
) -> Reply[models.SecretAdded]:
    """Add a secret; the one before it stays valid for the grace period."""
    endpoint = _locked(ctx, endpoint_id)
    if endpoint.is_revoked:
        raise Conflict("The endpoint is revoked: create another one.")
    wish = _wish(endpoint.vendor, body.secret, generate=body.generate_secret)
    if wish is None:
        raise _unprocessable("body.secret", "required", "is required where none is to be generated")
    secret_id = _add(ctx, endpoint_id, wish, timedelta(hours=body.grace_hours))
    told = {"endpoint": _shown(ctx, endpoint_id), "secret_id": secret_id, "secret": wish.shown()}
    return Reply(_filled(models.SecretAdded, told), status=201)


def retire_webhook_secret(ctx: Context, *, endpoint_id: UUID, secret_id: UUID) -> models.WebhookEndpoint:
    """End a secret at once."""
    _locked(ctx, endpoint_id)
    if not webhook_secrets.retire(ctx.session, endpoint_id, secret_id, _user(ctx)):
        raise NotFound("The endpoint has no such secret.")
    return _shown(ctx, endpoint_id)


def revoke_webhook_endpoint(
    ctx: Context, *, endpoint_id: UUID, body: models.RevokeEndpointRequest
) -> models.WebhookEndpoint:
    """End an endpoint, at once or after a grace period."""
    _locked(ctx, endpoint_id)
    endpoints.revoke(ctx.session, endpoint_id, timedelta(hours=body.grace_hours), _user(ctx))
    return _shown(ctx, endpoint_id)


def _wish(vendor: Vendor, secret: SecretStr | MISSING, *, generate: bool) -> _Wish | None:
    """Return the secret to set, if any; refuses one that cannot be the vendor's, without repeating it."""
    if secret is MISSING:
        if not generate:
            return None
        if not can_be_generated(vendor):
            raise _unprocessable(
                "body.generate_secret", "not_generated", f"is of no use: the secret is {vendor}'s to tell"
            )
        return _Wish(SecretStr(new_secret(vendor)), is_generated=True)
    if generate:
        raise _unprocessable("body.generate_secret", "not_generated", "is of no use beside a secret")
    fault = fault_of(vendor, secret.get_secret_value())
    if fault is not None:
        raise _unprocessable("body.secret", "malformed_secret", fault)
    return _Wish(secret, is_generated=False)


def _add(ctx: Context, endpoint_id: UUID, wish: _Wish, grace: timedelta) -> UUID:
    secret = wish.secret.get_secret_value().encode()
    return webhook_secrets.add(ctx.session, ctx.tenant_id, endpoint_id, secret, grace=grace, by=_user(ctx))


def _locked(ctx: Context, endpoint_id: UUID) -> LockedEndpoint:
    endpoint = endpoints.lock(ctx.session, endpoint_id)
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    return endpoint


def _shown(ctx: Context, endpoint_id: UUID) -> models.WebhookEndpoint:
    endpoint = endpoints.get(ctx.session, endpoint_id)
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    return _endpoint(endpoint)


def _endpoint(endpoint: EndpointSummary) -> models.WebhookEndpoint:
    secrets = (
        {
            "secret_id": secret.secret_id,
            "created_at": secret.created_at,
            "valid_until": secret.retired_at,
            "sealing_key_id": secret.sealing_key_id,
        }
        for secret in endpoint.secrets
    )
    told = {
        "endpoint_id": endpoint.endpoint_id,
        "vendor": endpoint.vendor,
        "key_hint": endpoint.key_hint,
        "created_at": endpoint.created_at,
        "valid_until": endpoint.revoked_at,
        "secrets": [_filled(models.WebhookSecret, secret) for secret in secrets],
    }
    return _filled(models.WebhookEndpoint, told)


def _user(ctx: Context) -> UUID | None:
    return ctx.principal.user_id if ctx.principal else None


def _unprocessable(field: str, code: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", errors=(FieldError(field, code, message),))


def _filled(model: type[Model], told: Mapping[str, object]) -> Model:
    """Make a model of what is known; what is None is left out."""
    return model.model_validate({name: value for name, value in told.items() if value is not None})
