"""The commands, one file a capability."""
