"""Tells admins of incidents."""
