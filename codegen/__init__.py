"""Turns the contracts of api-contracts/ into generated/; a tool, imported by nothing that runs."""
