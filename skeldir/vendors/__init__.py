"""Vendors: verify who signed a delivery, and map its payload to canonical facts."""
