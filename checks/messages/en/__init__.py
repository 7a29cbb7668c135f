"""What is said in English: causes, certificates and repairs, endpoints, alerts."""
