"""Who is told when something fails, and when nobody is."""
