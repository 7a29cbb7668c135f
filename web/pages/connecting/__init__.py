"""A mailbox is connected: by the member whose it is, or by somebody for them."""
