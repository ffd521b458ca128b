"""Signed webhooks from a process of its own: a Job as JSON on standard input, a list of Acks on standard output.
Everything is made and signed before the clock starts, so that little of the two cores goes into the asking."""

import asyncio
import base64
import hmac
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

Obj = dict[str, Any]

TEXT: Obj = {"type": "message", "message": {"type": "text", "id": "1", "quoteToken": "q", "text": "こんにちは"}}
"""What most jobs send: a newcomer's first words."""

CROWD = 10**9
"""The number of the first of those who are known."""


@dataclass(frozen=True, slots=True)
class Job:
    """`people` tell `events` one after the other. Events are numbered from `first` on; no number is used twice in a run.
    The people are new (each bears the number of their first event), or those of every job with the same `crowd`, its
    members in turn. With `rate` (people a second) each begins at a fixed moment, however slow the answers are; otherwise
    `connections` ask one request after the other, for `seconds` at most."""

    port: int
    secret: str
    first: int
    people: int
    events: Sequence[Obj] = (TEXT,)
    crowd: int = 0
    connections: int = 16
    rate: float | None = None
    seconds: float = 60.0


class Ack(NamedTuple):
    """How one request was answered: its number, when it was due and answered (monotonic seconds), the status."""

    number: int
    due: float
    done: float
    status: int


_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def requests(job: Job) -> list[list[tuple[int, bytes]]]:
    """For each person the numbered requests in their order."""
    start = int(time.time() * 1000)
    every = len(job.events)
    made = []
    for person in range(job.people):
        first = job.first + person * every
        user = CROWD + person % job.crowd if job.crowd else first
        told = enumerate(job.events)
        made.append([(first + n, _request(job, user, first + n, event, start + n)) for n, event in told])
    return made


def _request(job: Job, user: int, number: int, event: Obj, at: int) -> bytes:
    full = {
        **event,
        "webhookEventId": f"01{number:024d}",
        "replyToken": f"{number:032x}",
        "deliveryContext": {"isRedelivery": False},
        "timestamp": at,
        "source": {"type": "user", "userId": f"U{user:032x}"},
        "mode": "active",
    }
    body = json.dumps({"destination": "U" + "b" * 32, "events": [full]}, ensure_ascii=False).encode()
    signature = base64.b64encode(hmac.digest(job.secret.encode(), body, "sha256")).decode()
    head = (
        f"POST /webhooks/line HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"User-Agent: LineBotWebhook/2.0\r\nX-Line-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Caller:
    """One connection, opened again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """The status; 0 when the connection broke."""
        try:
            if self._open is None:
                self._open = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._open
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if length:
                await reader.readexactly(int(length[1]))
            if b"connection: close" in head.lower():
                self.close()
            return int(head[9:12])
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


async def closed(job: Job) -> list[Ack]:
    """As fast as the answers come."""
    waiting = iter(requests(job))
    acks: list[Ack] = []
    end = time.monotonic() + job.seconds

    async def ask() -> None:
        caller = _Caller(job.port)
        for person in waiting:
            for number, request in person:
                due = time.monotonic()
                if due > end:
                    return
                status = await caller.ask(request)
                acks.append(Ack(number, due, time.monotonic(), status))
        caller.close()

    await asyncio.gather(*(ask() for _ in range(job.connections)))
    return acks


async def paced(job: Job, rate: float) -> list[Ack]:
    """At the job's rate. Waiting counts from the moment a request was due, so a stall is seen by all it delays."""
    people = requests(job)
    idle = [_Caller(job.port) for _ in range(job.connections)]
    start = time.monotonic() + 0.05

    async def ask(turn: int, number: int, request: bytes) -> Ack:
        due = start + turn / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        caller = idle.pop() if idle else _Caller(job.port)
        status = await caller.ask(request)
        idle.append(caller)
        return Ack(number, due, time.monotonic(), status)

    numbered = (one for person in people for one in person)
    return list(await asyncio.gather(*(ask(turn, *one) for turn, one in enumerate(numbered))))


def main() -> None:
    """One job."""
    job = Job(**json.load(sys.stdin))
    acks = asyncio.run(closed(job) if job.rate is None else paced(job, job.rate))
    json.dump(acks, sys.stdout)


def as_json(job: Job) -> str:
    """For standard input."""
    return json.dumps(asdict(job))


if __name__ == "__main__":
    main()
