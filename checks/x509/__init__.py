"""What certificates say (RFC 5280): where a chain leads, and why it would be refused. No connections."""
