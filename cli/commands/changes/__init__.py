"""Changes: what is done with them, their history, and the letters about them."""
