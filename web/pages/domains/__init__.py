"""The domains of an account, and the settings of each."""
