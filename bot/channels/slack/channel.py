"""Slack as one of the bot's channels. An address is `workspace/member` (or `workspace/channel`)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import structlog

from bot.channels.base import Belongs, Delivery, Limits, NotTold, Outcome, Receipt, Reception
from bot.channels.slack import reader
from bot.channels.slack.book import CHANNEL
from bot.channels.slack.limits import MESSAGES_PER_SECOND, SECONDS_BETWEEN_MESSAGES
from bot.channels.slack.pace import Pace
from bot.channels.slack.render import Rendered, render
from bot.channels.slack.send import Api, receipt
from bot.channels.slack.signature import verify
from bot.messages import Introduced, Locale

log = structlog.get_logger()

LANGUAGES: Mapping[str, Locale] = {"ja": "ja", "en": "en"}
RESPONSES = "https://hooks.slack.com/"
"""Where Slack's response_urls point to."""

MEMBERS = ("U", "W")
"""What members' ids begin with ("User type"); channels' begin with others."""

Tokens = Callable[[str], str | None]
"""The bot token for a workspace; None when the app is not installed there (any more). Raises NotTold."""


class SlackChannel:
    """Any number of workspaces with the same app. `secrets` are one signing secret, or two while it is being rotated;
    `public_url` is where Slack fetches pictures."""

    name = CHANNEL
    limits = Limits(many=1, rate=MESSAGES_PER_SECOND, keyed=False, reply_once=False, gap=SECONDS_BETWEEN_MESSAGES)

    def __init__(
        self,
        *,
        secrets: Sequence[str],
        tokens: Tokens,
        api_url: str,
        public_url: str,
        staff_channel: str = "",
        own: Belongs | None = None,
        many: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """`own`: the workspace of the settings' token, where staff are. `many`: others may have installed the app. Raises
        ValueError for a missing secret."""
        if not secrets or not all(secrets):
            raise ValueError("a Slack app needs its signing secret")
        self._secrets = tuple(secrets)
        self._tokens = tokens
        self._stand_in = api_url.startswith("http://")
        fetchable = public_url.startswith("https://") or (self._stand_in and public_url.startswith("http://"))
        self._media_url = f"{public_url.rstrip('/')}/media" if fetchable else None
        self._api = Api(api_url)
        self._pace = pace or Pace()
        self._staff_channel = staff_channel
        self._own = own
        self._many = many

    def receive(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Reception:
        verify(body, headers, self._secrets, now)
        reception = reader.read(body, headers, now, self._staff_channel)
        if not self._many or not reception.staff:
            return reception
        ours = tuple(act for act in reception.staff if act.who.partition("/")[0] == self._staff_workspace())
        others = ("staff/elsewhere",) * (len(reception.staff) - len(ours))
        return replace(reception, staff=ours, ignored=(*reception.ignored, *others))

    def workspace(self, *, anew: bool = False) -> str | None:
        return None if self._own is None else self._own.workspace(anew=anew)

    def _staff_workspace(self) -> str | None:
        """Members' ids are unique within a workspace only ("User type"): nobody elsewhere can be staff."""
        try:
            return self.workspace()
        except NotTold:
            log.warning("slack_own_workspace_not_told")
            return None

    def send(self, delivery: Delivery) -> Receipt:
        """A message, or the app's own page. What was answered loses its buttons, if Slack lets us. Where Slack asked for
        silence, which may have meant the conversation or the workspace, only safety advice to others is not kept back."""
        workspace, _, member = delivery.user_id.partition("/")
        rendered = render(delivery.message, self._media_url)
        asked = (delivery.user_id,) if delivery.message.safety else (delivery.user_id, workspace)
        silence = max(map(self._pace.silent_for, asked))
        if silence:
            return Receipt(Outcome.RETRY, error="rate", retry_after=silence)
        try:
            token = self._tokens(workspace)
        except NotTold:
            return Receipt(Outcome.RETRY, error="connection")
        if token is None:
            return Receipt(Outcome.UNREACHABLE, error="not_installed")
        if delivery.message.surface == "home":
            answer = self._api.call("views.publish", token, {"user_id": member, "view": _home(rendered)})
        else:
            with self._pace.turn(delivery.user_id) as mine:
                if not mine:
                    return Receipt(Outcome.RETRY, error="pace")
                answer = self._api.call("chat.postMessage", token, _post(member, rendered))
        if answer.status == 429:
            for name in (workspace, delivery.user_id):
                self._pace.hush(name, answer.retry_after or SECONDS_BETWEEN_MESSAGES)
        ending = receipt(answer)
        if ending.outcome is Outcome.SENT and delivery.reply_token not in (None, reader.WAITING):
            self._settle_question(str(delivery.reply_token))
        return ending

    def full(self) -> bool:
        return self._pace.full()

    def introduce(self, user_id: str) -> Introduced | None:
        """See "users.info": `locale` comes when asked for, `tz` is an IANA name."""
        workspace, _, member = user_id.partition("/")
        try:
            token = self._tokens(workspace)
        except NotTold:
            return None
        if token is None or not member.startswith(MEMBERS):
            return None
        answer = self._api.ask("users.info", token, {"user": member, "include_locale": "true"})
        user = answer.body.get("user")
        if not answer.ok or not isinstance(user, dict):
            log.warning("slack_profile_not_read", error=answer.error)
            return None
        return Introduced(LANGUAGES.get(str(user.get("locale", ""))[:2]), _zone(user.get("tz")))

    def _settle_question(self, reply_token: str) -> None:
        """Decoration: a message that keeps its buttons is answered kindly when they are pressed."""
        change: dict[str, Any] = json.loads(reply_token)
        url = str(change.pop("url", ""))
        if not (url.startswith(RESPONSES) or (self._stand_in and url.startswith("http://"))):
            return
        answer = self._api.respond(url, {"replace_original": True, **change})
        if not answer.ok:
            log.warning("slack_question_not_settled", error=answer.error)


def _zone(name: object) -> str:
    """A zone that this machine knows, else "": the clinic's is taken then."""
    return name if isinstance(name, str) and name in available_timezones() else ""


def _post(member: str, rendered: Rendered) -> dict[str, Any]:
    """See "chat.postMessage": a member's id as channel is the direct message with them."""
    return {
        "channel": member,
        "text": rendered.text,
        "blocks": rendered.blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _home(rendered: Rendered) -> dict[str, Any]:
    return {"type": "home", "blocks": rendered.blocks}
