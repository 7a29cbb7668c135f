"""Tests of what is stored of webhooks."""
