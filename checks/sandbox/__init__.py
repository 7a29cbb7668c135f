"""What the reserved names of the sandbox answer: tables, and results made of them. Nothing here knows a network."""
