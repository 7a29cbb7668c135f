"""What is said in Japanese: causes, certificates and repairs, endpoints, alerts."""
