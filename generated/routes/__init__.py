# @generated from api-contracts/openapi/v1 by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Every operation's entry point, by operationId; importing it imports every handler."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from generated.routes import attribution
from generated.routes import auth
from generated.routes import health
from skeldir.http.boundary import Call, HttpAnswer

Route = Callable[[Call], HttpAnswer] | Callable[[Call], Awaitable[HttpAnswer]]

ROUTES: Final[Mapping[str, Route]] = {
    # attribution
    "getChannelAttribution": attribution.get_channel_attribution,
    "getLedgerTotals": attribution.get_ledger_totals,
    "getRecomputeJob": attribution.get_recompute_job,
    "listAllocations": attribution.list_allocations,
    "listChannels": attribution.list_channels,
    "recomputeWindow": attribution.recompute_window,
    "recordTouchpoints": attribution.record_touchpoints,
    # auth
    "adminRbacCheck": auth.admin_rbac_check,
    "adminRevokeTokensBefore": auth.admin_revoke_tokens_before,
    "adminUpdateMembershipRole": auth.admin_update_membership_role,
    "login": auth.login,
    "logout": auth.logout,
    "refreshToken": auth.refresh_token,
    "verifyToken": auth.verify_token,
    # health
    "getDetailedHealth": health.get_detailed_health,
    "getHealthStatus": health.get_health_status,
    "livenessProbe": health.liveness_probe,
    "readinessProbe": health.readiness_probe,
}
