"""`/slack/install` and `/slack/oauth_redirect`: an administrator takes the app into their workspace."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from flask import Blueprint, Response, render_template, request
from werkzeug.urls import iri_to_uri

from bot.channels.slack.oauth import INSTALL, REDIRECT, Door, Step
from bot.content.basis import Wording
from bot.messages import LOCALES, Locale
from bot.runtime import Runtime
from bot.web.care.blueprint import POLICY
from bot.web.care.visit import speaker
from bot.workspaces import Register

log = structlog.get_logger()

DONE = Wording(ja="Slack につながりました", en="Connected to Slack")
NOT_DONE = Wording(ja="つながりませんでした", en="Not connected")
ENDINGS: Mapping[str, Wording] = {
    "installed": Wording(
        ja="このワークスペースの皆さんは、Slack で /selfcare と入力すると始められます。この画面は閉じてかまいません。",
        en="Everybody in this workspace can begin by typing /selfcare in Slack. You can close this page.",
    ),
    "access_denied": Wording(
        ja="許可されなかったので、何も変わっていません。",
        en="It was not allowed, so nothing has changed.",
    ),
    "by_settings": Wording(
        ja="このワークスペースは、すでに設定（SLACK_BOT_TOKEN）でつながっています。何も変わっていません。",
        en="This workspace is served by the setting SLACK_BOT_TOKEN already. Nothing has changed.",
    ),
    "whole_organisation": Wording(
        ja="組織全体へのインストールはできません。ワークスペースを1つ選んでください。",
        en="The app cannot be installed to a whole organisation. Please choose one workspace.",
    ),
    "rotation": Wording(
        ja="トークンのローテーションには対応していません。アプリの設定で切ってください。",
        en="Token rotation is not supported. Please switch it off in the app's settings.",
    ),
    "no_answer": Wording(
        ja="Slack から返事がありませんでした。少し待って、もう一度お試しください。",
        en="Slack did not answer. Please try again in a little while.",
    ),
}
AGAIN = Wording(
    ja="この画面は期限が切れたか、一度使われています。はじめからもう一度お試しください。",
    en="This page has expired or was used already. Please begin again.",
)


def blueprint(runtime: Runtime) -> Blueprint:
    """Needs no sign-in: Slack asks whether the person may install apps there."""
    pages = Blueprint("slack_install", __name__)
    settings = runtime.settings
    door = Door(
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret.get_secret_value(),
        api_url=settings.slack_api_url,
        public_url=settings.public_url,
        book=Register(runtime),
    )

    @pages.get(INSTALL)
    def install() -> Response:
        return _go_on(door.begin(request.args.get("team", "")))

    @pages.get(REDIRECT)
    def oauth_redirect() -> Response:
        step = door.end(request.args.to_dict(), request.headers.get("Cookie", ""))
        log.info("slack_installation", ending=step.ending)
        return _notice(runtime, step)

    return pages


def _go_on(step: Step) -> Response:
    response = Response(status=step.status)
    response.headers["Location"] = iri_to_uri(step.location)
    _remember(response, step.cookie)
    response.headers["Cache-Control"] = "no-store"
    return response


def _notice(runtime: Runtime, step: Step) -> Response:
    locale: Locale = "en" if request.accept_languages.best_match(LOCALES, "ja") == "en" else "ja"
    html = render_template(
        "care/notice.html",
        locale=locale,
        say=speaker(locale),
        pages=runtime.content.pages,
        clinic=runtime.content.clinic,
        chat=None,
        title=(DONE if step.status == HTTPStatus.OK and step.ending == "installed" else NOT_DONE).to(locale),
        text=ENDINGS.get(step.ending, AGAIN).to(locale),
        way=None,
        root="../",
    )
    response = Response(html, step.status)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    _remember(response, step.cookie)
    return response


def _remember(response: Response, cookie: str) -> None:
    """Slack's way back is a plain link, so a cookie that other sites' forms do not carry comes along all the same."""
    if cookie:
        response.headers["Set-Cookie"] = f"{cookie}; SameSite=Lax"
