"""The examples of the contract: asked of a running service, kept in web/examples.json, and asked again by a test."""
