"""How one speaks with a mail server: the endpoint check, the login, and one folder for each protocol.

A reply that might be temporary, or that nobody can read, becomes an inconclusive code. The corpora in the tests hold
real replies of real servers, each with its source; a new reply is one line there first.
"""
