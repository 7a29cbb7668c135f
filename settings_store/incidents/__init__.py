"""Failures that health checks found, what they are judged by, and how domains fare."""
