"""What health checks look at, and what a row of them says."""
