"""The bot and the platform in one process on one loopback port: where `flask demo`, `flask chat` and tests live."""

import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import urllib3
from flask import Flask
from pydantic import SecretStr

from bot import staff
from bot.access import Role
from bot.config import TRY_IT, Settings
from bot.runtime import Runtime
from bot.simulator.clock import Clock
from bot.simulator.endpoints import API, DATA, Endpoints
from bot.simulator.inspector import Inspector
from bot.simulator.page import Page
from bot.simulator.platform import Platform
from bot.simulator.server import Server, address
from bot.simulator.slack.endpoints import API as SLACK_API
from bot.simulator.slack.endpoints import Endpoints as SlackEndpoints
from bot.simulator.slack.grants import Grants
from bot.simulator.slack.page import STAFF as SLACK_STAFF
from bot.simulator.slack.page import Page as SlackPage
from bot.simulator.slack.webhooks import Webhooks as SlackWebhooks
from bot.simulator.slack.workspace import STAFF_CHANNEL, Workspace
from bot.simulator.webhooks import Webhooks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WEBHOOK: Final = "/webhooks/line"
SLACK_WEBHOOK: Final = "/webhooks/slack"
WEBHOOK_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot as the composition root builds it. `working` runs its worker while entered; `drain` does everything that
    is due now, in the caller's thread."""

    wsgi: "WSGIApplication"
    runtime: Runtime
    working: Callable[[], AbstractContextManager[object]]
    drain: Callable[[], None]


EMPLOYER: Final = "T0SAMPLE02"
"""A second workspace, which the app is not installed to until its administrator does so."""

OURS: Final = ("/simulator/", "/line/", "/slack/api/", "/slack/respond/", "/slack/oauth/")

Build = Callable[[Settings, Callable[[], datetime]], Bot]
"""Made in app.py; the second argument is the clock."""


class Demo:
    """The bot with its real settings for LINE and Slack, pointed at the platforms in miniature."""

    def __init__(
        self, build: Build, listener: socket.socket, *, database_url: str, content_dir: Path, clock: Clock | None = None
    ) -> None:
        self.url = address(listener)
        self.clock = clock or Clock()
        secret, token = secrets.token_hex(16), secrets.token_hex(32)
        slack_secret, slack_token = secrets.token_hex(16), f"xoxb-{secrets.token_hex(16)}"
        grants = Grants(f"{self.url}/slack/oauth_redirect")
        settings = Settings(
            database_url=database_url,
            secret_key=SecretStr(secrets.token_hex(32)),
            public_url=self.url,
            line_channel_secret=SecretStr(secret),
            line_channel_access_token=SecretStr(token),
            line_api_url=self.url + API,
            line_data_api_url=self.url + DATA,
            slack_signing_secret=SecretStr(slack_secret),
            slack_bot_token=SecretStr(slack_token),
            slack_api_url=self.url + SLACK_API,
            slack_staff_channel=STAFF_CHANNEL,
            slack_client_id=grants.client_id,
            slack_client_secret=SecretStr(grants.client_secret),
            content_dir=content_dir,
            send_gate="on",
        )
        self.bot = build(settings, self.clock.now)
        content = self.bot.runtime.content
        self._web = urllib3.PoolManager(retries=False, timeout=WEBHOOK_SECONDS)
        self.platform = Platform(self.clock, name=content.clinic.name.ja)
        self.platform.endpoint = self.url + WEBHOOK
        self.webhooks = Webhooks(self.platform, secret=secret, post=self._post)
        self.slack = Workspace(self.clock, token=slack_token)
        self.employer = Workspace(self.clock, team=EMPLOYER, name="見本の勤め先(サンプル)")
        self.slack_hooks, self.employer_hooks = (
            SlackWebhooks(one, secret=slack_secret, url=self.url + SLACK_WEBHOOK, base_url=self.url, post=self._post)
            for one in (self.slack, self.employer)
        )
        self.clock.on_move(self.bot.runtime.wake)
        page = Page(
            self.platform,
            self.webhooks,
            menu=content.menu,
            inspect=Inspector(self.bot.runtime.db),
            public_url=self.url,
        )
        slack = SlackEndpoints((self.slack, self.employer), grants)
        window = SlackPage(self.slack, self.slack_hooks, content.clinic.name.ja, self.url)
        self._server = Server(_beside(self._own(page, token, slack, window), self.bot.wsgi), listener)

    def __enter__(self) -> "Demo":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._web.clear()

    def give_staff_sign_in(self, name: str) -> str:
        """A password for an owner of the console with that name, made now and stored nowhere else."""
        runtime, password = self.bot.runtime, staff.fresh_password()
        with runtime.db.write() as tx:
            account = staff.named(tx, name)
            if account is None:
                staff.add(tx, runtime.now(), "demo", name, Role.OWNER, password)
            else:
                staff.set_password(tx, runtime.now(), "demo", account, password)
        return password

    def list_slack_staff(self) -> None:
        """Whoever sits in the staff's channel is one of the console's people, who may use /tip."""
        runtime, name = self.bot.runtime, "slack"
        with runtime.db.write() as tx:
            if staff.named(tx, name) is None:
                staff.add(tx, runtime.now(), "demo", name, Role.THERAPIST, staff.fresh_password())
            staff.set_slack_member(tx, runtime.now(), "demo", name, self.slack.add(SLACK_STAFF).user_id)

    def _own(self, page: Page, token: str, slack: SlackEndpoints, window: SlackPage) -> Flask:
        endpoints = Endpoints(self.platform, self.webhooks, token)
        app = Flask("bot.simulator", static_folder=None)
        for blueprint in (endpoints.api(), endpoints.data(), slack.blueprint(), window.blueprint(), page.blueprint()):
            app.register_blueprint(blueprint)
        return app

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            return self._web.request("POST", url, body=body, headers=headers).status
        except urllib3.exceptions.HTTPError as error:
            raise OSError(str(error)) from error


def _beside(own: Flask, bot: "WSGIApplication") -> "WSGIApplication":
    """`/`, `/simulator` and the platform's paths are ours, everything else is the bot's own app as it always is."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        ours = path == "/" or path.startswith(OURS)
        return _whole(own.wsgi_app(environ, start_response) if ours else bot({**environ, TRY_IT: "/"}, start_response))

    return app


def _whole(answer: Iterable[bytes]) -> Iterable[bytes]:
    """Read and closed at once: the server forgets to close a file when the browser has gone away meanwhile."""
    try:
        return [b"".join(answer)]
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
