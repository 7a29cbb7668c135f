"""Waiting: events as a page, as a stream, and a request that is answered when there is news."""
