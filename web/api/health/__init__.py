"""What is found wrong between the changes, who hears of it, and when nobody shall."""
