"""Who is told of incidents, and what is on its way to them."""
