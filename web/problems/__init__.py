"""What went wrong with a request, as RFC 9457 has it, on every path."""
