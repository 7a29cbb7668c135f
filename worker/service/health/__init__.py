"""What is found wrong between the changes: endpoints, incidents, maintenance."""
