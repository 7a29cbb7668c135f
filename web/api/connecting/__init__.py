"""What a member may do: see what is filled in, connect a mailbox. And what an admin makes of those who wait."""
