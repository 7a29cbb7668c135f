"""Where events are sent to, and what came of each."""
