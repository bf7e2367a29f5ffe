"""Serving OpenAPI 3.1 contracts: validation, security, problem documents, the request boundary."""
