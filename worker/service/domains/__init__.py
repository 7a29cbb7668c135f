"""A domain: its settings found out, mailboxes connected to it, and from where its servers are reached."""
