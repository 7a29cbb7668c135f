"""What is configured, proposed and known. The only code that touches the database."""
