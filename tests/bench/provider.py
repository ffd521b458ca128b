"""LINE's sending endpoints in a process of their own: `python -m tests.bench.provider PORT`. A reply token works once, a
retry key is known again, every call takes as long and ends as it is told (POST /control). What arrived can be counted
(GET /count) and read (GET /arrivals/FIRST): for each event or person from FIRST on its number, the moment and the way.
Numbers are those of `tests.bench.load`. Calls to many are counted apart (GET /multicasts): accepted, refused because their
key was known, people reached, people reached more than once; reading them begins anew (GET /multicasts/reset)."""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Manner = Literal["well", "error", "drop"]
"""How calls end: carried out; status 500; broken off, every second time after it was carried out."""

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_KEY = re.compile(rb"x-line-retry-key: *(\S+)", re.IGNORECASE)
_SENT = b'{"sentMessages":[{"id":"1","quoteToken":"q"}]}'
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 409: "Conflict", 500: "Internal Server Error"}


@dataclass
class Provider:
    """`seconds` is what a call takes."""

    seconds: float = 0.1
    manner: Manner = "well"
    arrivals: list[tuple[int, float, str]] = field(default_factory=list)
    calls: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    repeated: int = 0
    _seen: set[str] = field(default_factory=set)

    def send(self, way: str, body: bytes, key: str) -> tuple[int, bytes]:
        """A reply or a push; status 0 breaks the connection."""
        self.calls += 1
        if self.manner == "error":
            return 500, b'{"message":"Internal Server Error"}'
        if self.manner == "drop" and self.calls % 2:
            return 0, b""
        status, answer = self._carry_out(way, json.loads(body), key)
        return (0, b"") if self.manner == "drop" else (status, answer)

    def _carry_out(self, way: str, body: dict[str, Any], key: str) -> tuple[int, bytes]:
        if way == "multicast":
            return self._to_many(body["to"], key)
        token = body["replyToken"] if way == "reply" else key
        if token in self._seen:
            return (400, b'{"message":"Invalid reply token"}') if way == "reply" else (409, _SENT)
        self._seen.add(token)
        number = int(token if way == "reply" else body["to"][1:], 16)
        self.arrivals.append((number, time.monotonic(), way))
        return 200, _SENT

    def _to_many(self, to: Sequence[str], key: str) -> tuple[int, bytes]:
        if key in self._seen:
            self.repeated += 1
            return 409, b'{"message":"The retry key is already accepted"}'
        self._seen.add(key)
        self.accepted += 1
        self.reached.update(to)
        return 200, b"{}"

    def multicasts(self, reset: bool) -> bytes:
        """Counted since the last reset."""
        twice = sum(times > 1 for times in self.reached.values())
        found = {"accepted": self.accepted, "repeated": self.repeated, "people": len(self.reached), "twice": twice}
        if reset:
            self.accepted = self.repeated = 0
            self.reached.clear()
        return json.dumps(found).encode()

    def control(self, body: bytes) -> None:
        """Takes {"seconds": ..., "manner": ...}."""
        wanted = json.loads(body)
        self.seconds, self.manner = wanted["seconds"], wanted["manner"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        status, answer = 200, b"{}"
        match head.split(b" ", 2)[1].decode().strip("/").split("/"):
            case ["v2", "bot", "message", way]:
                key = _KEY.search(head)
                seconds = self.seconds
                status, answer = self.send(way, body, key[1].decode() if key else "")
                await asyncio.sleep(seconds)
            case ["control"]:
                self.control(body)
            case ["multicasts", *rest]:
                answer = self.multicasts(reset=bool(rest))
            case ["count"]:
                answer = json.dumps(len(self.arrivals)).encode()
            case ["arrivals", first]:
                answer = json.dumps([one for one in self.arrivals if one[0] >= int(first)]).encode()
            case _:
                status = 404
        if status == 0:
            return False
        lines = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}"
        )
        writer.write(lines.encode() + b"\r\n\r\n" + answer)
        await writer.drain()
        return True


async def _main(port: int) -> None:
    server = await asyncio.start_server(Provider().serve, "127.0.0.1", port, backlog=256)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
