"""Skeldir: which marketing channel really earned the revenue."""

__version__ = "2.0.0.dev0"
