"""Pure rules of the domain: standard library only, no clock, no database."""
