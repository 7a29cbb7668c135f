"""A stand-in for Microsoft Exchange: HTTPS, Exchange Web Services, three ways to log on, and every way to fail."""
