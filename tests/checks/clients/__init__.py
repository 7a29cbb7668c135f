"""Client profiles."""
