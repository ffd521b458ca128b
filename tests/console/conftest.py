"""The whole bot with its console, with a clock that stands still: on both databases, or where a test asks nothing of the
database that differs, on one."""
