"""Slack's window in the browser: a member's direct message and Home tab with the app, and the staff's channel beside it."""

import re
from typing import Final

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from bot.simulator.page import harden
from bot.simulator.slack.webhooks import Told, Webhooks
from bot.simulator.slack.workspace import STAFF_CHANNEL, Member, Post, Workspace
from bot.simulator.wire import Json, Obj

STAFF: Final = "見本 受付(サンプル)"
"""Who sits in the staff's channel."""

SAMPLES: Final = ("見本 従業員(サンプル)", "Sample Worker")
TYPED_MAX: Final = 4000


class Page:
    """The window's page and the JSON it asks for. `clinic` is the app's name in it."""

    def __init__(self, workspace: Workspace, webhooks: Webhooks, clinic: str, public_url: str) -> None:
        self._workspace = workspace
        self._webhooks = webhooks
        self._clinic = clinic
        self._public_url = public_url

    def blueprint(self) -> Blueprint:
        """Beside the phone's page, whose static files and headers it shares."""
        pages = Blueprint("slack_page", __name__, template_folder="../templates")
        pages.add_url_rule("/simulator/slack/", "window", self._window)
        pages.add_url_rule("/simulator/slack/view", "view", self._view)
        pages.add_url_rule("/simulator/slack/act", "act", self._act, methods=["POST"])
        pages.after_request(harden)
        return pages

    def _window(self) -> str:
        for name in SAMPLES:
            self._workspace.add(name, "ja-JP" if name.startswith("見") else "en-US")
        self._workspace.add(STAFF)
        return render_template("slack.html", clinic=self._clinic, public_url=self._public_url)

    def _view(self) -> Response:
        member = self._member(request.args.get("member", ""))
        space = self._workspace
        view: Obj = {
            "seq": space.seq,
            "now": space.clock.now().isoformat(),
            "members": [{"id": m.user_id, "name": m.name} for m in space.members() if m.name != STAFF],
            "member": member.user_id,
            "posts": [_post(post) for post in space.posts(member.channel)],
            "staff": [_post(post) for post in space.posts(STAFF_CHANNEL)],
            "home": space.homes.get(member.user_id),
            "modal": space.modals.get(self._staff().user_id),
            "violations": [f"{v.where}: {v.problem}" for v in space.violations],
        }
        return jsonify(view)

    def _act(self) -> ResponseReturnValue:
        body = request.get_json()
        if not isinstance(body, dict):
            abort(400)
        return jsonify({"status": self._do(body).status})

    def _do(self, body: Obj) -> Told:
        member, value = self._member(str(body.get("member"))), str(body.get("value", ""))
        hooks = self._webhooks
        match body.get("do"):
            case "say" if (command := re.match(r"(/[a-z]+)\s*(.*)", value, re.DOTALL)) is not None:
                who = self._staff() if body.get("staff") else member
                return hooks.command(who.user_id, command[1], command[2])
            case "say" if 0 < len(value) <= TYPED_MAX:
                return hooks.say(member.user_id, value)
            case "home":
                return hooks.open_home(member.user_id)
            case "submit":
                return hooks.submit(self._staff().user_id, _object(body.get("values")))
            case "press":
                return self._press(member, body)
            case _:
                raise BadRequest

    def _press(self, member: Member, body: Obj) -> Told:
        staff = body.get("where") == "staff"
        who, channel = (self._staff(), STAFF_CHANNEL) if staff else (member, member.channel)
        action, values = _object(body.get("action")), _object(body.get("values"))
        if body.get("where") == "home":
            return self._webhooks.act(who.user_id, action)
        post = next((post for post in self._workspace.posts(channel) if post.ts == body.get("ts")), None)
        if post is None:
            abort(404)
        return self._webhooks.act(who.user_id, action, post, values)

    def _staff(self) -> Member:
        return self._workspace.add(STAFF)

    def _member(self, user_id: str) -> Member:
        return self._workspace.member(user_id) or self._workspace.add(SAMPLES[0])


def _object(value: Json) -> Obj:
    if not isinstance(value, dict):
        abort(400)
    return value


def _post(post: Post) -> Obj:
    return {
        "ts": post.ts,
        "seq": post.seq,
        "sender": post.sender,
        "at": post.at.isoformat(),
        "text": post.text,
        "blocks": post.blocks,
    }
