"""SMTP submission (RFC 6409, RFC 5321)."""
