"""The words of the command in every language; what a code means is worded in `checks.messages`."""
