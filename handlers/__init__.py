"""The decisions behind the contracts: one module per contract, one function per operation."""
