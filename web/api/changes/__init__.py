"""Changes, what is done with them, and their reports."""
