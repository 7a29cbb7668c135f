"""Exchange Web Services (EWS) over HTTPS: its endpoint check, and the login that opens mail and calendar."""
