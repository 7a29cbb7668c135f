"""What a request may cost us: its size, its time, how many there are, and whom it says it comes from."""
