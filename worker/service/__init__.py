"""The use cases: what the command and the API call."""
