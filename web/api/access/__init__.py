"""Accounts, users, API keys, who the caller is, and what was done."""
