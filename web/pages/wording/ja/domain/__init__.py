"""The words of the page about a domain's members, addresses and approvals."""
