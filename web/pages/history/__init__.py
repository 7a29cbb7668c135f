"""What happened to a domain, and how its servers have fared."""
