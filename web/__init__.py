"""The HTTP API: what a host app saves, waits for, shows and applies."""
