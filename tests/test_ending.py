"""A process that is told to end."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from bot.ending import told_to_end


@pytest.fixture(autouse=True)
def _handlers_as_before() -> Iterator[None]:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_told_to_end_before_it_waits_does_not_wait(one: signal.Signals) -> None:
    end = told_to_end()
    os.kill(os.getpid(), one)
    assert end() == one


def test_a_process_that_waits_is_woken() -> None:
    end = told_to_end()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert end() == signal.SIGTERM
