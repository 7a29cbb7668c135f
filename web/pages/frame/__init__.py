"""What every page shares: how it is rendered, who looks at it, and what its answer says to the browser."""
