"""What a TLS handshake says: verdict and facts, why a chain was refused, and what would repair it."""
