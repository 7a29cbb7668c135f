"""What health checks know, when the next ones are due, and when nobody watches."""
