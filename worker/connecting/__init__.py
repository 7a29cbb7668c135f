"""A mailbox that is connected: its login is tried, once, before anything of it is stored."""
