"""`flask line setup`: the rich menu and the webhook address at LINE. Run twice it changes nothing.

This module loads the SDK's sending side, which is large: import it where the command runs, not where the bot starts.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linebot.v3 import messaging as sdk
from urllib3.exceptions import HTTPError

from bot.channels.line import menu_picture
from bot.channels.line.channel import fetchable
from bot.channels.line.limits import (
    CHAT_BAR_CLUSTERS,
    LABEL_CLUSTERS,
    MENU_NAME_CLUSTERS,
    MENU_PICTURE_BYTES,
    cut_to_clusters,
)
from bot.config import Settings
from bot.content.model import Content, Menu
from bot.messages import CommandToken, encode_token

NAME_PREFIX = "selfcare-guide"
"""Menus whose names begin like this were made here and may be removed here; all others are left alone."""

WEBHOOK_PATH = "/webhooks/line"
TIMEOUT = (3.0, 30.0)
"""Seconds to connect and to wait for an answer: LINE's webhook test waits for the bot itself."""

Say = Callable[[str], None]


class _SetupError(Exception):
    """A sentence for the operator."""


def set_up(settings: Settings, content: Content, say: Say) -> bool:
    """Menu, webhook address, test. False when something is left to do; `say` has told what, in a sentence."""
    try:
        _require(settings)
        line = _Line(settings)
        _install_menu(line, content.menu, settings.content_dir / "media", say)
        return _install_webhook(line, settings.public_url + WEBHOOK_PATH, say)
    except _SetupError as error:
        say(str(error))
    except sdk.ApiException as error:
        say(_explained(error))
    except HTTPError as error:
        say(f"LINE could not be reached at {settings.line_api_url} ({type(error).__name__}). Try again later.")
    return False


def _require(settings: Settings) -> None:
    if not settings.line_channel_access_token.get_secret_value():
        raise _SetupError("Set LINE_CHANNEL_ACCESS_TOKEN: LINE Developers Console, tab Messaging API, at the bottom.")
    if not settings.public_url:
        raise _SetupError("Set PUBLIC_URL to the https address under which LINE reaches this server.")
    if not fetchable(settings.public_url, settings.line_api_url):
        raise _SetupError(f"PUBLIC_URL is {settings.public_url}, but LINE calls https addresses only.")


class _Line:
    """The SDK's two clients: LINE has one host for calls and one for pictures."""

    def __init__(self, settings: Settings) -> None:
        token = settings.line_channel_access_token.get_secret_value()
        self.api = sdk.MessagingApi(_client(settings.line_api_url, token))
        self.pictures = sdk.MessagingApiBlob(_client(settings.line_data_api_url, token))


def _client(host: str, token: str) -> Any:
    return sdk.ApiClient(sdk.Configuration(host=host, access_token=token))


# --- the menu --------------------------------------------------------------------------------------------------------


def _install_menu(line: _Line, menu: Menu, media: Path, say: Say) -> None:
    listed = line.api.get_rich_menu_list(_request_timeout=TIMEOUT).richmenus
    ours = [one for one in listed if one.name.startswith(NAME_PREFIX)]
    picture = _drawn(menu, media)
    request = _request(menu, picture)
    present = next((one.rich_menu_id for one in ours if one.name == request.name), None)
    menu_id = present or line.api.create_rich_menu(request, _request_timeout=TIMEOUT).rich_menu_id
    if present is None or not _found(lambda: line.pictures.get_rich_menu_image(menu_id, _request_timeout=TIMEOUT)):
        headers = {"Content-Type": "image/png"}
        line.pictures.set_rich_menu_image(menu_id, picture, _headers=headers, _request_timeout=TIMEOUT)
    say("Rich menu: up to date." if present else "Rich menu: drawn and uploaded.")
    default = _found(lambda: line.api.get_default_rich_menu_id(_request_timeout=TIMEOUT).rich_menu_id)
    if default != menu_id:
        line.api.set_default_rich_menu(menu_id, _request_timeout=TIMEOUT)
        say("Rich menu: every patient sees it now.")
    for old in ours:
        if old.rich_menu_id != menu_id:
            line.api.delete_rich_menu(old.rich_menu_id, _request_timeout=TIMEOUT)
            say("Rich menu: an earlier one of ours was removed.")


