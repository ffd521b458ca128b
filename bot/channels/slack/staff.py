"""The staff's channel in Slack, as the outbox sees it: an address like any other, with nobody to write back."""

import json
from collections.abc import Sequence

from bot.channels.base import Delivery, Limits, Outcome, Receipt
from bot.channels.slack import limits
from bot.channels.slack.blocks import Blocks, JsonObject
from bot.channels.slack.limits import MESSAGES_PER_SECOND, SECONDS_BETWEEN_MESSAGES
from bot.channels.slack.pace import Pace
from bot.channels.slack.render import Rendered, render
from bot.channels.slack.send import Api, receipt
from bot.messages import Card

EVERYBODY = "<!channel> "
"""Notifies everybody in the channel ("Formatting text: Mentioning")."""


class StaffChannel:
    """A message with a reply token takes the place of the one that was pressed. What staff do comes in by Slack's one address."""

    name = "staff"
    limits = Limits(many=1, rate=MESSAGES_PER_SECOND, keyed=False, reply_once=False, gap=SECONDS_BETWEEN_MESSAGES)

    def __init__(self, *, token: str, api_url: str, pace: Pace | None = None) -> None:
        self._token = token
        self._api = Api(api_url)
        self._pace = pace or Pace()

    def send(self, delivery: Delivery) -> Receipt:
        if delivery.message.surface == "modal":
            return self._open(delivery)
        rendered = render(delivery.message, None)
        blocks: Sequence[JsonObject] = rendered.blocks
        if delivery.reply_token is not None:
            return self._replace(delivery.reply_token, rendered)
        text = rendered.text
        if delivery.message.loud:
            text = EVERYBODY + text
            blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": EVERYBODY.strip()}}, *blocks]
        arguments: JsonObject = {
            "channel": delivery.user_id,
            "text": text,
            "blocks": blocks,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        with self._pace.turn(delivery.user_id) as mine:
            if not mine:
                return Receipt(Outcome.RETRY, error="pace")
            return receipt(self._api.call("chat.postMessage", self._token, arguments))

    def _replace(self, reply_token: str, rendered: Rendered) -> Receipt:
        """What was pressed, by its response_url; what stands there, by the name under which it was sent ("chat.update")."""
        content: JsonObject = {"text": rendered.text, "blocks": rendered.blocks}
        if reply_token.startswith("{"):
            url = str(json.loads(reply_token)["url"])
            return receipt(self._api.respond(url, {"replace_original": True, **content}))
        channel, _, ts = reply_token.partition(":")
        return receipt(self._api.call("chat.update", self._token, {"channel": channel, "ts": ts, **content}))

    def _open(self, delivery: Delivery) -> Receipt:
        """See "views.open": the reply token is the trigger_id, good for three seconds and once."""
        [card] = delivery.message.parts
        if not isinstance(card, Card) or card.form is None:
            raise ValueError("a modal is one card with a form")
        blocks = Blocks()
        blocks.form(card.form, modal=True)
        view: JsonObject = {
            "type": "modal",
            "callback_id": "tip_form",
            "title": {"type": "plain_text", "text": limits.cut(card.title, limits.MODAL_TITLE)},
            "submit": {"type": "plain_text", "text": limits.cut(card.form.submit, limits.MODAL_TITLE)},
            "blocks": blocks.made,
        }
        arguments: JsonObject = {"trigger_id": delivery.reply_token or "", "view": view}
        return receipt(self._api.call("views.open", self._token, arguments))
