"""Mailboxes with their encrypted credentials, their last known states, and what keeps logins in to them harmless."""
