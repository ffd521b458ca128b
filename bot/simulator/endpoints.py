"""The platform's HTTP face: the Messaging API paths that the bot calls, on two hosts as at LINE (api, api-data)."""

import json
import socket
import struct
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, Response, request

from bot.simulator.faults import Failure, Fault
from bot.simulator.menus import PICTURE_BYTES, MenuPicture
from bot.simulator.platform import Answer, Platform, Request, refused
from bot.simulator.webhooks import Webhooks
from bot.simulator.wire import Obj, check

API: Final = "/line/api"
DATA: Final = "/line/data"
NOT_FOUND: Final = Answer(404, {"message": "Not found"})

_INSTEAD: Final[Mapping[Failure, Answer]] = {
    "drop_before": Answer(0),
    "rate": refused(429, "The API rate limit has been exceeded. Try again later."),
    "monthly": refused(429, "You have reached your monthly limit."),
    "server_error": refused(500, "Internal Server Error"),
}
"""What is answered instead of doing anything."""

Run = Callable[[Obj], Answer]


class Endpoints:
    """The blueprints of one platform. `token` is the channel access token that the bot must show."""

    def __init__(self, platform: Platform, webhooks: Webhooks, token: str) -> None:
        self._platform = platform
        self._webhooks = webhooks
        self._token = token

    def api(self) -> Blueprint:
        """What LINE_API_URL points to."""
        page = Blueprint("line_api", __name__, url_prefix=API)
        platform, menus = self._platform, self._platform.menus

        def route(method: str, path: str, run: Callable[..., Answer]) -> None:
            def view(**ids: str) -> Response:
                return self._serve(lambda body: run(body, **ids))

            page.add_url_rule(path, f"{method} {path}".replace(".", "_"), view, methods=[method])

        route("POST", "/v2/bot/message/reply", lambda body: platform.reply(body, _retry_key()))
        route("POST", "/v2/bot/message/push", lambda body: platform.push(body, _retry_key()))
        route("POST", "/v2/bot/message/multicast", lambda body: platform.multicast(body, _retry_key()))
        route("POST", "/v2/bot/message/validate/<kind>", lambda body, kind: self._validate(body))
        route("GET", "/v2/bot/message/quota", lambda _: Answer(200, {"type": "limited", "value": platform.quota}))
        route("GET", "/v2/bot/message/quota/consumption", lambda _: Answer(200, {"totalUsage": platform.billed()}))
        route("POST", "/v2/bot/chat/loading/start", lambda body: platform.load(body))
        route("GET", "/v2/bot/info", lambda _: self._info())
        route("GET", "/v2/bot/profile/<user>", lambda _, user: self._profile(user))
        route("POST", "/v2/bot/group/<group>/leave", lambda _, group: self._leave(group))
        route("POST", "/v2/bot/room/<group>/leave", lambda _, group: self._leave(group))
        route("PUT", "/v2/bot/channel/webhook/endpoint", self._set_endpoint)
        route("GET", "/v2/bot/channel/webhook/endpoint", lambda _: self._endpoint())
        route("POST", "/v2/bot/channel/webhook/test", self._test_endpoint)
        route("POST", "/v2/bot/richmenu", self._add_menu)
        route("GET", "/v2/bot/richmenu/list", lambda _: Answer(200, {"richmenus": [*menus.all()]}))
        route("GET", "/v2/bot/richmenu/<menu>", lambda _, menu: _found(menus.get(menu)))
        route("DELETE", "/v2/bot/richmenu/<menu>", lambda _, menu: Answer(200) if menus.remove(menu) else NOT_FOUND)
        route("GET", "/v2/bot/user/all/richmenu", lambda _: _menu_id(menus.default()))
        route("POST", "/v2/bot/user/all/richmenu/<menu>", lambda _, menu: self._apply(None, menu))
        route("DELETE", "/v2/bot/user/all/richmenu", lambda _: self._unset(None))
        route("GET", "/v2/bot/user/<user>/richmenu", lambda _, user: _menu_id(menus.linked(user)))
        route("POST", "/v2/bot/user/<user>/richmenu/<menu>", lambda _, user, menu: self._apply(user, menu))
        route("DELETE", "/v2/bot/user/<user>/richmenu", lambda _, user: self._unset(user))
        for method in ("GET", "POST", "PUT", "DELETE"):
            route(method, "/<path:rest>", lambda _, rest: self._unknown())
        return page

    def data(self) -> Blueprint:
        """What LINE_DATA_API_URL points to."""
        page = Blueprint("line_data", __name__, url_prefix=DATA)

        @page.post("/v2/bot/richmenu/<menu>/content")
        def upload(menu: str) -> Response:
            return self._serve(lambda _: self._draw(menu))

        @page.get("/v2/bot/richmenu/<menu>/content")
        def picture(menu: str) -> Response:
            found = self._platform.menus.picture(menu)
            if found is None:
                return self._serve(lambda _: NOT_FOUND)
            return Response(found.data, mimetype=found.media_type)

        @page.route("/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
        def unknown(rest: str) -> Response:
            return self._serve(lambda _: self._unknown())

        return page

    # --- every request ---

    def _serve(self, run: Run) -> Response:
        fault = self._platform.faults.strike(request.path)
        answer = self._answer(run, fault)
        broken = fault is not None and fault.failure in ("drop_before", "drop_after")
        body = request.get_json(silent=True) if request.is_json else None
        self._platform.note(
            Request(
                self._platform.clock.now(),
                request.method,
                request.path.removeprefix(API).removeprefix(DATA),
                dict(request.headers),
                body,
                0 if broken else answer.status,
            )
        )
        if broken:
            _hang_up()
        response = Response(json.dumps(answer.body, ensure_ascii=False), answer.status, mimetype="application/json")
        response.headers["X-Line-Request-Id"] = answer.headers.get("x-line-request-id", str(uuid.uuid4()))
        if "x-line-accepted-request-id" in answer.headers:
            response.headers["X-Line-Accepted-Request-Id"] = answer.headers["x-line-accepted-request-id"]
        return response

    def _answer(self, run: Run, fault: Fault | None) -> Answer:
        if fault is not None:
            time.sleep(fault.seconds)
            if fault.failure in _INSTEAD:
                return _INSTEAD[fault.failure]
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            self._platform.refuse("Authorization", "the channel access token is missing or wrong")
            return refused(
                401, "Authentication failed. Confirm that the access token in the authorization header is valid."
            )
        body: Obj = {}
        if request.method in ("POST", "PUT") and request.is_json and request.content_length:
            sent = request.get_json(silent=True)
            if not isinstance(sent, dict):
                return self._platform.refuse("", "The request body could not be parsed as JSON")
            body = sent
        return run(body)

    def _unknown(self) -> Answer:
        self._platform.refuse(request.path, "the platform has no such path (or the bot needs none)")
        return NOT_FOUND

    # --- one request each ---

    def _validate(self, body: Obj) -> Answer:
        problems = check("validate", body)
        return self._platform.refuse_body(problems) if problems else Answer(200)

    def _info(self) -> Answer:
        return Answer(
            200,
            {
                "userId": self._platform.user_id,
                "basicId": "@miniature",
                "displayName": self._platform.name,
                "chatMode": "bot",
                "markAsReadMode": "auto",
            },
        )

    def _profile(self, user_id: str) -> Answer:
        """Get profile: 404 for a user who never added or blocks the account."""
        person = self._platform.chats.person(user_id)
        if person is None or not person.friend:
            return NOT_FOUND
        return Answer(200, {"userId": user_id, "displayName": person.name, "language": person.language})

    def _leave(self, group_id: str) -> Answer:
        return Answer(200) if self._platform.chats.leave(group_id) else NOT_FOUND

    def _set_endpoint(self, body: Obj) -> Answer:
        problems = check("endpoint", body)
        if problems:
            return self._platform.refuse_body(problems)
        self._platform.endpoint = str(body["endpoint"])
        return Answer(200)

    def _endpoint(self) -> Answer:
        endpoint = self._platform.endpoint
        return NOT_FOUND if endpoint is None else Answer(200, {"endpoint": endpoint, "active": True})

    def _test_endpoint(self, body: Obj) -> Answer:
        """Test webhook endpoint: an empty list of events, signed."""
        problems = check("test", body)
        if problems:
            return self._platform.refuse_body(problems)
        url = body.get("endpoint")
        status = self._webhooks.post(
            {"destination": self._platform.user_id, "events": []}, url if isinstance(url, str) else None
        )
        now = self._platform.clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
        reason = "OK" if status == 200 else ("COULD_NOT_CONNECT" if status == 0 else "ERROR_STATUS_CODE")
        return Answer(
            200,
            {"success": status == 200, "timestamp": now, "statusCode": status, "reason": reason, "detail": str(status)},
        )

    def _add_menu(self, body: Obj) -> Answer:
        problems = check("richmenu", body)
        if problems:
            return self._platform.refuse_body(problems)
        return Answer(200, {"richMenuId": self._platform.menus.add(body)})

    def _draw(self, menu_id: str) -> Answer:
        """Upload rich menu image: PNG or JPEG, at most 1 MB, once, in the size that the menu was made with."""
        menus = self._platform.menus
        menu = menus.get(menu_id)
        if menu is None:
            return NOT_FOUND
        if menus.picture(menu_id) is not None:
            return refused(400, "An image has already been uploaded to the richmenu")
        data = request.get_data()
        if request.mimetype not in ("image/png", "image/jpeg") or not 0 < len(data) <= PICTURE_BYTES:
            return self._platform.refuse("content", "a PNG or JPEG of at most 1 MB")
        wanted = menu["size"]
        if request.mimetype == "image/png" and isinstance(wanted, dict):
            width, height = struct.unpack(">II", data[16:24])
            if (width, height) != (wanted["width"], wanted["height"]):
                return self._platform.refuse("content", "the picture has another size than the menu")
        menus.draw(menu_id, MenuPicture(request.mimetype, data))
        return Answer(200)

    def _apply(self, user_id: str | None, menu_id: str) -> Answer:
        menus = self._platform.menus
        if menus.get(menu_id) is None:
            return NOT_FOUND
        if menus.picture(menu_id) is None:
            return refused(400, "must upload richmenu image before applying it to user")
        menus.set_default(menu_id) if user_id is None else menus.link(user_id, menu_id)
        return Answer(200)

    def _unset(self, user_id: str | None) -> Answer:
        menus = self._platform.menus
        menus.set_default(None) if user_id is None else menus.link(user_id, None)
        return Answer(200)


def _retry_key() -> str | None:
    return request.headers.get("X-Line-Retry-Key")


def _found(value: Obj | None) -> Answer:
    return NOT_FOUND if value is None else Answer(200, value)


def _menu_id(menu_id: str | None) -> Answer:
    return NOT_FOUND if menu_id is None else Answer(200, {"richMenuId": menu_id})


def _hang_up() -> None:
    """Breaks the connection under the server's feet (werkzeug's and gunicorn's name for it)."""
    connection = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
