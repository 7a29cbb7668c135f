"""Users, API keys, and what is the reader's own: password and sessions."""
