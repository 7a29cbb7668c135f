"""What is true of a mail server. Knows no database, no Celery and no Redis."""
