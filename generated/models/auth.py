# @generated from api-contracts/openapi/v1/auth.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field, SecretStr
from skeldir.contract_model import ContractModel


class RefreshResponse(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    access_token: Annotated[
        str, Field(max_length=4000, min_length=1, pattern="^[A-Za-z0-9_=-]+(\\.[A-Za-z0-9_=-]+){2}$")
    ]
    refresh_token: Annotated[str, Field(max_length=200, min_length=1, pattern="^skr_[A-Za-z0-9_.-]+$")]
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(ge=1, le=86400)]


class LoginRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    email: Annotated[str, Field(max_length=254, min_length=3, pattern="^[^\\x00-\\x20\\x7f]+$")]
    password: Annotated[SecretStr, Field(max_length=256, min_length=8)]
    tenant_id: UUID


class LoginUser(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID
    email: Annotated[str, Field(max_length=254, min_length=3, pattern="^[^\\x00-\\x20\\x7f]+$")]
    username: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]


class LoginResponse(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    access_token: Annotated[
        str, Field(max_length=4000, min_length=1, pattern="^[A-Za-z0-9_=-]+(\\.[A-Za-z0-9_=-]+){2}$")
    ]
    refresh_token: Annotated[str, Field(max_length=200, min_length=1, pattern="^skr_[A-Za-z0-9_.-]+$")]
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(ge=1, le=86400)]
    user: LoginUser


class RefreshRequest(ContractModel):
    """
    Both may be left out; given, each must agree with the bearer credential.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    refresh_token: Annotated[
        str | MISSING, Field(max_length=200, min_length=1, pattern="^skr_[A-Za-z0-9_.-]+$")
    ] = MISSING
    tenant_id: UUID | MISSING = MISSING


class TokenVerification(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    valid: Literal[True]
    user_id: UUID
    tenant_id: UUID
    role: Annotated[
        Literal["admin", "manager", "viewer"],
        Field(description="An administrator may do what a manager may, and a manager what a viewer may."),
    ]
    expires_at: AwareDatetime


class TokenCutoffRequest(ContractModel):
    """
    Without an instant, the present one.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: UUID
    tokens_invalid_before: AwareDatetime | MISSING = MISSING


class TokenCutoff(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    success: Literal[True]
    correlation_id: UUID
    tenant_id: UUID
    user_id: UUID
    tokens_invalid_before: AwareDatetime
    message: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]


class RbacCheck(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    success: Literal[True]
    correlation_id: UUID
    tenant_id: UUID
    user_id: UUID
    role: Annotated[
        Literal["admin", "manager", "viewer"],
        Field(description="An administrator may do what a manager may, and a manager what a viewer may."),
    ]


class MembershipRoleRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: UUID
    role: Annotated[
        Literal["admin", "manager", "viewer"],
        Field(description="An administrator may do what a manager may, and a manager what a viewer may."),
    ]


class MembershipRole(ContractModel):
    """
    Without `tokens_invalid_before`, the user's tokens were never cut off.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    success: Literal[True]
    correlation_id: UUID
    tenant_id: UUID
    user_id: UUID
    role: Annotated[
        Literal["admin", "manager", "viewer"],
        Field(description="An administrator may do what a manager may, and a manager what a viewer may."),
    ]
    tokens_invalid_before: AwareDatetime | MISSING = MISSING
    revoked_existing_tokens: bool
    message: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
