"""The contracts say of each vendor field what the mapping tables do: what it means, what is kept."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from skeldir.vendors import custom, paypal, shopify, shopify_privacy, stripe, woocommerce
from skeldir.vendors.fields import Field, Shape

BUNDLES = Path(__file__).parents[2] / "generated" / "bundles" / "webhooks"


@pytest.mark.parametrize(
    ("vendor", "schema", "table"),
    [
        ("shopify", "ShopifyOrder", shopify.ORDER),
        ("shopify", "ShopifyRefund", shopify.REFUND),
        ("shopify", "ShopifyCheckout", shopify.CHECKOUT),
        ("shopify", "ShopifyCustomerDataRequest", shopify_privacy.CUSTOMER_DATA_REQUEST),
        ("shopify", "ShopifyCustomerRedact", shopify_privacy.CUSTOMER_REDACT),
        ("shopify", "ShopifyShopRedact", shopify_privacy.SHOP_REDACT),
        ("stripe", "StripeChargeEvent", stripe.CHARGE),
        ("stripe", "StripePaymentIntentEvent", stripe.PAYMENT_INTENT),
        ("stripe", "StripeDisputeEvent", stripe.DISPUTE),
        ("paypal", "PaypalSaleEvent", paypal.SALE),
        ("paypal", "PaypalCaptureEvent", paypal.CAPTURE),
        ("paypal", "PaypalSaleRefundEvent", paypal.SALE_REFUND),
        ("paypal", "PaypalCaptureRefundEvent", paypal.CAPTURE_REFUND),
        ("paypal", "PaypalDisputeEvent", paypal.DISPUTE),
        ("custom", "CustomOrderEvent", custom.ORDER),
        ("custom", "CustomPaymentEvent", custom.PAYMENT),
        ("woocommerce", "WoocommerceOrder", woocommerce.ORDER),
        ("woocommerce", "WoocommerceDeletedOrder", woocommerce.DELETED_ORDER),
    ],
)
def test_the_contract_and_the_table_of_a_payload_agree(vendor: str, schema: str, table: Shape) -> None:
    document = json.loads((BUNDLES / f"{vendor}.json").read_text())

    written = dict(fields(document, document["components"]["schemas"][schema]))
    mapped = {field.path: said(field) for field in table.fields}

    assert written == mapped


@pytest.mark.parametrize(
    "field",
    [
        Field("customer.email", "word"),
        Field("lines[].customerName", "word"),
        Field("note_attributes", "pairs", names={"phone": "session_id"}),
    ],
)
def test_no_table_can_keep_a_field_with_a_personal_name(field: Field) -> None:
    with pytest.raises(ValueError, match="personal data"):
        Shape(field)


def said(field: Field) -> tuple[object, bool, bool]:
    """Return what a table's row says: meaning, whether it is kept, whether it must be there."""
    return (dict(field.names) or field.maps_to, field.stored, field.required)


def fields(
    document: Mapping[str, Any], schema: Mapping[str, Any], path: str = "", *, required: bool = False
) -> Iterator[tuple[str, tuple[object, bool, bool]]]:
    """Yield each leaf of a vendor shape by its path, with what the contract says of it."""
    reference = schema.get("$ref", "")
    if reference:
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    if "properties" in schema:
        for name, inner in schema["properties"].items():
            must = name in schema.get("required", [])
            yield from fields(document, inner, f"{path}.{name}".lstrip("."), required=must)
    elif "items" in schema and "x-stored" not in schema:
        yield from fields(document, schema["items"], f"{path}[]", required=required)
    else:
        yield path, (schema.get("x-maps-to"), schema.get("x-stored", False), required)
