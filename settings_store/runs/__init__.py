"""What a run tests, and what has come of it so far."""
