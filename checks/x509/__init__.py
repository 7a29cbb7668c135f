"""Certificates as RFC 5280 has them: what they say, where a chain leads, and why it would be refused. No connections."""
