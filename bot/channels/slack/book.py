"""What is kept of workspaces that installed the app, and what whoever keeps it promises. Without the SDK: whoever has no Slack
does not load it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

CHANNEL = "slack"

STATE_SECONDS = 600
"""How long an installer may take: the SDK's own default (OAuthStateUtils)."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A workspace that took the app in. `by` is the member who did it."""

    team: str
    name: str
    token: str
    app: str
    bot: str
    bot_user: str
    scopes: str
    by: str
    at: datetime


class Unwanted(Exception):
    """An installation that is not kept. `why` is a word for the page."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Book(Protocol):
    """Where workspaces and states are kept."""

    def issue(self) -> str:
        """A new state, good once and for STATE_SECONDS."""
        ...

    def consume(self, state: str) -> bool:
        """Whether it was good. It is not any more."""
        ...

    def keep(self, installed: Installed) -> None:
        """In the place of what was known of that workspace. Raises Unwanted."""
        ...

    def find(self, team: str) -> Installed | None:
        """None when the app is not installed there (any more)."""
        ...

    def strike(self, team: str) -> None:
        """Forgets its token."""
        ...

    def now(self) -> datetime:
        """Aware UTC."""
        ...
