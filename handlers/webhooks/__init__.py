"""Handlers of the webhook contracts, one module per vendor, and the way in that they share."""
