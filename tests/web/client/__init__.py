"""The Python client, against a running server."""
