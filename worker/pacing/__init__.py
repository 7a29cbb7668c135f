"""How many connections and logins at once a mail server is given."""
