"""A month in the life of a small running shop, told to the service from outside, over HTTP."""
