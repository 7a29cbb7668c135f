"""The sources, one a file. Each returns what it found, and what it tried."""
