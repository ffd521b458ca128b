"""One look at the console: who looks, in which language, and what every page shows around its own matter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, session, url_for
from flask_login import UserMixin, current_user
from flask_wtf.csrf import generate_csrf

from bot import gate
from bot.access import Action, may
from bot.runtime import Runtime
from bot.staff import Account
from bot.web.console.texts import Say, speaker

View = TypeVar("View", bound=Callable[..., Any])
House = Callable[[], Runtime]
"""The running program, once there is a request."""


@dataclass(frozen=True, slots=True)
class Nav:
    """A line of the navigation: the endpoint it leads to, shown to those who may."""

    endpoint: str
    text: str
    icon: str
    action: Action


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """One of the staff in this browser."""

    account: Account
    key: str

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the session's key."""
        return self.key


def needs(action: Action) -> Callable[[View], View]:
    """Marks a view with what one must be allowed to open it. Every view of the console has this or `open_to_all`."""

    def mark(view: View) -> View:
        view.needed = action  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """For the sign-in only."""
    view.needed = None  # type: ignore[attr-defined]
    return view


def requirement(view: Callable[..., Any]) -> Action | None:
    """What a view was marked with; None when it is open to all. Raises AttributeError when it was not marked."""
    found: Action | None = view.needed  # type: ignore[attr-defined]
    return found


def unattended(view: View) -> View:
    """Asked for by the page itself: it keeps nobody signed in."""
    view.unattended = True  # type: ignore[attr-defined]
    return view


def me() -> Account:
    """Who is signed in. Only inside views that need an action."""
    signed_in: SignedIn = current_user._get_current_object()  # noqa: SLF001 - Flask-Login's documented way
    return signed_in.account


def allowed(action: Action) -> bool:
    """Whether who is signed in may do that."""
    return may(me().role, action)


def say() -> Say:
    """Speaks the language of who looks; before the sign-in the browser's choice, which is Japanese if unset."""
    if current_user.is_authenticated:
        return speaker(me().locale)
    return speaker("en" if session.get("locale") == "en" else "ja")


def masked() -> bool:
    """Whether names, numbers and addresses of patients are hidden in this browser."""
    return bool(session.get("masked"))


def page(template: str, status: int = 200, **values: object) -> Response:
    """A page of the console."""
    return Response(render_template(f"console/{template}.html", **values), status)


def part(template: str, **values: object) -> Response:
    """A piece of a page that renews itself. The same stamp means that nothing has changed."""
    html = render_template(f"console/{template}.html", **values)
    response = Response(html)
    response.headers["X-Stamp"] = sha256(html.replace(generate_csrf(), "").encode()).hexdigest()[:32]
    return response


def go(endpoint: str, told: str = "", **values: Any) -> Response:
    """On to another page of the console, where the sentence with that key is said once."""
    if told:
        flash(told)
    return redirect(url_for(f"console.{endpoint}", **values), 303)  # type: ignore[return-value]


def register_words(console: Blueprint, house: House, nav: tuple[Nav, ...]) -> None:
    """What every template may use."""

    @console.context_processor
    def words() -> dict[str, object]:
        runtime = house()
        zone = ZoneInfo(runtime.content.clinic.time_zone)
        t = say()
        around: dict[str, object] = {
            "t": t,
            "clinic": runtime.content.clinic,
            "Action": Action,
            "now": runtime.now(),
            "once": lambda: str(runtime.new_uuid()),
            "local": lambda at: at.astimezone(zone),
            "moment": lambda at: moment(at, zone),
            "day": lambda at: "{0.year}/{0.month}/{0.day}".format(at.astimezone(zone)),
            "clock": lambda at: f"{at.astimezone(zone):%H:%M}",
        }
        if not current_user.is_authenticated:
            return {**around, "locale": "en" if session.get("locale") == "en" else "ja"}
        with runtime.db.read() as look:
            now_gate = gate.current(look, runtime.settings)
        return {
            **around,
            "locale": me().locale,
            "me": me(),
            "may": allowed,
            "masked": masked(),
            "gate": now_gate.value,
            "nav": [one for one in nav if allowed(one.action)],
        }


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """A local day and minute that Japanese and English read alike; nothing for what has not come."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    return f"{local.year}/{local.month}/{local.day} {local:%H:%M}"
