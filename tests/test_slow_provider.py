"""LINE is slow, broken or away for a while: patients' messages are taken all the same, and answered when it is back."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from app import create_app, open_runtime
from bot.config import Settings
from bot.worker import Shift
from tests.test_webhooks import SECRET, Line, body_of, text_event
from tests.wire.line_platform import Answer, Platform, Request, platform

PEOPLE = 40
PATIENCE_SECONDS = 20.0

SENT = Answer(body={"sentMessages": [{"id": "1", "quoteToken": "q"}]})


def silent(do: Callable[[], Answer], _: int) -> Answer:
    """Done, but the answer comes only when the trouble is over."""
    do()
    return SENT


def broken(_: Callable[[], Answer], __: int) -> Answer:
    return Answer(503)


def cut_off(do: Callable[[], Answer], number: int) -> Answer:
    """Every second call is carried out before the connection breaks."""
    if number % 2:
        do()
    return Answer(cut="all")


Trouble = Callable[[Callable[[], Answer], int], Answer]


class Provider:
    """Keeps LINE's promises: a reply token works once, a retry key is known again. `phones` counts what arrived, by
    person."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble: Trouble | None = trouble
        self.calls = 0
        self.phones: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._spent: set[str] = set()
        self._back = threading.Event()

    def recover(self) -> None:
        self.trouble = None
        self._back.set()

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.calls += 1
            trouble = self.trouble
            if trouble is None:
                return self._carry_out(request)
            answer = trouble(lambda: self._carry_out(request), self.calls)
        if trouble is silent:
            self._back.wait(PATIENCE_SECONDS)
        return answer

    def _carry_out(self, request: Request) -> Answer:
        reply = request.path.endswith("/reply")
        token = request.body["replyToken"] if reply else request.headers["x-line-retry-key"]
        if token in self._spent:
            return Answer(400, {"message": "Invalid reply token"}) if reply else Answer(409)
        self._spent.add(token)
        self.phones[person(int(token)) if reply else request.body["to"]] += 1
        return SENT


def person(number: int) -> str:
    return f"U{number:032x}"


@pytest.fixture
def line(provider: Provider, database_url: str) -> Iterator[Line]:
    """The whole bot at work, with LINE in the hands of `provider`."""
    with platform(provider.answer) as there:
        runtime = open_runtime(_settings(database_url, there))
        shift = Shift(runtime)
        with shift.working():
            yield Line(create_app(runtime=runtime, working=shift.alive).test_client())
        runtime.db.close()


@pytest.fixture
def provider(request: pytest.FixtureRequest) -> Provider:
    return Provider(request.param)


@pytest.mark.parametrize("provider", [silent, broken, cut_off], indirect=True)
def test_messages_are_taken_while_line_is_in_trouble_and_each_is_answered_once_when_it_is_back(
    line: Line, provider: Provider
) -> None:
    for number in range(1, PEOPLE + 1):
        assert line.post(body_of(text_event("こんにちは", number, person(number)))).status_code == 200
    assert wait_until(lambda: provider.calls > 0)
    provider.recover()
    wait_until(lambda: len(provider.phones) == PEOPLE)
    assert provider.phones == {person(number): 1 for number in range(1, PEOPLE + 1)}
    assert wait_until(lambda: _waiting(line) == 0)
    assert set(provider.phones.values()) == {1}


def wait_until(true: Callable[[], bool]) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _waiting(line: Line) -> int:
    """What still waits to be sent, or is being sent, as an operator sees it."""
    metrics = line.client.get("/metrics").get_data(as_text=True).splitlines()
    queues = [one for one in metrics if one.startswith("queue_length") and "alerts" not in one]
    assert len(queues) == 4
    return round(sum(float(one.rsplit(" ", 1)[1]) for one in queues))


def _settings(database_url: str, there: Platform) -> Settings:
    return Settings(
        database_url=database_url,
        secret_key=SecretStr("s"),
        public_url="http://127.0.0.1:1",
        line_channel_secret=SecretStr(SECRET),
        line_channel_access_token=SecretStr("t"),
        line_api_url=there.url,
    )
