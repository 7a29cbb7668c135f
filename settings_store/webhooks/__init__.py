"""Webhook endpoints of accounts, and the deliveries of events to them."""
