"""A program that uses the API in the name of one of the staff."""

from collections.abc import Collection
from typing import Any

from werkzeug.test import Client, TestResponse

from bot import staff, tokens
from bot.access import SCOPES, Action, Role
from bot.simulator.demo import Demo

ROOT = "/api/v1"


class Program:
    """Has a token with these scopes, owned by somebody of that role."""

    def __init__(self, demo: Demo, role: Role = Role.OWNER, scopes: Collection[Action] = SCOPES) -> None:
        self.web, self.name = Client(demo.bot.wsgi), f"program {role.value}"
        runtime = demo.bot.runtime
        with runtime.db.write() as tx:
            owner = staff.named(tx, self.name)
            if owner is None:
                staff.add(tx, runtime.now(), "test", self.name, role, staff.fresh_password())
                owner = staff.named(tx, self.name)
            assert owner is not None
            self.owner = owner
            self.token_id, self.key = tokens.make(tx, runtime.now(), "test", owner, "sample", scopes)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        """Sends a request; a body goes as JSON."""
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        return self.web.open(ROOT + path, method=method, headers=headers, json=body)

    def get(self, path: str) -> Any:
        """What is there. Fails when it is refused."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def post(self, path: str, body: object = None, status: int = 200) -> Any:
        """What came of it. Fails when it ends with another status."""
        answer = self.ask("POST", path, body)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json(force=True)
