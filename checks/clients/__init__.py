"""Client profiles: how the mail client of the host app logs in, as data. Verdicts are what that client will meet."""
