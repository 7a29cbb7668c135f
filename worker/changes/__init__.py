"""What a change would do, and what became of it: impact, report, and the watch after it is applied."""
