"""Proposed settings, from the save until they are in force, given up or rolled back."""
