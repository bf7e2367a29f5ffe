# @generated from api-contracts/openapi/v1/_common/endpoints.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field, SecretStr
from skeldir.contract_model import ContractModel


class WebhookSecret(ContractModel):
    """
    A secret that deliveries may be signed with. What it is, is never shown.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    secret_id: UUID
    created_at: AwareDatetime
    valid_until: Annotated[
        AwareDatetime | MISSING, Field(description="When it ends; absent while nothing has replaced it.")
    ] = MISSING
    sealing_key_id: Annotated[
        str,
        Field(
            description="The key of the service's own ring that it is sealed with.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]


class WebhookEndpoint(ContractModel):
    """
    An address that one vendor delivers to.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    endpoint_id: UUID
    vendor: Annotated[
        Literal["shopify", "stripe", "woocommerce", "paypal", "custom"],
        Field(description="`custom`: a sender of the tenant's own, by the Standard Webhooks specification."),
    ]
    key_hint: Annotated[
        str,
        Field(
            description="The last characters of the key in its address, to tell addresses apart.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    created_at: AwareDatetime
    valid_until: Annotated[
        AwareDatetime | MISSING,
        Field(description="When it ends, or ended; absent while nobody has revoked it."),
    ] = MISSING
    secrets: Annotated[
        list[WebhookSecret],
        Field(
            description="Those that are valid now, the newest first; without any, every delivery is refused.",
            max_length=2,
        ),
    ]


class WebhookEndpointList(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    endpoints: Annotated[
        list[WebhookEndpoint], Field(description="By vendor, the oldest first.", max_length=100)
    ]


class EndpointChange(ContractModel):
    """
    One line of an endpoint's audit trail; it is never changed.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    change_id: UUID
    changed_at: AwareDatetime
    user_id: Annotated[
        UUID | MISSING, Field(description="Who did it; absent where an operator did on the command line.")
    ] = MISSING
    action: Literal["endpoint_created", "endpoint_revoked", "secret_added", "secret_retired"]
    secret_id: UUID | MISSING = MISSING


class WebhookEndpointDetail(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    endpoint: WebhookEndpoint
    changes: Annotated[
        list[EndpointChange], Field(description="The last ones, the newest first.", max_length=100)
    ]


class CreateEndpointRequest(ContractModel):
    """
    Without a secret the endpoint accepts nothing yet. Some vendors tell theirs only for an address.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    vendor: Annotated[
        Literal["shopify", "stripe", "woocommerce", "paypal", "custom"],
        Field(description="`custom`: a sender of the tenant's own, by the Standard Webhooks specification."),
    ]
    secret: Annotated[
        SecretStr | MISSING,
        Field(
            description="The secret as the vendor shows it (PayPal: the webhook's id). It is sealed and never shown again, nor repeated in an error.",
            max_length=500,
            min_length=1,
        ),
    ] = MISSING
    generate_secret: Annotated[
        bool,
        Field(
            description="Make a secret and show it, once. Only where the shop tells the vendor the secret, as in WooCommerce; the others make their own."
        ),
    ] = False


class SetSecretRequest(ContractModel):
    """
    Either a secret or the wish for a generated one.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    secret: Annotated[
        SecretStr | MISSING,
        Field(
            description="The secret as the vendor shows it (PayPal: the webhook's id). It is sealed and never shown again, nor repeated in an error.",
            max_length=500,
            min_length=1,
        ),
    ] = MISSING
    generate_secret: Annotated[
        bool, Field(description="Make a secret and show it, once, where the vendor takes the one it is told.")
    ] = False
    grace_hours: Annotated[
        int,
        Field(
            description="How long the former secret is still accepted beside this one; older ones end at once.",
            ge=0,
            le=168,
        ),
    ] = 24


class RevokeEndpointRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    grace_hours: Annotated[int, Field(description="How long it still accepts deliveries.", ge=0, le=168)] = 0


class IssuedEndpoint(ContractModel):
    """
    A new endpoint, with what is shown this once.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    endpoint: WebhookEndpoint
    url: Annotated[
        str,
        Field(
            description="The address to give to the vendor; it holds the endpoint's key, and is shown this once.",
            max_length=2000,
        ),
    ]
    secret: Annotated[
        str | MISSING,
        Field(
            description="The generated secret, shown this once.",
            max_length=500,
            min_length=1,
            pattern="^[\\x21-\\x7e]+$",
        ),
    ] = MISSING


class SecretAdded(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    endpoint: WebhookEndpoint
    secret_id: UUID
    secret: Annotated[
        str | MISSING,
        Field(
            description="The generated secret, shown this once.",
            max_length=500,
            min_length=1,
            pattern="^[\\x21-\\x7e]+$",
        ),
    ] = MISSING
