"""What health checks know of endpoints over time, and when they and the mailboxes are due."""
