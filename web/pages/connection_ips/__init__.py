"""From where mail servers are connected to, and what is asked of those who run a firewall."""
