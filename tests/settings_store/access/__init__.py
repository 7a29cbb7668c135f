"""Who may use the API, as stored."""
