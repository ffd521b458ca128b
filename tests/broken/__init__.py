"""The smallest content that is right (base/), and for each issue code one edit that breaks it (<code>/broken.toml)."""
