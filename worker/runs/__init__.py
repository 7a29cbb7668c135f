"""How a run goes on: endpoints, canaries, mailboxes, baseline."""
