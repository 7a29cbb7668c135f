"""Who calls, and what they may have: a handler gets nothing without naming the right that it needs."""
