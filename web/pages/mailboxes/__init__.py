"""The mailboxes of a domain."""
