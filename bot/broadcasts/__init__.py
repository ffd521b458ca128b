"""Messages to many: written and started by staff, handed to the outbox a page at a time, looked after until the end."""
