"""The command `mail-preflight`: arguments in, a report or one JSON document and an exit status out."""
