"""When work happens: the flow of a run, its tasks, and what the results mean."""
