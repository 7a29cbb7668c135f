"""Webhooks, as Standard Webhooks 1.0.0 has them: events signed, sent, tried again."""
