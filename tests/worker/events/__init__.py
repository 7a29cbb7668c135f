"""Tests of events as others see them."""
