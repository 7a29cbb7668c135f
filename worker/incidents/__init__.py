"""Judges what health checks have found: what opens an incident, what it is about, how it goes on."""
