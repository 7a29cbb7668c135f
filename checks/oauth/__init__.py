"""OAuth 2.0 (RFC 6749): what an application is known by, and the token that it gets for that."""
