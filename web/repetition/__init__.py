"""Requests that are sent again: answered as the first time, and done once."""
