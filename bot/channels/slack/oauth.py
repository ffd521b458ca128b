"""Installing the app into a workspace: slack-bolt's OAuth flow over a book of workspaces that the caller keeps."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Bot, Installation, InstallationStore
from slack_sdk.oauth.state_store import OAuthStateStore
from slack_sdk.web import WebClient

from bot.channels.slack.book import STATE_SECONDS, Book, Installed, Unwanted
from bot.channels.slack.fields import ident

SCOPES = (
    "app_mentions:read",
    "channels:read",
    "chat:write",
    "commands",
    "groups:read",
    "im:history",
    "im:write",
    "users:read",
)
"""What slack-manifest.yml asks for."""

ANSWER_SECONDS = 8

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"


@dataclass(frozen=True, slots=True)
class Step:
    """What the installer's browser is told: to go to `location`, or how it ended, in one word. `cookie` is a whole
    Set-Cookie header."""

    status: int
    ending: str = ""
    location: str = ""
    cookie: str = ""


class Door:
    """Begins an installation and ends it. Calls Slack once or twice, outside any transaction."""

    def __init__(self, *, client_id: str, client_secret: str, api_url: str, public_url: str, book: Book) -> None:
        logger = logging.getLogger("bot.channels.slack.oauth")
        logger.disabled = True  # it logs codes
        self._flow = OAuthFlow(
            client=WebClient(base_url=api_url, timeout=ANSWER_SECONDS, logger=logger),
            logger=logger,
            settings=OAuthSettings(
                client_id=client_id,
                client_secret=client_secret,
                scopes=SCOPES,
                user_scopes=(),
                redirect_uri=public_url + REDIRECT,
                install_page_rendering_enabled=False,
                authorization_url=api_url.removesuffix("/api") + "/oauth/v2/authorize",
                installation_store=Store(book),
                state_store=_States(book),
                state_expiration_seconds=STATE_SECONDS,
                callback_options=CallbackOptions(success=_success, failure=_failure),
                logger=logger,
            ),
        )

    def begin(self, team: str = "") -> Step:
        """On to Slack, with a state. `team` suggests a workspace."""
        query: dict[str, Sequence[str]] = {"team": [team]} if ident(team) else {}
        answer = self._flow.handle_installation(BoltRequest(body="", query=query))
        return Step(answer.status, location=_first(answer, "location"), cookie=_first(answer, "set-cookie"))

    def end(self, query: Mapping[str, str], cookie: str) -> Step:
        """Back from Slack. The same address a second time installs nothing."""
        asked: dict[str, Sequence[str]] = {name: [value] for name, value in query.items()}
        try:
            answer = self._flow.handle_callback(BoltRequest(body="", query=asked, headers={"cookie": [cookie]}))
        except (SlackClientError, OSError):  # no answer, or none that can be read
            return Step(502, "no_answer")
        return Step(answer.status, answer.body, cookie=self._flow.settings.state_utils.build_set_cookie_for_deletion())


class _Refused(BoltError):
    """Unwanted, as bolt hands it on."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _success(_: SuccessArgs) -> BoltResponse:
    return BoltResponse(status=200, body="installed")


def _failure(args: FailureArgs) -> BoltResponse:
    if isinstance(args.error, _Refused):
        return BoltResponse(status=409, body=args.error.why)
    word = args.reason if re.fullmatch(r"[a-z_]{1,40}", args.reason) else "unknown"
    return BoltResponse(status=args.suggested_status_code, body=word)


def _first(answer: BoltResponse, header: str) -> str:
    return str(next(iter(answer.headers.get(header, ())), ""))


class _States(OAuthStateStore):
    def __init__(self, book: Book) -> None:
        self._book = book

    def issue(self, *_: object, **__: object) -> str:
        return self._book.issue()

    def consume(self, state: str) -> bool:
        return self._book.consume(state)


class Store(InstallationStore):
    """The SDK's interface over the book. A workspace has one installation, whoever made it; no member's own token is asked
    for, so none is kept."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def save(self, installation: Installation) -> None:
        """Raises BoltError for what this app cannot serve."""
        try:
            self._keep(installation)
        except Unwanted as unwanted:
            raise _Refused(unwanted.why) from unwanted

    def _keep(self, installation: Installation) -> None:
        team, token = ident(installation.team_id), installation.bot_token
        if installation.is_enterprise_install or not team:
            raise Unwanted("whole_organisation")
        if installation.bot_token_expires_at is not None:
            raise Unwanted("rotation")
        if not token:
            raise Unwanted("no_token")
        self._book.keep(
            Installed(
                team,
                installation.team_name or "",
                token,
                app=installation.app_id or "",
                bot=installation.bot_id or "",
                bot_user=installation.bot_user_id or "",
                scopes=",".join(installation.bot_scopes or ()),
                by=ident(installation.user_id),
                at=self._book.now(),
            )
        )

    def find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        installation = self.find_installation(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return None if installation is None else installation.to_bot()

    def find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        found = None if is_enterprise_install or team_id is None else self._book.find(team_id)
        if found is None or user_id not in (None, found.by):
            return None
        make = partial(Installation, enterprise_id=enterprise_id, team_id=found.team, team_name=found.name)
        return make(
            app_id=found.app,
            bot_token=found.token,
            bot_id=found.bot,
            bot_user_id=found.bot_user,
            bot_scopes=found.scopes,
            user_id=found.by,
            installed_at=found.at.timestamp(),
        )

    def delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        if team_id is not None:
            self._book.strike(team_id)

    def delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """A member who leaves takes nothing along: the app stays in their workspace."""
        if user_id is None:
            self.delete_bot(enterprise_id=enterprise_id, team_id=team_id)
