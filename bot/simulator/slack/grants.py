"""The app as Slack knows it, and what administrators allowed it: "Installing with OAuth", "oauth.v2.access"."""

import secrets
import threading
from collections.abc import Mapping

from werkzeug.datastructures import Authorization

from bot.simulator.slack.workspace import BOT, Workspace
from bot.simulator.wire import Obj

APP = "A0SELFCARE"
ADMINISTRATOR = "U0ADMIN001"


class Grants:
    """Thread-safe. `redirect_uri` is the one that the app is registered with."""

    def __init__(self, redirect_uri: str) -> None:
        self.client_id = "1111.2222"
        self.client_secret = secrets.token_hex(16)
        self._redirect_uri = redirect_uri
        self._codes: dict[str, tuple[Workspace, str]] = {}
        self._lock = threading.Lock()

    def refuses(self, asked: Mapping[str, str]) -> bool:
        """Whether the question to the administrator is not this app's."""
        ours = asked.get("client_id") == self.client_id and asked.get("redirect_uri") == self._redirect_uri
        return not (ours and asked.get("scope") and asked.get("state"))

    def grant(self, workspace: Workspace, scopes: str) -> str:
        """A code, good once."""
        with self._lock:
            code = secrets.token_hex(8)
            self._codes[code] = (workspace, scopes)
            return code

    def redeem(self, given: Mapping[str, str], basic: Authorization | None) -> Obj:
        """The app is installed when it does this. Client id and secret come in the header or the form."""
        shown = (basic.username, basic.password) if basic is not None else (None, None)
        shown = shown if shown[0] else (given.get("client_id"), given.get("client_secret"))
        if shown != (self.client_id, self.client_secret):
            return {"ok": False, "error": "bad_client_secret"}
        if given.get("redirect_uri") != self._redirect_uri:
            return {"ok": False, "error": "bad_redirect_uri"}
        with self._lock:
            workspace, scopes = self._codes.pop(given.get("code", ""), (None, ""))
        if workspace is None:
            return {"ok": False, "error": "invalid_code"}
        workspace.token = workspace.token or f"xoxb-{secrets.token_hex(16)}"
        return {
            "ok": True,
            "access_token": workspace.token,
            "token_type": "bot",
            "scope": scopes,
            "bot_user_id": BOT,
            "app_id": APP,
            "team": {"name": workspace.name, "id": workspace.team},
            "enterprise": None,
            "authed_user": {"id": ADMINISTRATOR},
            "is_enterprise_install": False,
        }
