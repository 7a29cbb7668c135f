"""Tests of what a request may cost."""
