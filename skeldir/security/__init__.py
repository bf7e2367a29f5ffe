"""Keys, keyed hashes, sealed secrets, passwords and access tokens."""
