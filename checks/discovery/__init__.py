"""What the settings of a domain probably are: several sources, asked at the same time, and each proposal tried.

A source is a pure function over `web` and the DNS; it proposes, and says how it came by it. `run` asks them all, has
every server checked that is proposed, and ranks what is left. Nobody logs in.
"""
