"""The network below a check: names, addresses, connections, lines and HTTP, each with a deadline and a cap."""
