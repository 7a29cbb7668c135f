"""Changes from save to apply and back, and the watch after it."""
