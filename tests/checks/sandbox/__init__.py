"""Tests of what the reserved names of the sandbox answer."""
