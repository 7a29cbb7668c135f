"""One file a protocol: its endpoint check, its mailbox check, its replies."""
