"""A small Slack beside the small LINE: workspaces, Block Kit, Web API methods and signed requests."""
