# @generated from api-contracts/openapi/v1 by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Proof for mypy that every handler module meets its contract; never imported at run time."""

from generated import stubs
from handlers import attribution
from handlers import auth
from handlers import health
from handlers.webhooks import base as webhooks_base
from handlers.webhooks import shopify as webhooks_shopify
from handlers.webhooks import stripe as webhooks_stripe

_attribution: stubs.AttributionHandlers = attribution
_auth: stubs.AuthHandlers = auth
_health: stubs.HealthHandlers = health
_webhooks_base: stubs.WebhooksBaseHandlers = webhooks_base
_webhooks_shopify: stubs.WebhooksShopifyHandlers = webhooks_shopify
_webhooks_stripe: stubs.WebhooksStripeHandlers = webhooks_stripe
