# @generated from api-contracts/openapi/v1 by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""What each contract demands of its handler module, one Protocol for each contract."""

from datetime import date, datetime
from typing import Literal, Protocol, TypeAlias, TypeVar
from uuid import UUID

from generated.models.attribution import RecomputeJob, RecomputeRequest
from generated.models.auth import (
    LoginRequest,
    LoginResponse,
    MembershipRole,
    MembershipRoleRequest,
    RbacCheck,
    RefreshRequest,
    RefreshResponse,
    TokenCutoff,
    TokenCutoffRequest,
    TokenVerification,
)
from generated.models.common import SuccessResponse
from generated.models.common_channels import (
    ChannelCorrection,
    ChannelCorrectionPage,
    ChannelCorrectionRequest,
    ChannelDryRun,
    ChannelDryRunRequest,
    ChannelRequest,
    ChannelRuleSet,
    ChannelRuleSetPage,
    ChannelRulesRequest,
    ChannelTransition,
    ChannelTransitionList,
    ChannelTransitionRequest,
    UnknownChannelShare,
)
from generated.models.common_dead_letters import (
    AbandonRequest,
    DeadLetter,
    DeadLetterDetail,
    DeadLetterPage,
    ReplayBatchRequest,
    ReplayBatchResult,
    ReplayRequest,
    ReplayResult,
)
from generated.models.common_deliveries import DeliveryPage, DeliveryReceipt
from generated.models.common_endpoints import (
    CreateEndpointRequest,
    IssuedEndpoint,
    RevokeEndpointRequest,
    SecretAdded,
    SetSecretRequest,
    WebhookEndpoint,
    WebhookEndpointDetail,
    WebhookEndpointList,
)
from generated.models.common_exports import ExportManifest, ExportManifestPage
from generated.models.common_health import DetailedHealth, HealthStatus, Liveness, Readiness
from generated.models.common_jobs import FailedJob, FailedJobPage, ParkedMessage, ParkedMessagePage
from generated.models.common_models import (
    AttributionSettings,
    AttributionSettingsRequest,
    ModelComparison,
    ModelFitPage,
)
from generated.models.common_orders import OrderRevenue, UnresolvedOrderPage
from generated.models.common_performance import PerformanceReport
from generated.models.common_privacy import PersonalDataFindingPage, PrivacyRequestPage
from generated.models.common_revenue import (
    AllocationPage,
    Channel,
    ChannelAttributionReport,
    ChannelList,
    LedgerTotals,
)
from generated.models.common_spend import (
    AdSpendBatch,
    AdSpendChangePage,
    AdSpendImport,
    AdSpendImportPage,
    AdSpendPage,
)
from generated.models.common_touchpoints import TouchpointBatch, TouchpointReceipt
from generated.models.journeys import ConversionJourney
from generated.models.realtime import RealtimeRevenue, RealtimeRevenueCounter
from generated.models.recomputes import FingerprintExplanation
from generated.models.uncertainty import ChannelUncertainty, UncertaintyRequest
from generated.models.webhooks.woocommerce import WoocommerceReceipt
from skeldir.domain.errors import SkeldirError
from skeldir.http.context import Context, Reply, Stream

Body = TypeVar("Body")

# What a handler may return: a body, a reply with a status or headers of its own, or a refusal
# whose transaction is to be committed first.
Answer: TypeAlias = Body | Reply[Body] | SkeldirError


