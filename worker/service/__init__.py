"""The use cases, one file a capability: what the command and the API call, for one account and one actor."""
