# @generated from api-contracts/openapi/v1 by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Proof for mypy that every handler module meets its contract; never imported at run time.

The lists name a handler that is missing, which mypy does not when it compares a module.
"""

from generated import stubs
from handlers import attribution
from handlers import auth
from handlers import channel_rules
from handlers import channels
from handlers import export
from handlers import health
from handlers import journeys
from handlers import models
from handlers import realtime
from handlers import recomputes
from handlers import revenue
from handlers import spend
from handlers import uncertainty
from handlers.webhooks import base as webhooks_base
from handlers.webhooks import custom as webhooks_custom
from handlers.webhooks import endpoints as webhooks_endpoints
from handlers.webhooks import paypal as webhooks_paypal
from handlers.webhooks import privacy as webhooks_privacy
from handlers.webhooks import shopify as webhooks_shopify
from handlers.webhooks import stripe as webhooks_stripe
from handlers.webhooks import woocommerce as webhooks_woocommerce

_attribution: stubs.AttributionHandlers = attribution
_attribution_operations = [
    attribution.get_channel_attribution,  # getChannelAttribution
    attribution.get_ledger_totals,  # getLedgerTotals
    attribution.get_recompute_job,  # getRecomputeJob
    attribution.list_allocations,  # listAllocations
    attribution.recompute_window,  # recomputeWindow
    attribution.record_touchpoints,  # recordTouchpoints
]

_auth: stubs.AuthHandlers = auth
_auth_operations = [
    auth.admin_rbac_check,  # adminRbacCheck
    auth.admin_revoke_tokens_before,  # adminRevokeTokensBefore
    auth.admin_update_membership_role,  # adminUpdateMembershipRole
    auth.login,  # login
    auth.logout,  # logout
    auth.refresh_token,  # refreshToken
    auth.verify_token,  # verifyToken
]

_channel_rules: stubs.ChannelRulesHandlers = channel_rules
_channel_rules_operations = [
    channel_rules.dry_run_channel_rules,  # dryRunChannelRules
    channel_rules.list_channel_rule_sets,  # listChannelRuleSets
    channel_rules.list_channel_rules,  # listChannelRules
    channel_rules.replace_channel_rules,  # replaceChannelRules
]

_channels: stubs.ChannelsHandlers = channels
_channels_operations = [
    channels.correct_channel,  # correctChannel
    channels.create_channel,  # createChannel
    channels.get_unknown_channel_share,  # getUnknownChannelShare
    channels.list_channel_corrections,  # listChannelCorrections
    channels.list_channel_transitions,  # listChannelTransitions
    channels.list_channels,  # listChannels
    channels.transition_channel,  # transitionChannel
]

_export: stubs.ExportHandlers = export
_export_operations = [
    export.export_allocations,  # exportAllocations
    export.export_csv,  # exportCSV
    export.export_excel,  # exportExcel
    export.export_json,  # exportJSON
    export.export_revenue,  # exportRevenue
    export.get_export_manifest,  # getExportManifest
    export.list_export_manifests,  # listExportManifests
]

_health: stubs.HealthHandlers = health
_health_operations = [
    health.discard_failed_job,  # discardFailedJob
    health.discard_parked_message,  # discardParkedMessage
    health.get_detailed_health,  # getDetailedHealth
    health.get_health_status,  # getHealthStatus
    health.get_metrics,  # getMetrics
    health.list_failed_jobs,  # listFailedJobs
    health.list_parked_messages,  # listParkedMessages
    health.liveness_probe,  # livenessProbe
    health.readiness_probe,  # readinessProbe
    health.requeue_parked_message,  # requeueParkedMessage
    health.retry_failed_job,  # retryFailedJob
]

_journeys: stubs.JourneysHandlers = journeys
_journeys_operations = [
    journeys.get_conversion_journey,  # getConversionJourney
]

_models: stubs.ModelsHandlers = models
_models_operations = [
    models.compare_models,  # compareModels
    models.get_attribution_settings,  # getAttributionSettings
    models.list_model_fits,  # listModelFits
    models.refit_models,  # refitModels
    models.set_attribution_settings,  # setAttributionSettings
]

_realtime: stubs.RealtimeHandlers = realtime
_realtime_operations = [
    realtime.get_realtime_revenue,  # getRealtimeRevenue
    realtime.get_realtime_revenue_v1,  # getRealtimeRevenueV1
]

_recomputes: stubs.RecomputesHandlers = recomputes
_recomputes_operations = [
    recomputes.explain_fingerprint,  # explainFingerprint
]

_revenue: stubs.RevenueHandlers = revenue
_revenue_operations = [
    revenue.get_order_revenue,  # getOrderRevenue
    revenue.list_unresolved_orders,  # listUnresolvedOrders
]

_spend: stubs.SpendHandlers = spend
_spend_operations = [
    spend.get_channel_performance,  # getChannelPerformance
    spend.import_ad_spend,  # importAdSpend
    spend.list_ad_spend,  # listAdSpend
    spend.list_ad_spend_changes,  # listAdSpendChanges
    spend.list_ad_spend_imports,  # listAdSpendImports
]

_uncertainty: stubs.UncertaintyHandlers = uncertainty
_uncertainty_operations = [
    uncertainty.estimate_channel_uncertainty,  # estimateChannelUncertainty
    uncertainty.get_channel_uncertainty,  # getChannelUncertainty
]

_webhooks_base: stubs.WebhooksBaseHandlers = webhooks_base
_webhooks_base_operations = [
    webhooks_base.abandon_dead_letter,  # abandonDeadLetter
    webhooks_base.get_dead_letter,  # getDeadLetter
    webhooks_base.list_dead_letters,  # listDeadLetters
    webhooks_base.list_deliveries,  # listDeliveries
    webhooks_base.replay_dead_letter,  # replayDeadLetter
    webhooks_base.replay_dead_letters,  # replayDeadLetters
]

_webhooks_custom: stubs.WebhooksCustomHandlers = webhooks_custom
_webhooks_custom_operations = [
    webhooks_custom.receive_custom_delivery,  # receiveCustomDelivery
]

_webhooks_endpoints: stubs.WebhooksEndpointsHandlers = webhooks_endpoints
_webhooks_endpoints_operations = [
    webhooks_endpoints.create_webhook_endpoint,  # createWebhookEndpoint
    webhooks_endpoints.get_webhook_endpoint,  # getWebhookEndpoint
    webhooks_endpoints.list_webhook_endpoints,  # listWebhookEndpoints
    webhooks_endpoints.retire_webhook_secret,  # retireWebhookSecret
    webhooks_endpoints.revoke_webhook_endpoint,  # revokeWebhookEndpoint
    webhooks_endpoints.set_webhook_secret,  # setWebhookSecret
]

_webhooks_paypal: stubs.WebhooksPaypalHandlers = webhooks_paypal
_webhooks_paypal_operations = [
    webhooks_paypal.paypal_payment_capture_completed,  # paypalPaymentCaptureCompleted
    webhooks_paypal.paypal_sale_completed,  # paypalSaleCompleted
    webhooks_paypal.paypal_sale_refunded,  # paypalSaleRefunded
    webhooks_paypal.receive_paypal_delivery,  # receivePaypalDelivery
]

_webhooks_privacy: stubs.WebhooksPrivacyHandlers = webhooks_privacy
_webhooks_privacy_operations = [
    webhooks_privacy.list_personal_data_findings,  # listPersonalDataFindings
    webhooks_privacy.list_privacy_requests,  # listPrivacyRequests
]

_webhooks_shopify: stubs.WebhooksShopifyHandlers = webhooks_shopify
_webhooks_shopify_operations = [
    webhooks_shopify.receive_shopify_delivery,  # receiveShopifyDelivery
    webhooks_shopify.shopify_checkout_updated,  # shopifyCheckoutUpdated
    webhooks_shopify.shopify_order_create,  # shopifyOrderCreate
    webhooks_shopify.shopify_order_paid,  # shopifyOrderPaid
    webhooks_shopify.shopify_refund_create,  # shopifyRefundCreate
]

_webhooks_stripe: stubs.WebhooksStripeHandlers = webhooks_stripe
_webhooks_stripe_operations = [
    webhooks_stripe.receive_stripe_delivery,  # receiveStripeDelivery
    webhooks_stripe.stripe_charge_refunded,  # stripeChargeRefunded
    webhooks_stripe.stripe_charge_succeeded,  # stripeChargeSucceeded
    webhooks_stripe.stripe_payment_intent_succeeded,  # stripePaymentIntentSucceeded
    webhooks_stripe.stripe_payment_intent_succeeded_legacy,  # stripePaymentIntentSucceededLegacy
]

_webhooks_woocommerce: stubs.WebhooksWoocommerceHandlers = webhooks_woocommerce
_webhooks_woocommerce_operations = [
    webhooks_woocommerce.receive_woocommerce_delivery,  # receiveWoocommerceDelivery
    webhooks_woocommerce.woocommerce_order_completed,  # woocommerceOrderCompleted
    webhooks_woocommerce.woocommerce_order_created,  # woocommerceOrderCreated
    webhooks_woocommerce.woocommerce_order_refunded,  # woocommerceOrderRefunded
    webhooks_woocommerce.woocommerce_order_updated,  # woocommerceOrderUpdated
]
