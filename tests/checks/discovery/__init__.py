"""Discovery: sources, trust, repairs, ranking."""
