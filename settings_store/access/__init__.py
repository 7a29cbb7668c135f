"""Who may use the API: users with a role, and API keys."""
