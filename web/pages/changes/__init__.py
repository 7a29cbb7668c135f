"""A change while it is verified: its servers step by step, then its mailboxes."""
