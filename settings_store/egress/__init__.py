"""Which domains are connected to from static addresses."""
