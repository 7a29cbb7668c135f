"""Which workers have the static addresses that a domain is connected to from."""
