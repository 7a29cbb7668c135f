"""From which of our addresses a mail server is reached."""
