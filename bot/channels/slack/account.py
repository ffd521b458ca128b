"""Asks Slack whose a token is, and whether the staff's channel can be written to."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.channels.base import NotTold
from bot.channels.slack.fields import ident
from bot.channels.slack.send import CREDENTIALS, Api

_GONE = {
    "account_inactive": "the app's account is deactivated: install the app to the workspace again.",
    "app_uninstalled": "the app was removed from the workspace: install it again.",
    "token_revoked": "the token was revoked: install the app again and copy the new Bot User OAuth Token.",
    "token_expired": "the token has expired: switch token rotation off, or install the app again.",
    "invalid_auth": "Slack does not know it: copy the Bot User OAuth Token (xoxb-...) from Your Apps, OAuth & Permissions.",
    "not_authed": "Slack saw none: SLACK_BOT_TOKEN must be the Bot User OAuth Token (xoxb-...).",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What was looked at; `words` say what to do when it is not well."""

    well: bool
    subject: str
    words: str


class Own:
    """The workspace that the settings' token belongs to. It is asked for once and kept: a token never changes its workspace."""

    def __init__(self, api_url: str, token: str) -> None:
        self._api = Api(api_url, connect_seconds=2.0, read_seconds=2.0)
        self._token = token
        self._known = ""

    def workspace(self, *, anew: bool = False) -> str:
        """See "auth.test". Raises NotTold."""
        if anew or not self._known:
            answer = self._api.ask("auth.test", self._token, {})
            self._known = ident(answer.body.get("team_id")) if answer.ok else ""
        if not self._known:
            raise NotTold("whose the token is")
        return self._known


def examine(api_url: str, token: str, staff_channel: str, setting: str = "SLACK_BOT_TOKEN") -> Iterator[Look]:
    """See "auth.test" and "conversations.info". `setting`: what the token is called in what is said about it."""
    api = Api(api_url, connect_seconds=3.0, read_seconds=5.0)
    answer = api.ask("auth.test", token, {})
    if answer.broken is not None or (not answer.ok and answer.error not in CREDENTIALS):
        why = f"{api_url} did not answer as it should ({answer.error}). Can this machine reach the internet?"
        yield Look(False, "Slack", why)
        return
    if not answer.ok:
        why = _GONE.get(answer.error, f"Slack refuses it ({answer.error}): install the app again.")
        yield Look(False, setting, why)
        return
    yield Look(
        True,
        "Slack",
        f"the token belongs to {answer.body.get('user', '')} in {answer.body.get('team', '')} ({answer.body.get('team_id', '')}).",
    )
    if staff_channel:
        yield _staff_channel(api, token, staff_channel)


def _staff_channel(api: Api, token: str, channel: str) -> Look:
    subject = "SLACK_STAFF_CHANNEL"
    answer = api.ask("conversations.info", token, {"channel": channel})
    found = answer.body.get("channel")
    if not answer.ok or not isinstance(found, dict):
        words = (
            f"cannot be read ({answer.error}). It is a channel's id (C...), and the app must be a member: /invite it."
        )
        return Look(False, subject, words)
    if not found.get("is_member"):
        return Look(False, subject, "the app is not a member: type /invite @selfcare in the channel.")
    return Look(True, subject, f"#{found.get('name', '')}; its members see alerts and can acknowledge them.")