def _drawn(menu: Menu, media: Path) -> bytes:
    try:
        picture = menu_picture.draw(menu, media)
    except OSError as error:
        raise _SetupError(f"An icon of content/menu.toml cannot be read: {error}") from error
    if len(picture) > MENU_PICTURE_BYTES:
        raise _SetupError(
            f"The menu's picture has {len(picture)} bytes, LINE takes {MENU_PICTURE_BYTES}: simplify icons."
        )
    return picture


def _request(menu: Menu, picture: bytes) -> Any:
    """The name holds a hash of everything that makes the menu, so that a change makes another menu."""
    areas = [
        sdk.RichMenuArea(
            bounds=sdk.RichMenuBounds(x=left, y=top, width=right - left, height=bottom - top),
            action=sdk.PostbackAction(
                label=cut_to_clusters(area.label.ja, LABEL_CLUSTERS),
                data=encode_token(CommandToken(area.command)),
                displayText=area.label.ja,
            ),
        )
        for (left, top, right, bottom), area in zip(menu_picture.boxes(), menu.areas, strict=True)
    ]
    width, height = menu_picture.SIZE
    request = sdk.RichMenuRequest(
        size=sdk.RichMenuSize(width=width, height=height),
        selected=True,
        name=NAME_PREFIX,
        chatBarText=cut_to_clusters(menu.chat_bar.ja, CHAT_BAR_CLUSTERS),
        areas=areas,
    )
    digest = hashlib.sha256(request.to_json().encode() + picture).hexdigest()[:16]
    request.name = cut_to_clusters(f"{NAME_PREFIX} {digest} {menu.name}", MENU_NAME_CLUSTERS)
    return request


# --- the webhook -----------------------------------------------------------------------------------------------------


def _install_webhook(line: _Line, url: str, say: Say) -> bool:
    known = _found(lambda: line.api.get_webhook_endpoint(_request_timeout=TIMEOUT))
    if known is None or known.endpoint != url:
        line.api.set_webhook_endpoint(sdk.SetWebhookEndpointRequest(endpoint=url), _request_timeout=TIMEOUT)
        say(f"Webhook: LINE calls {url} from now on.")
    else:
        say(f"Webhook: LINE calls {url}.")
    test = line.api.test_webhook_endpoint(sdk.TestWebhookEndpointRequest(endpoint=url), _request_timeout=TIMEOUT)
    if not test.success:
        say(
            f"Webhook: the test failed, LINE says {test.reason} (status {test.status_code}). Is the bot running, does "
            f"{url} reach it from outside, and is LINE_CHANNEL_SECRET this channel's?"
        )
        return False
    say("Webhook: LINE reached the bot.")
    if known is not None and not known.active:
        say("Webhook: switched off at LINE. Turn on 'Use webhook': LINE Developers Console, tab Messaging API.")
        return False
    return True


def _found(ask: Callable[[], Any]) -> Any:
    """None when LINE answers that there is no such thing."""
    try:
        return ask()
    except sdk.ApiException as error:
        if error.status == 404:
            return None
        raise


def _explained(error: Any) -> str:
    match error.status:
        case 401 | 403:
            return (
                f"LINE refused the channel access token (status {error.status}). Issue a new one in the LINE "
                "Developers Console, tab Messaging API, and set LINE_CHANNEL_ACCESS_TOKEN."
            )
        case 429:
            return "LINE has had too many calls: menus can be made and removed 100 times an hour. Try again later."
        case 0:
            return "LINE could not be reached safely: its certificate was not accepted."
        case status:
            return f"LINE refused (status {status}): {error.body or error.reason}"
