"""The sandbox of an account: an account of its own, in which reserved names answer without any network."""
