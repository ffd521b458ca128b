"""Somebody of the clinic's staff at a browser, without the browser: forms are found on the page and sent as they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from werkzeug.test import Client, TestResponse

from bot import staff
from bot.access import Role
from bot.simulator.demo import Demo

PASSWORD = "a quiet morning walk"


@dataclass
class Form:
    """A form as it stands on a page: where it goes, and every field with its value."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self._select: tuple[Form, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._open)
            self._by_id[found.get("id", "")] = self._open
            return
        form = self._by_id.get(found["form"]) if "form" in found else self._open
        if form is None:
            return
        name, value = found.get("name", ""), found.get("value", "")
        if tag == "input" and found.get("type") in ("checkbox", "radio"):
            if "checked" in found:
                form.fields[name] = value
        elif tag in ("input", "textarea") and name:
            form.fields[name] = value
        elif tag == "select":
            self._select = (form, name)
        elif tag == "option" and self._select is not None:
            chosen, select = self._select
            if select not in chosen.fields or "selected" in found:
                chosen.fields[select] = value
        elif tag == "button":
            form.buttons.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None


def forms(html: str) -> list[Form]:
    """Every form of a page."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


class Member:
    """One of the staff."""

    def __init__(self, demo: Demo, role: Role = Role.OWNER, name: str = "") -> None:
        self.demo = demo
        self.name = name or f"sample {role.value}"
        self.web = Client(demo.bot.wsgi)
        runtime = demo.bot.runtime
        with runtime.db.write() as tx:
            if staff.named(tx, self.name) is None:
                staff.add(tx, runtime.now(), "test", self.name, role, PASSWORD)

    def sign_in(self, password: str = PASSWORD) -> TestResponse:
        """By the form."""
        return self.send("/console/sign-in", {"name": self.name, "password": password}, "/console/sign-in")

    def get(self, path: str) -> TestResponse:
        """A page, as it is."""
        return self.web.get(path)

    def see(self, path: str) -> str:
        """A page's text. Fails when there is none."""
        found = self.get(path)
        assert found.status_code == 200, (path, found.status_code)
        return found.get_data(as_text=True)

    def form(self, page: str, action: str) -> Form:
        """The form on that page that goes to `action`."""
        for form in forms(self.see(page)):
            if form.action == action:
                return form
        raise AssertionError(f"no form to {action} on {page}")

    def send(self, action: str, values: Mapping[str, str], page: str, **headers: str) -> TestResponse:
        """Fills in the form of that page and sends it."""
        form = self.form(page, action)
        return self.web.post(action, data={**form.fields, **values}, headers=headers)


def signed_in(demo: Demo, role: Role = Role.OWNER, name: str = "") -> Member:
    """Somebody of that role, past the door."""
    member = Member(demo, role, name)
    assert member.sign_in().status_code == 303
    return member
