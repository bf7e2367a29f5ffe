# @generated from api-contracts/openapi/v1 by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Every operation's entry point, by operationId; importing it imports every handler."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from generated.routes import attribution
from generated.routes import auth
from generated.routes import channel_rules
from generated.routes import channels
from generated.routes import export
from generated.routes import health
from generated.routes import journeys
from generated.routes import models
from generated.routes import realtime
from generated.routes import recomputes
from generated.routes import revenue
from generated.routes import spend
from generated.routes import uncertainty
from generated.routes.webhooks import base as webhooks_base
from generated.routes.webhooks import custom as webhooks_custom
from generated.routes.webhooks import endpoints as webhooks_endpoints
from generated.routes.webhooks import paypal as webhooks_paypal
from generated.routes.webhooks import privacy as webhooks_privacy
from generated.routes.webhooks import shopify as webhooks_shopify
from generated.routes.webhooks import stripe as webhooks_stripe
from generated.routes.webhooks import woocommerce as webhooks_woocommerce
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call

Route = Callable[[Call], HttpAnswer] | Callable[[Call], Awaitable[HttpAnswer]]

ROUTES: Final[Mapping[str, Route]] = {
    # attribution
    "getChannelAttribution": attribution.get_channel_attribution,
    "getLedgerTotals": attribution.get_ledger_totals,
    "getRecomputeJob": attribution.get_recompute_job,
    "listAllocations": attribution.list_allocations,
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
    # channel-rules
    "dryRunChannelRules": channel_rules.dry_run_channel_rules,
    "listChannelRuleSets": channel_rules.list_channel_rule_sets,
    "listChannelRules": channel_rules.list_channel_rules,
    "replaceChannelRules": channel_rules.replace_channel_rules,
    # channels
    "correctChannel": channels.correct_channel,
    "createChannel": channels.create_channel,
    "getUnknownChannelShare": channels.get_unknown_channel_share,
    "listChannelCorrections": channels.list_channel_corrections,
    "listChannelTransitions": channels.list_channel_transitions,
    "listChannels": channels.list_channels,
    "transitionChannel": channels.transition_channel,
    # export
    "exportAllocations": export.export_allocations,
    "exportCSV": export.export_csv,
    "exportExcel": export.export_excel,
    "exportJSON": export.export_json,
    "exportRevenue": export.export_revenue,
    "getExportManifest": export.get_export_manifest,
    "listExportManifests": export.list_export_manifests,
    # health
    "discardFailedJob": health.discard_failed_job,
    "discardParkedMessage": health.discard_parked_message,
    "getDetailedHealth": health.get_detailed_health,
    "getHealthStatus": health.get_health_status,
    "getMetrics": health.get_metrics,
    "listFailedJobs": health.list_failed_jobs,
    "listParkedMessages": health.list_parked_messages,
    "livenessProbe": health.liveness_probe,
    "readinessProbe": health.readiness_probe,
    "requeueParkedMessage": health.requeue_parked_message,
    "retryFailedJob": health.retry_failed_job,
    # journeys
    "getConversionJourney": journeys.get_conversion_journey,
    # models
    "compareModels": models.compare_models,
    "getAttributionSettings": models.get_attribution_settings,
    "listModelFits": models.list_model_fits,
    "refitModels": models.refit_models,
    "setAttributionSettings": models.set_attribution_settings,
    # realtime
    "getRealtimeRevenue": realtime.get_realtime_revenue,
    "getRealtimeRevenueV1": realtime.get_realtime_revenue_v1,
    # recomputes
    "explainFingerprint": recomputes.explain_fingerprint,
    # revenue
    "getOrderRevenue": revenue.get_order_revenue,
    "listUnresolvedOrders": revenue.list_unresolved_orders,
    # spend
    "getChannelPerformance": spend.get_channel_performance,
    "importAdSpend": spend.import_ad_spend,
    "listAdSpend": spend.list_ad_spend,
    "listAdSpendChanges": spend.list_ad_spend_changes,
    "listAdSpendImports": spend.list_ad_spend_imports,
    # uncertainty
    "estimateChannelUncertainty": uncertainty.estimate_channel_uncertainty,
    "getChannelUncertainty": uncertainty.get_channel_uncertainty,
    # webhooks/base
    "abandonDeadLetter": webhooks_base.abandon_dead_letter,
    "getDeadLetter": webhooks_base.get_dead_letter,
    "listDeadLetters": webhooks_base.list_dead_letters,
    "listDeliveries": webhooks_base.list_deliveries,
    "replayDeadLetter": webhooks_base.replay_dead_letter,
    "replayDeadLetters": webhooks_base.replay_dead_letters,
    # webhooks/custom
    "receiveCustomDelivery": webhooks_custom.receive_custom_delivery,
    # webhooks/endpoints
    "createWebhookEndpoint": webhooks_endpoints.create_webhook_endpoint,
    "getWebhookEndpoint": webhooks_endpoints.get_webhook_endpoint,
    "listWebhookEndpoints": webhooks_endpoints.list_webhook_endpoints,
    "retireWebhookSecret": webhooks_endpoints.retire_webhook_secret,
    "revokeWebhookEndpoint": webhooks_endpoints.revoke_webhook_endpoint,
    "setWebhookSecret": webhooks_endpoints.set_webhook_secret,
    # webhooks/paypal
    "paypalPaymentCaptureCompleted": webhooks_paypal.paypal_payment_capture_completed,
    "paypalSaleCompleted": webhooks_paypal.paypal_sale_completed,
    "paypalSaleRefunded": webhooks_paypal.paypal_sale_refunded,
    "receivePaypalDelivery": webhooks_paypal.receive_paypal_delivery,
    # webhooks/privacy
    "listPersonalDataFindings": webhooks_privacy.list_personal_data_findings,
    "listPrivacyRequests": webhooks_privacy.list_privacy_requests,
    # webhooks/shopify
    "receiveShopifyDelivery": webhooks_shopify.receive_shopify_delivery,
    "shopifyCheckoutUpdated": webhooks_shopify.shopify_checkout_updated,
    "shopifyOrderCreate": webhooks_shopify.shopify_order_create,
    "shopifyOrderPaid": webhooks_shopify.shopify_order_paid,
    "shopifyRefundCreate": webhooks_shopify.shopify_refund_create,
    # webhooks/stripe
    "receiveStripeDelivery": webhooks_stripe.receive_stripe_delivery,
    "stripeChargeRefunded": webhooks_stripe.stripe_charge_refunded,
    "stripeChargeSucceeded": webhooks_stripe.stripe_charge_succeeded,
    "stripePaymentIntentSucceeded": webhooks_stripe.stripe_payment_intent_succeeded,
    "stripePaymentIntentSucceededLegacy": webhooks_stripe.stripe_payment_intent_succeeded_legacy,
    # webhooks/woocommerce
    "receiveWoocommerceDelivery": webhooks_woocommerce.receive_woocommerce_delivery,
    "woocommerceOrderCompleted": webhooks_woocommerce.woocommerce_order_completed,
    "woocommerceOrderCreated": webhooks_woocommerce.woocommerce_order_created,
    "woocommerceOrderRefunded": webhooks_woocommerce.woocommerce_order_refunded,
    "woocommerceOrderUpdated": webhooks_woocommerce.woocommerce_order_updated,
}
