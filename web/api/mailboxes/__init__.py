"""Mailboxes: a page of them, and many saved at once."""
