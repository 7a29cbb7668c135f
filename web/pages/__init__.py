"""The admin page: rendered here, with the use cases and models of the API. It works without JavaScript."""