class AttributionHandlers(Protocol):
    """The handlers of the attribution contract."""

    def get_channel_attribution(
        self,
        ctx: Context,
        *,
        model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None,
        mode: Literal["cash", "accrual"],
        start_date: date | None,
        end_date: date | None,
        currency: str | None,
    ) -> Answer[ChannelAttributionReport]:
        """GET /api/attribution/channels."""

    def get_ledger_totals(self, ctx: Context) -> Answer[LedgerTotals]:
        """GET /api/attribution/ledger."""

    def get_recompute_job(self, ctx: Context, *, job_id: UUID) -> Answer[RecomputeJob]:
        """GET /api/attribution/recompute-jobs/{job_id}."""

    def list_allocations(
        self,
        ctx: Context,
        *,
        model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None,
        order_id: str | None,
        channel_code: str | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[AllocationPage]:
        """GET /api/attribution/allocations."""

    def recompute_window(self, ctx: Context, *, body: RecomputeRequest) -> Answer[RecomputeJob]:
        """POST /api/attribution/recompute-jobs."""

    def record_touchpoints(
        self,
        ctx: Context,
        *,
        body: TouchpointBatch,
    ) -> Answer[TouchpointReceipt]:
        """POST /api/attribution/touchpoints."""


class AuthHandlers(Protocol):
    """The handlers of the auth contract."""

    def admin_rbac_check(self, ctx: Context) -> Answer[RbacCheck]:
        """GET /api/auth/admin/rbac-check."""

    def admin_revoke_tokens_before(
        self,
        ctx: Context,
        *,
        body: TokenCutoffRequest,
    ) -> Answer[TokenCutoff]:
        """POST /api/auth/admin/token-cutoff."""

    def admin_update_membership_role(
        self,
        ctx: Context,
        *,
        body: MembershipRoleRequest,
    ) -> Answer[MembershipRole]:
        """POST /api/auth/admin/membership-role."""

    def login(self, ctx: Context, *, body: LoginRequest) -> Answer[LoginResponse]:
        """POST /api/auth/login."""

    def logout(self, ctx: Context) -> Answer[SuccessResponse]:
        """POST /api/auth/logout."""

    def refresh_token(self, ctx: Context, *, body: RefreshRequest) -> Answer[RefreshResponse]:
        """POST /api/auth/refresh."""

    def verify_token(self, ctx: Context) -> Answer[TokenVerification]:
        """GET /api/auth/verify."""


class ChannelRulesHandlers(Protocol):
    """The handlers of the channel-rules contract."""

    def dry_run_channel_rules(
        self,
        ctx: Context,
        *,
        body: ChannelDryRunRequest,
    ) -> Answer[ChannelDryRun]:
        """POST /api/channel-rules/dry-runs."""

    def list_channel_rule_sets(
        self,
        ctx: Context,
        *,
        limit: int,
        cursor: str | None,
    ) -> Answer[ChannelRuleSetPage]:
        """GET /api/channel-rule-sets."""

    def list_channel_rules(self, ctx: Context, *, version: int | None) -> Answer[ChannelRuleSet]:
        """GET /api/channel-rules."""

    def replace_channel_rules(
        self,
        ctx: Context,
        *,
        body: ChannelRulesRequest,
    ) -> Answer[ChannelRuleSet]:
        """PUT /api/channel-rules."""


class ChannelsHandlers(Protocol):
    """The handlers of the channels contract."""

    def correct_channel(
        self,
        ctx: Context,
        *,
        body: ChannelCorrectionRequest,
    ) -> Answer[ChannelCorrection]:
        """POST /api/channels/corrections."""

    def create_channel(self, ctx: Context, *, body: ChannelRequest) -> Answer[Channel]:
        """POST /api/channels."""

    def get_unknown_channel_share(self, ctx: Context) -> Answer[UnknownChannelShare]:
        """GET /api/channels/unknown-share."""

    def list_channel_corrections(
        self,
        ctx: Context,
        *,
        limit: int,
        cursor: str | None,
    ) -> Answer[ChannelCorrectionPage]:
        """GET /api/channels/corrections."""

    def list_channel_transitions(
        self,
        ctx: Context,
        *,
        channel_code: str,
    ) -> Answer[ChannelTransitionList]:
        """GET /api/channels/{channel_code}/transitions."""

    def list_channels(self, ctx: Context) -> Answer[ChannelList]:
        """GET /api/attribution/taxonomy."""

    def transition_channel(
        self,
        ctx: Context,
        *,
        channel_code: str,
        body: ChannelTransitionRequest,
    ) -> Answer[ChannelTransition]:
        """POST /api/channels/{channel_code}/transitions."""


class ExportHandlers(Protocol):
    """The handlers of the export contract."""

    def export_allocations(
        self,
        ctx: Context,
        *,
        format: Literal["csv", "json", "ndjson", "parquet", "xlsx"],
        model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None,
        start_date: date | None,
        end_date: date | None,
        channels: list[str] | None,
        currency: str | None,
    ) -> Answer[Stream]:
        """GET /api/export/allocations."""

    def export_csv(self, ctx: Context) -> Answer[Stream]:
        """GET /api/export/csv."""

    def export_excel(self, ctx: Context) -> Answer[Stream]:
        """GET /api/export/excel."""

    def export_json(self, ctx: Context) -> Answer[Stream]:
        """GET /api/export/json."""

    def export_revenue(
        self,
        ctx: Context,
        *,
        format: Literal["csv", "json", "ndjson", "parquet", "xlsx"],
        model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None,
        mode: Literal["cash", "accrual"],
        start_date: date | None,
        end_date: date | None,
        channels: list[str] | None,
        currency: str | None,
    ) -> Answer[Stream]:
        """GET /api/export/revenue."""

    def get_export_manifest(self, ctx: Context, *, export_id: UUID) -> Answer[ExportManifest]:
        """GET /api/export/manifests/{export_id}."""

    def list_export_manifests(
        self,
        ctx: Context,
        *,
        limit: int,
        cursor: str | None,
    ) -> Answer[ExportManifestPage]:
        """GET /api/export/manifests."""


class HealthHandlers(Protocol):
    """The handlers of the health contract."""

    def discard_failed_job(self, ctx: Context, *, failed_job_id: UUID) -> Answer[FailedJob]:
        """POST /api/health/failed-jobs/{failed_job_id}/discard."""

    def discard_parked_message(self, ctx: Context, *, message_id: int) -> Answer[ParkedMessage]:
        """POST /api/health/parked-messages/{message_id}/discard."""

    def get_detailed_health(self, ctx: Context) -> Answer[DetailedHealth]:
        """GET /api/health/detailed."""

    def get_health_status(self, ctx: Context) -> Answer[HealthStatus]:
        """GET /api/health."""

    def get_metrics(self, ctx: Context) -> Answer[str]:
        """GET /metrics."""

    def list_failed_jobs(
        self,
        ctx: Context,
        *,
        status: Literal["pending", "retried", "discarded"] | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[FailedJobPage]:
        """GET /api/health/failed-jobs."""

    def list_parked_messages(
        self,
        ctx: Context,
        *,
        limit: int,
        cursor: str | None,
    ) -> Answer[ParkedMessagePage]:
        """GET /api/health/parked-messages."""

    async def liveness_probe(self, ctx: Context) -> Answer[Liveness]:
        """GET /api/health/live."""

    def readiness_probe(self, ctx: Context) -> Answer[Readiness]:
        """GET /api/health/ready."""

    def requeue_parked_message(self, ctx: Context, *, message_id: int) -> Answer[ParkedMessage]:
        """POST /api/health/parked-messages/{message_id}/requeue."""

    def retry_failed_job(self, ctx: Context, *, failed_job_id: UUID) -> Answer[FailedJob]:
        """POST /api/health/failed-jobs/{failed_job_id}/retry."""


class JourneysHandlers(Protocol):
    """The handlers of the journeys contract."""

    def get_conversion_journey(
        self,
        ctx: Context,
        *,
        order_id: str,
        model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[ConversionJourney]:
        """GET /api/attribution/conversion-journey."""


class ModelsHandlers(Protocol):
    """The handlers of the models contract."""

    def compare_models(
        self,
        ctx: Context,
        *,
        mode: Literal["cash", "accrual"],
        start_date: date | None,
        end_date: date | None,
        currency: str | None,
    ) -> Answer[ModelComparison]:
        """GET /api/attribution/comparison."""

    def get_attribution_settings(self, ctx: Context) -> Answer[AttributionSettings]:
        """GET /api/attribution/settings."""

    def list_model_fits(
        self,
        ctx: Context,
        *,
        limit: int,
        cursor: str | None,
    ) -> Answer[ModelFitPage]:
        """GET /api/attribution/model-fits."""

    def refit_models(self, ctx: Context) -> Answer[SuccessResponse]:
        """POST /api/attribution/model-fits."""

    def set_attribution_settings(
        self,
        ctx: Context,
        *,
        body: AttributionSettingsRequest,
    ) -> Answer[AttributionSettings]:
        """PUT /api/attribution/settings."""


class RealtimeHandlers(Protocol):
    """The handlers of the realtime contract."""

    def get_realtime_revenue(
        self,
        ctx: Context,
        *,
        currency: str,
    ) -> Answer[RealtimeRevenueCounter]:
        """GET /api/attribution/revenue/realtime."""

    def get_realtime_revenue_v1(self, ctx: Context) -> Answer[RealtimeRevenue]:
        """GET /api/v1/revenue/realtime."""


class RecomputesHandlers(Protocol):
    """The handlers of the recomputes contract."""

    def explain_fingerprint(self, ctx: Context, *, job_id: UUID) -> Answer[FingerprintExplanation]:
        """GET /api/attribution/recompute-jobs/{job_id}/explanation."""


class RevenueHandlers(Protocol):
    """The handlers of the revenue contract."""

    def get_order_revenue(self, ctx: Context, *, order_id: str) -> Answer[OrderRevenue]:
        """GET /api/v1/revenue/order."""

    def list_unresolved_orders(
        self,
        ctx: Context,
        *,
        reason: Literal["unresolved_order", "unlinked_payment"] | None,
        currency: str | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[UnresolvedOrderPage]:
        """GET /api/v1/revenue/unresolved-orders."""


class SpendHandlers(Protocol):
    """The handlers of the spend contract."""

    def get_channel_performance(
        self,
        ctx: Context,
        *,
        model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"] | None,
        mode: Literal["cash", "accrual"],
        group_by: Literal["channel", "campaign"],
        start_date: date | None,
        end_date: date | None,
        currency: str | None,
    ) -> Answer[PerformanceReport]:
        """GET /api/attribution/performance."""

    def import_ad_spend(self, ctx: Context, *, body: AdSpendBatch) -> Answer[AdSpendImport]:
        """POST /api/attribution/ad-spend/imports."""

    def list_ad_spend(
        self,
        ctx: Context,
        *,
        start_date: date | None,
        end_date: date | None,
        channel_code: str | None,
        campaign_id: str | None,
        currency: str | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[AdSpendPage]:
        """GET /api/attribution/ad-spend."""

    def list_ad_spend_changes(
        self,
        ctx: Context,
        *,
        import_id: UUID,
        limit: int,
        cursor: str | None,
    ) -> Answer[AdSpendChangePage]:
        """GET /api/attribution/ad-spend/imports/{import_id}/changes."""

    def list_ad_spend_imports(
        self,
        ctx: Context,
        *,
        limit: int,
        cursor: str | None,
    ) -> Answer[AdSpendImportPage]:
        """GET /api/attribution/ad-spend/imports."""


class UncertaintyHandlers(Protocol):
    """The handlers of the uncertainty contract."""

    def estimate_channel_uncertainty(
        self,
        ctx: Context,
        *,
        body: UncertaintyRequest,
    ) -> Answer[ChannelUncertainty]:
        """POST /api/attribution/uncertainty."""

    def get_channel_uncertainty(
        self,
        ctx: Context,
        *,
        model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"],
        start_date: date | None,
        end_date: date | None,
    ) -> Answer[ChannelUncertainty]:
        """GET /api/attribution/uncertainty."""


class WebhooksBaseHandlers(Protocol):
    """The handlers of the webhooks/base contract."""

    def abandon_dead_letter(
        self,
        ctx: Context,
        *,
        dead_letter_id: UUID,
        body: AbandonRequest,
    ) -> Answer[DeadLetter]:
        """POST /api/webhooks/dead-letters/{dead_letter_id}/abandon."""

    def get_dead_letter(self, ctx: Context, *, dead_letter_id: UUID) -> Answer[DeadLetterDetail]:
        """GET /api/webhooks/dead-letters/{dead_letter_id}."""

    def list_dead_letters(
        self,
        ctx: Context,
        *,
        vendor: Literal["shopify", "stripe", "woocommerce", "paypal", "custom"] | None,
        reason_code: Literal["invalid_json", "missing_required_field", "malformed_value", "unknown_provider_event", "currency_unknown", "amount_out_of_range", "pii_refused", "tenant_suspended"] | None,
        status: Literal["pending", "in_progress", "resolved", "abandoned"] | None,
        lane: Literal["review", "quarantine"] | None,
        received_from: datetime | None,
        received_before: datetime | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[DeadLetterPage]:
        """GET /api/webhooks/dead-letters."""

    def list_deliveries(
        self,
        ctx: Context,
        *,
        vendor: Literal["shopify", "stripe", "woocommerce", "paypal", "custom"] | None,
        outcome: Literal["booked", "recorded", "dead_lettered"] | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[DeliveryPage]:
        """GET /api/webhooks/deliveries."""

    def replay_dead_letter(
        self,
        ctx: Context,
        *,
        dead_letter_id: UUID,
        body: ReplayRequest,
    ) -> Answer[ReplayResult]:
        """POST /api/webhooks/dead-letters/{dead_letter_id}/replay."""

    def replay_dead_letters(
        self,
        ctx: Context,
        *,
        body: ReplayBatchRequest,
    ) -> Answer[ReplayBatchResult]:
        """POST /api/webhooks/dead-letters/replay."""


class WebhooksCustomHandlers(Protocol):
    """The handlers of the webhooks/custom contract."""

    def receive_custom_delivery(
        self,
        ctx: Context,
        *,
        endpoint_key: str,
        body: bytes,
    ) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/custom/in/{endpoint_key}."""


class WebhooksEndpointsHandlers(Protocol):
    """The handlers of the webhooks/endpoints contract."""

    def create_webhook_endpoint(
        self,
        ctx: Context,
        *,
        body: CreateEndpointRequest,
    ) -> Answer[IssuedEndpoint]:
        """POST /api/webhooks/endpoints."""

    def get_webhook_endpoint(
        self,
        ctx: Context,
        *,
        endpoint_id: UUID,
    ) -> Answer[WebhookEndpointDetail]:
        """GET /api/webhooks/endpoints/{endpoint_id}."""

    def list_webhook_endpoints(self, ctx: Context) -> Answer[WebhookEndpointList]:
        """GET /api/webhooks/endpoints."""

    def retire_webhook_secret(
        self,
        ctx: Context,
        *,
        endpoint_id: UUID,
        secret_id: UUID,
    ) -> Answer[WebhookEndpoint]:
        """POST /api/webhooks/endpoints/{endpoint_id}/secrets/{secret_id}/retire."""

    def revoke_webhook_endpoint(
        self,
        ctx: Context,
        *,
        endpoint_id: UUID,
        body: RevokeEndpointRequest,
    ) -> Answer[WebhookEndpoint]:
        """POST /api/webhooks/endpoints/{endpoint_id}/revoke."""

    def set_webhook_secret(
        self,
        ctx: Context,
        *,
        endpoint_id: UUID,
        body: SetSecretRequest,
    ) -> Answer[SecretAdded]:
        """POST /api/webhooks/endpoints/{endpoint_id}/secrets."""


class WebhooksPaypalHandlers(Protocol):
    """The handlers of the webhooks/paypal contract."""

    def paypal_payment_capture_completed(
        self,
        ctx: Context,
        *,
        body: bytes,
    ) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/paypal/payment/capture/completed."""

    def paypal_sale_completed(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/paypal/sale_completed."""

    def paypal_sale_refunded(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/paypal/payment/sale/refunded."""

    def receive_paypal_delivery(
        self,
        ctx: Context,
        *,
        endpoint_key: str,
        body: bytes,
    ) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/paypal/in/{endpoint_key}."""


class WebhooksPrivacyHandlers(Protocol):
    """The handlers of the webhooks/privacy contract."""

    def list_personal_data_findings(
        self,
        ctx: Context,
        *,
        limit: int,
        cursor: str | None,
    ) -> Answer[PersonalDataFindingPage]:
        """GET /api/webhooks/personal-data-findings."""

    def list_privacy_requests(
        self,
        ctx: Context,
        *,
        state: Literal["pending", "completed"] | None,
        limit: int,
        cursor: str | None,
    ) -> Answer[PrivacyRequestPage]:
        """GET /api/webhooks/privacy-requests."""


class WebhooksShopifyHandlers(Protocol):
    """The handlers of the webhooks/shopify contract."""

    def receive_shopify_delivery(
        self,
        ctx: Context,
        *,
        endpoint_key: str,
        body: bytes,
    ) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/shopify/in/{endpoint_key}."""

    def shopify_checkout_updated(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/shopify/checkouts/update."""

    def shopify_order_create(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/shopify/order_create."""

    def shopify_order_paid(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/shopify/orders/paid."""

    def shopify_refund_create(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/shopify/refunds/create."""


class WebhooksStripeHandlers(Protocol):
    """The handlers of the webhooks/stripe contract."""

    def receive_stripe_delivery(
        self,
        ctx: Context,
        *,
        endpoint_key: str,
        body: bytes,
    ) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/stripe/in/{endpoint_key}."""

    def stripe_charge_refunded(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/stripe/charge/refunded."""

    def stripe_charge_succeeded(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/stripe/charge/succeeded."""

    def stripe_payment_intent_succeeded(
        self,
        ctx: Context,
        *,
        body: bytes,
    ) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/stripe/payment_intent/succeeded."""

    def stripe_payment_intent_succeeded_legacy(
        self,
        ctx: Context,
        *,
        body: bytes,
    ) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/stripe/payment_intent_succeeded."""


class WebhooksWoocommerceHandlers(Protocol):
    """The handlers of the webhooks/woocommerce contract."""

    def receive_woocommerce_delivery(
        self,
        ctx: Context,
        *,
        endpoint_key: str,
        body: bytes,
    ) -> Answer[WoocommerceReceipt]:
        """POST /api/webhooks/woocommerce/in/{endpoint_key}."""

    def woocommerce_order_completed(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/woocommerce/order_completed."""

    def woocommerce_order_created(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/woocommerce/order/created."""

    def woocommerce_order_refunded(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/woocommerce/order/refunded."""

    def woocommerce_order_updated(self, ctx: Context, *, body: bytes) -> Answer[DeliveryReceipt]:
        """POST /api/webhooks/woocommerce/order/updated."""
