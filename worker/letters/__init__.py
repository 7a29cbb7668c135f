"""Letters ready to send, made of a report: to mailbox owners, to who runs the servers or the firewall, and a ticket."""
