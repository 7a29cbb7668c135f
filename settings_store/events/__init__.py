"""What happened, kept in the order in which it did: the one source of history, alerts and whatever follows along."""
