"""Tests of requests that are sent again."""
