"""Logs and the correlation id that runs through them."""
