"""What is printed: for people, and as JSON."""
