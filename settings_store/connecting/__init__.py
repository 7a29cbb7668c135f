"""Members who connect their mailboxes: what they tried, and who waits for their domain's settings."""
