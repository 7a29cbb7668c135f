"""Tests of webhooks: signatures, targets, schedule, sending, delivery."""
