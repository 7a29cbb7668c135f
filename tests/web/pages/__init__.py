"""The admin page, in a real browser and without one."""
