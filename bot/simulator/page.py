"""The phone in the browser and the inspector beside it: one page, and the JSON it asks for."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from bot.content.model import Menu
from bot.messages import CommandToken, Locale, encode_token
from bot.simulator.chats import Bubble, Person
from bot.simulator.platform import Platform
from bot.simulator.webhooks import Told, Webhooks
from bot.simulator.wire import Json, Obj

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TEXT_TYPED_MAX: Final = 5000

Inspect = Callable[[str], Obj]
"""What the bot remembers of a LINE user id, for the inspector."""


class Page:
    """`public_url` is what the bot puts before its pictures; on the page they are asked for without it."""

    def __init__(
        self, platform: Platform, webhooks: Webhooks, *, menu: Menu | None, inspect: Inspect, public_url: str
    ) -> None:
        self._platform = platform
        self._webhooks = webhooks
        self._menu = menu
        self._inspect = inspect
        self._public_url = public_url

    def blueprint(self) -> Blueprint:
        """Mounted at the root of the demo."""
        pages = Blueprint(
            "simulator", __name__, template_folder="templates", static_folder="static", static_url_path="/simulator"
        )
        pages.add_url_rule("/", "phone", self._phone)
        pages.add_url_rule("/simulator/view", "view", self._view)
        pages.add_url_rule("/simulator/act", "act", self._act, methods=["POST"])
        pages.add_url_rule("/simulator/people", "people", self._add_person, methods=["POST"])
        pages.add_url_rule("/simulator/clock", "clock", self._move_clock, methods=["POST"])
        pages.add_url_rule("/simulator/menu/<menu_id>", "menu", self._menu_picture)
        pages.after_request(harden)
        return pages

    def _phone(self) -> str:
        return render_template("phone.html", clinic=self._platform.name, public_url=self._public_url)

    def _view(self) -> Response:
        """Everything the page shows. `after`: bubbles changed after that `seq`."""
        person = self._person(request.args.get("person", ""))
        after = request.args.get("after", 0, type=int)
        platform = self._platform
        view: Obj = {
            "seq": platform.chats.seq,
            "now": platform.clock.now().isoformat(),
            "ahead": platform.clock.added / timedelta(hours=1),
            "people": [_person(one) for one in platform.chats.people()],
            "person": person.user_id,
            "bubbles": [_bubble(one) for one in platform.chats.bubbles(person.user_id, after)],
            "loading": platform.is_loading(person.user_id),
            "menu": self._menu_for(person),
            "billed": platform.billed(),
            "quota": platform.quota,
            "free": platform.free,
            "violations": [{"where": v.where, "problem": v.problem} for v in platform.violations],
            "webhooks": self._told(person.user_id),
            "memory": self._inspect(person.user_id),
        }
        return jsonify(view)

    def _act(self) -> ResponseReturnValue:
        body = self._body()
        person = self._person(str(body.get("person")))
        told = self._do(person.user_id, body)
        return jsonify({"status": told.status})

    def _do(self, user_id: str, body: Obj) -> Told:
        value = str(body.get("value", ""))
        match body.get("do"):
            case "follow":
                return self._webhooks.follow(user_id)
            case "block":
                return self._webhooks.block(user_id)
            case "say" if 0 < len(value) <= TEXT_TYPED_MAX:
                return self._webhooks.say(user_id, value)
            case "tap":
                shown = body.get("shown")
                return self._webhooks.tap(user_id, value, shown if isinstance(shown, str) else None)
            case "time" if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", str(body.get("time"))):
                return self._webhooks.pick_time(user_id, value, str(body["time"]))
            case "date" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", str(body.get("date"))):
                return self._webhooks.pick_day(user_id, value, str(body["date"]))
            case "sticker":
                return self._webhooks.sticker(user_id, value)
            case "unsend":
                return self._webhooks.unsend(user_id, value)
            case "redeliver" if self._webhooks.told:
                return self._webhooks.redeliver(*self._webhooks.told[-1].events)
            case _:
                raise BadRequest

    def _add_person(self) -> ResponseReturnValue:
        person = self._platform.chats.add_person(language="en" if self._body().get("language") == "en" else "ja")
        return jsonify(_person(person)), 201

    def _move_clock(self) -> ResponseReturnValue:
        hours = self._body().get("hours")
        if not isinstance(hours, int) or not 0 < hours <= 24 * 31:
            abort(400)
        self._platform.clock.move(timedelta(hours=hours))
        return "", 204

    def _menu_picture(self, menu_id: str) -> Response:
        picture = self._platform.menus.picture(menu_id)
        if picture is None:
            abort(404)
        return Response(picture.data, mimetype=picture.media_type)

    def _body(self) -> Obj:
        """JSON only: a form of another site cannot send it without asking first."""
        body = request.get_json()
        if not isinstance(body, dict):
            abort(400)
        return body

    def _person(self, user_id: str) -> Person:
        """The one asked for, else the first."""
        people = self._platform.chats.people()
        return self._platform.chats.person(user_id) or (people[0] if people else self._platform.chats.add_person())

    def _told(self, user_id: str) -> list[Json]:
        """The person's last webhooks with the bot's status, newest first."""
        rows: list[Json] = []
        for told in reversed(self._webhooks.told[-60:]):
            for event in told.events:
                source = event.get("source")
                if isinstance(source, dict) and source.get("userId") == user_id:
                    rows.append({"type": event["type"], "at": event["timestamp"], "status": told.status})
        return rows[:8]

    def _menu_for(self, person: Person) -> Obj | None:
        """The picture uploaded by `flask line setup`, else the menu drawn from content."""
        menus = self._platform.menus
        menu_id = menus.linked(person.user_id) or menus.default()
        uploaded = menus.get(menu_id) if menu_id is not None else None
        if uploaded is not None:
            return {**uploaded, "picture": f"simulator/menu/{menu_id}"}
        return None if self._menu is None else drawn(self._menu, person.language)


def drawn(menu: Menu, locale: Locale) -> Obj:
    """menu.toml for the page, which draws it from the icons."""
    areas: list[Json] = [
        {"label": area.label.to(locale), "icon": area.icon, "data": encode_token(CommandToken(area.command))}
        for area in menu.areas
    ]
    return {
        "chatBarText": menu.chat_bar.to(locale),
        "areas": areas,
        "background": menu.background,
        "ink": menu.ink,
        "picture": None,
    }


def _person(person: Person) -> Obj:
    return {"id": person.user_id, "name": person.name, "language": person.language, "friend": person.friend}


def _bubble(bubble: Bubble) -> Obj:
    return {
        "id": bubble.id,
        "sender": bubble.sender,
        "at": bubble.at.isoformat(),
        "message": bubble.message,
        "read": bubble.read,
        "unsent": bubble.unsent,
        "way": bubble.way,
    }


def harden(response: Response) -> Response:
    """Nothing from elsewhere, nothing kept."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-cache"
    return response
