"""The endpoints of webhooks and their deliveries."""
