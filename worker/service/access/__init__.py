"""Who may do what, who a key belongs to, and what was done."""
