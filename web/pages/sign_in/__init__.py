"""Signing in and out, the link that sets the first password, and what the reader prefers."""
