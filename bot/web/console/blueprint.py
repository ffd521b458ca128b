"""The clinic's console, /console: everything that staff see and do."""

from collections.abc import Callable

from flask import Blueprint, Flask
from flask_bootstrap import Bootstrap5

from bot.access import Action
from bot.config import Settings
from bot.runtime import Runtime
from bot.web.console import (
    accounts,
    audit_page,
    bookings,
    broadcasts,
    calendar_page,
    chats,
    content_page,
    door,
    export,
    gate_page,
    guard,
    outcomes_page,
    own_account,
    patient,
    patients,
    tags_page,
    today,
    tokens_page,
)
from bot.web.console.visit import Nav, register_words

NAV = (
    Nav("console.today", "nav.today", "today", Action.SEE_TODAY),
    Nav("console.patients", "nav.patients", "patients", Action.SEE_PATIENTS),
    Nav("console.tags_page", "nav.tags", "tag", Action.SEE_PATIENTS),
    Nav("console.chats", "nav.chats", "chat", Action.TAKE_OVER),
    Nav("console.bookings_week", "nav.bookings", "calendar", Action.SEE_BOOKINGS),
    Nav("console.calendar", "nav.calendar", "clock", Action.EDIT_BOOKINGS),
    Nav("console.broadcasts", "nav.broadcasts", "broadcast", Action.SEE_BROADCASTS),
    Nav("console.outcomes_page", "nav.outcomes", "outcomes", Action.SEE_OUTCOMES),
    Nav("console.content_page", "nav.content", "content", Action.SEE_CONTENT),
    Nav("console.staff_list", "nav.staff", "staff", Action.MANAGE_STAFF),
    Nav("console.audit_log", "nav.audit", "audit", Action.SEE_AUDIT),
)
"""In the order of the navigation; `text` is a key of the console's texts, `icon` a symbol of its sprite."""


def install(web: Flask, runtime: Callable[[], Runtime], settings: Settings, working: Callable[[], bool] | None) -> None:
    """Adds the console to the web application. `working` as bot.web.health takes it."""
    web.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(web)
    console = Blueprint(
        "console",
        __name__,
        url_prefix="/console",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    limiter = guard.install(web, console, runtime, settings)
    register_words(console, runtime, NAV)
    door.register(console, runtime, limiter)
    today.register(console, runtime, working)
    for subject in (
        gate_page,
        patients,
        patient,
        chats,
        bookings,
        calendar_page,
        export,
        broadcasts,
        outcomes_page,
        content_page,
        tags_page,
        accounts,
        tokens_page,
        audit_page,
        own_account,
    ):
        subject.register(console, runtime)
    web.register_blueprint(console)
    guard.refuse_unmarked(web)
