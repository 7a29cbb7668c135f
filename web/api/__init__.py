"""The resources, one file each; those of one capability share a room."""
